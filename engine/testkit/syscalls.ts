import { AsyncLocalStorage } from "node:async_hooks";
import { outsideOfCalls, withGlobals } from "./globals";

/** The three doors of `convex/server` out of one running function. */
export type Syscalls = {
  /** JSON text in and out; throws an error with the text for the function. */
  syscall(op: string, argsJson: string): string;
  /** A rejection carries `{message, data?}`. */
  asyncSyscall(op: string, argsJson: string): Promise<string>;
  /** For values that are no JSON: blobs. */
  jsSyscall(op: string, args: object): Promise<unknown>;
};

const running = new AsyncLocalStorage<Syscalls>();

function current(): Syscalls {
  const syscalls = running.getStore();
  if (syscalls === undefined) {
    throw new Error("Convex functions can only be called through the object that convexTest() returns.");
  }
  return syscalls;
}

/** What `convex/server` calls. One object for all tests of a process: it looks up which function asks. */
const DOOR = Object.freeze({
  syscall: (op: string, argsJson: string) => current().syscall(op, argsJson),
  asyncSyscall: async (op: string, argsJson: string) => current().asyncSyscall(op, argsJson),
  jsSyscall: async (op: string, args: object) => current().jsSyscall(op, args),
});

/** Runs a function's code: its system calls go to `syscalls`, and it sees `globals`. */
export function runFunctionCode<Result>(
  syscalls: Syscalls,
  globals: Map<string, unknown>,
  body: () => Promise<Result>,
): Promise<Result> {
  Reflect.set(globalThis, "Convex", DOOR);
  return withGlobals(globals, () => running.run(syscalls, body));
}

/** Runs the engine's part of a call, which must not be taken for code of the function. */
export const runEngineCode = <Result>(body: () => Result): Result => outsideOfCalls(() => running.exit(body));

/** A method of a registered function, which its public type does not show. Throws where there is none. */
export function methodOf(registered: object, name: string): (...args: unknown[]) => Promise<unknown> {
  const method: unknown = Reflect.get(registered, name);
  if (typeof method !== "function") throw new Error(`This Convex function has no ${name}.`);
  return (...args) => method.apply(registered, args);
}

/** What `convex/server` rethrows in the function, from a payload of `failedCall`. */
export const syscallError = (payload: string): Error => Object.assign(new Error(), JSON.parse(payload));
