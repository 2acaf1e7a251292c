import { AsyncLocalStorage } from "node:async_hooks";
import { BackendUnavailable } from "../app-error";

type Watch = { outage: BackendUnavailable | null };

const watches = new AsyncLocalStorage<Watch>();

/**
 * Runs a request of Better Auth and throws BackendUnavailable when the store was unreachable during it and it ended
 * in a refusal. Better Auth turns errors of its store into refusals such as "sign-up failed", which would blame the
 * person for an outage.
 */
export async function withOutagesSeen(run: () => Promise<Response>): Promise<Response> {
  const watch: Watch = { outage: null };
  const response = await watches.run(watch, run);
  if (watch.outage !== null && !response.ok) throw watch.outage;
  return response;
}

/** Notes an outage for the request that is being served, and throws the error on. */
export function noteOutage(error: unknown): never {
  const watch = watches.getStore();
  if (watch && error instanceof BackendUnavailable) watch.outage = error;
  throw error;
}
