import { Fate } from "../fate";
import type { Transaction } from "../types";
import type { CallContext } from "./call-context";
import { plainError } from "./failure";
import type { RunResult } from "./run-function";

type Attempt = (transaction: Transaction, context: CallContext) => Promise<RunResult>;

/**
 * Runs a function twice from the same snapshot, moment, seed and ids (law L2), as a conflict would make it. Answers
 * the second run, which happens in `transaction`; or an error that names the function where the runs differ in what
 * they wrote or, for a query, in what they answered.
 *
 * @param contexts two contexts of the same call; the second one's log is the call's
 */
export async function runTwice(
  path: string,
  transaction: Transaction,
  contexts: readonly [CallContext, CallContext],
  attempt: Attempt,
): Promise<RunResult> {
  const [rehearsalContext, context] = contexts;
  const fate = new Fate();
  const rehearsal = transaction.twin();
  rehearsal.follow(fate);
  const first = await attempt(rehearsal, { ...rehearsalContext, fate });
  fate.rewind();
  const before = new Set(transaction.written().keys());
  transaction.follow(fate);
  const second = await attempt(transaction, Object.assign(context, { fate }));
  // One of two may have been stopped for the time that it took: that says nothing about what it does.
  if (!first.ok || !second.ok) return second;
  const difference =
    transaction.kind === "query"
      ? first.value !== second.value && "answered two different values"
      : differentWrites(rehearsal.written(), withoutKeys(transaction.written(), before));
  if (difference === false) return second;
  return {
    ok: false,
    error: plainError(
      `${path} is not deterministic: run twice from the same snapshot, at the same time and with the same seed it ${difference}. Look for state in a module that outlives a call.`,
    ),
  };
}

function differentWrites(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string | false {
  const ids = new Set([...a.keys(), ...b.keys()]);
  const different = [...ids].filter((id) => a.get(id) !== b.get(id));
  return different.length > 0 && `wrote different documents (${different.slice(0, 3).join(", ")})`;
}

const withoutKeys = (map: ReadonlyMap<string, string>, keys: ReadonlySet<string>): Map<string, string> =>
  new Map([...map].filter(([key]) => !keys.has(key)));
