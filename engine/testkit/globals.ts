import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Globals that a running function may see differently from the test around it. Functions of a test live in the test's
 * own realm, so each of these becomes an accessor that looks up which call asks. Reading and replacing them outside of
 * a call (fake timers, stubs) goes to the property as it was.
 */
const NAMES = [
  "AbortController",
  "Date",
  "Headers",
  "Math",
  "Request",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "URLSearchParams",
  "atob",
  "btoa",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "performance",
  "process",
  "queueMicrotask",
  "setInterval",
  "setTimeout",
  "structuredClone",
] as const;

type Globals = Map<string, unknown>;

const globalsOfCall = new AsyncLocalStorage<Globals>();
/** Getters that were installed here. Stubs of a test may put a plain property in their place at any time. */
const installed = new WeakSet<object>();

const SEE_ACTIONS =
  "Please consider using an action. See https://docs.convex.dev/functions/actions for more details.";

/** What queries and mutations see: a clock that stands still, no network, no timers (engine brief D.6). */
export function transactionGlobals(nowMs: number): Globals {
  const refuse = (what: string) => (): never => {
    throw new Error(`Can't use ${what} in queries and mutations. ${SEE_ACTIONS}`);
  };
  return new Map<string, unknown>([
    ["Date", frozenDate(nowMs)],
    ["fetch", async () => refuse("fetch()")()],
    ["setTimeout", refuse("setTimeout")],
    ["setInterval", refuse("setInterval")],
    ["clearTimeout", () => undefined],
    ["clearInterval", () => undefined],
  ]);
}

/** Runs `body` with globals of its own. What it assigns to one of them stays with it, too. */
export function withGlobals<Result>(globals: Globals, body: () => Result): Result {
  for (const name of NAMES) install(name);
  return globalsOfCall.run(globals, body);
}

/** Runs `body` as if no function were running: with the globals of the test. */
export const outsideOfCalls = <Result>(body: () => Result): Result => globalsOfCall.exit(body);

function install(name: string): void {
  const found = Object.getOwnPropertyDescriptor(globalThis, name);
  if (found === undefined || found.configurable !== true) return;
  if (found.get !== undefined && installed.has(found.get)) return;
  let value: unknown = found.value;
  const readShared = found.get ?? ((): unknown => value);
  const writeShared =
    found.set ??
    ((next: unknown): void => {
      value = next;
    });
  const get = (): unknown => {
    const own = globalsOfCall.getStore();
    return own?.has(name) === true ? own.get(name) : readShared.call(globalThis);
  };
  installed.add(get);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: found.enumerable === true,
    get,
    set(next: unknown): void {
      const own = globalsOfCall.getStore();
      if (own === undefined) writeShared.call(globalThis, next);
      else own.set(name, next);
    },
  });
}

/** A Date whose "now" stands still. Everything else is the test's own Date, so that `instanceof` holds on both sides. */
function frozenDate(nowMs: number): DateConstructor {
  const now = (): number => nowMs;
  const handler: ProxyHandler<DateConstructor> = {
    apply: (target) => new target(nowMs).toString(),
    construct: (target, args, newTarget) =>
      Reflect.construct(
        target,
        args.length === 0 ? [nowMs] : args,
        newTarget === frozen ? target : newTarget,
      ),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
  };
  const frozen: DateConstructor = new Proxy(
    outsideOfCalls(() => Date),
    handler,
  );
  return frozen;
}
