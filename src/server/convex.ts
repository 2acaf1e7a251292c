import { ConvexHttpClient } from "convex/browser";
import type { ArgsAndOptions, FunctionReference, FunctionReturnType, OptionalRestArgs } from "convex/server";
import { ConvexError } from "convex/values";
import { isAppErrorData } from "#shared/errors";
import { AppError, BackendUnavailable } from "./app-error";
import { fetchFromBackend } from "./backend-fetch";
import { serverEnv } from "./env";
import { type Identity, identityToken } from "./identity";

export { BackendUnavailable };

/** `null`: as nobody in particular, for the functions that are open to everybody. */
type Caller = Identity | null;

/**
 * Runs a query as the given identity.
 * @throws AppError with the function's own error, BackendUnavailable when there is no answer
 */
export async function queryAs<Query extends FunctionReference<"query">>(
  caller: Caller,
  query: Query,
  ...args: OptionalRestArgs<Query>
): Promise<FunctionReturnType<Query>> {
  return await call(caller, (client) => client.query(query, ...args));
}

/**
 * Runs a mutation as the given identity. It is not repeated when no answer comes: it may have been committed.
 * @throws AppError with the function's own error, BackendUnavailable when there is no answer
 */
export async function mutateAs<Mutation extends FunctionReference<"mutation">>(
  caller: Caller,
  mutation: Mutation,
  ...args: ArgsAndOptions<Mutation, { skipQueue: boolean }>
): Promise<FunctionReturnType<Mutation>> {
  return await call(caller, (client) => client.mutation(mutation, ...args));
}

async function call<Result>(
  caller: Caller,
  run: (client: ConvexHttpClient) => Promise<Result>,
): Promise<Result> {
  const client = new ConvexHttpClient(serverEnv().NEXT_PUBLIC_CONVEX_URL, {
    skipConvexDeploymentUrlCheck: true,
    logger: false,
    fetch: fetchFromBackend,
    ...(caller !== null && { auth: await identityToken(caller) }),
  });
  try {
    return await run(client);
  } catch (error) {
    if (error instanceof ConvexError && isAppErrorData(error.data)) throw new AppError(error.data);
    throw error;
  }
}
