import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { FunctionArgs } from "convex/server";
import { defined } from "#shared/defined";
import { SECOND_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import type { Caller } from "../server/caller";
import { mutateAs } from "../server/convex";
import { serverEnv } from "../server/env";
import { logError } from "../server/log";

type Line = FunctionArgs<typeof api.mcpCalls.record>["calls"][number];

export type FinishedCall = {
  caller: Caller;
  /** Name of the tool, or the protocol method where it was none. */
  tool: string;
  args: unknown;
  /** Id of what it was about, where it was one thing. */
  target?: string;
  outcome: string;
  /** `performance.now()` at its beginning. */
  startedAt: number;
};

/** Lines of one transaction; the door takes no more. */
const LINES_AT_ONCE_MAX = 100;

/** Lines are gathered for so long, so that a busy process writes a transaction for many of them. */
const GATHER_MS = 50;

/** Lines that wait while the backend is away; then the oldest are lost, and the log says how many. */
const LINES_WAITING_MAX = 10_000;

const TRIES_MAX = 5;
const PAUSE_MS = SECOND_MS;

/** Characters of the digest that are kept: 128 bits. */
const HASH_CHARS = 32;

/** Names come from clients; what is no name is not written into the log as one. */
const TOOL_FORM = /^[A-Za-z0-9_./-]{1,64}$/;

const waiting: Line[] = [];
let writing: Promise<void> | undefined;
/** Ends the gathering that is going on. */
let hurry = new AbortController();

/**
 * Puts a call into the audit log, without making its answer wait for it: whatever gathers goes into one transaction.
 * Sends have lines of their own beside this one, in the transaction that takes them.
 */
export function auditCall({ caller, tool, args, target, outcome, startedAt }: FinishedCall): void {
  waiting.push({
    apiKeyId: caller.identity.apiKeyId,
    tool: TOOL_FORM.test(tool) ? tool : "?",
    argumentHash: argumentHash(args),
    outcome,
    ms: Math.round(performance.now() - startedAt),
    at: Date.now(),
    ...defined({ target }),
  });
  if (waiting.length > LINES_WAITING_MAX) {
    waiting.shift();
    logError("mcp audit", new Error("A line was lost, because too many wait for the backend."));
  }
  writing ??= writeAll().finally(() => {
    writing = undefined;
  });
}

/** Resolves once every line is written or given up, in the pace of the log. */
export async function auditWritten(): Promise<void> {
  await writing;
}

/** As `auditWritten`, but nothing more is gathered: for the end of a process. */
export async function drainAudit(): Promise<void> {
  hurry.abort();
  await writing;
  hurry = new AbortController();
}

async function writeAll(): Promise<void> {
  while (waiting.length > 0) {
    // An aborted pause is over, which is all that it was for.
    if (waiting.length < LINES_AT_ONCE_MAX)
      await delay(GATHER_MS, undefined, { signal: hurry.signal }).catch(() => undefined);
    await write(waiting.splice(0, LINES_AT_ONCE_MAX));
  }
}

async function write(calls: Line[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await mutateAs({ use: "service" }, api.mcpCalls.record, { calls });
      return;
    } catch (error) {
      if (tries === TRIES_MAX) {
        logError(`mcp audit (${calls.length} lines lost)`, error);
        return;
      }
      await delay(PAUSE_MS * tries);
    }
  }
}

let hashKey: Buffer | undefined;

/** Equal arguments give equal digests, so a line can be matched with a call; without the secret nothing can be guessed. */
function argumentHash(args: unknown): string {
  hashKey ??= createHmac("sha256", serverEnv().BETTER_AUTH_SECRET).update("pons mcp arguments v1").digest();
  return createHmac("sha256", hashKey)
    .update(JSON.stringify(args, sortedKeys) ?? "")
    .digest("hex")
    .slice(0, HASH_CHARS);
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
