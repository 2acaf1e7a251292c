import { AsyncLocalStorage } from "node:async_hooks";
import { BackendUnavailable } from "../app-error";

type Watch = { outage: BackendUnavailable | null };

const watches = new AsyncLocalStorage<Watch>();

/**
 * Runs a part of Better Auth and throws BackendUnavailable when its store was unreachable and the part did not
 * succeed all the same. Better Auth turns errors of its store into refusals such as "sign-up failed", which would
 * blame the person for an outage.
 */
export async function withOutagesSeen<Result>(
  run: () => Promise<Result>,
  succeeded: (result: Result) => boolean,
): Promise<Result> {
  const watch: Watch = { outage: null };
  let result: Result;
  try {
    result = await watches.run(watch, run);
  } catch (error) {
    throw watch.outage ?? error;
  }
  if (watch.outage !== null && !succeeded(result)) throw watch.outage;
  return result;
}

/** Notes an outage for the request that is being served, and throws the error on. */
export function noteOutage(error: unknown): never {
  const watch = watches.getStore();
  if (watch && error instanceof BackendUnavailable) watch.outage = error;
  throw error;
}
