import * as z from "zod";
import type { LocalEnv } from "./env";
import { LocalError } from "./local-error";

/** Administration of a Convex backend, ours or the official one, over the HTTP API that the `convex` CLI uses. */
export type Backend = { url: string; adminKey: string };

export const backendOf = (env: LocalEnv): Backend => ({
  url: env.CONVEX_SELF_HOSTED_URL ?? env.NEXT_PUBLIC_CONVEX_URL,
  adminKey: env.CONVEX_SELF_HOSTED_ADMIN_KEY,
});

/** Errors of `shared/errors` as they travel: a safe sentence, which field is meant, and what to do about it. */
const errorDataSchema = z.looseObject({
  message: z.string(),
  field: z.string().optional(),
  nextStep: z.string().optional(),
});

const answerSchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("success"), value: z.unknown() }),
  z.object({
    status: z.literal("error"),
    errorMessage: z.string(),
    errorData: errorDataSchema.optional().catch(undefined),
  }),
]);

/**
 * Runs one function, internal ones included, with the deployment's key.
 * @param path as in `npx convex run`: "accountsAdmin:list"
 * @throws LocalError with the function's own words when it refuses, or when the backend does not answer
 */
export async function runFunction(
  backend: Backend,
  path: string,
  args: Record<string, unknown>,
): Promise<unknown> {
  const response = await post(backend, "/api/function", {
    path,
    args: [args],
    format: "convex_encoded_json",
  });
  const answer = answerSchema.parse(await response.json());
  if (answer.status === "success") return answer.value;
  throw new LocalError(answer.errorData ? inWords(answer.errorData) : answer.errorMessage.trim());
}

function inWords({ message, field, nextStep }: z.infer<typeof errorDataSchema>): string {
  const sentence = field === undefined ? message : `${message.replace(/\.$/, "")}: look at ${field}.`;
  return nextStep === undefined ? sentence : `${sentence} ${nextStep}`;
}

/** Sets variables of the deployment; functions see them from their next run on. */
export async function setVariables(
  backend: Backend,
  variables: Record<string, string | undefined>,
): Promise<void> {
  const changes = Object.entries(variables).map(([name, value]) => ({ name, value: value ?? null }));
  await post(backend, "/api/update_environment_variables", { changes });
}

async function post(backend: Backend, path: string, body: unknown): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, backend.url), {
      method: "POST",
      headers: { authorization: `Convex ${backend.adminKey}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new LocalError(
      `No Convex backend answers at ${backend.url}: start Pons first (\`npm run dev\` or \`npm start\`), or set NEXT_PUBLIC_CONVEX_URL.`,
    );
  }
  if (response.status === 401 || response.status === 403) {
    throw new LocalError(
      `The backend at ${backend.url} refuses the admin key: set CONVEX_SELF_HOSTED_ADMIN_KEY to the key that it was started with.`,
    );
  }
  // Function errors come with status 200, or 560 on older backends; the body tells them apart.
  if (!response.ok && response.status !== 560) {
    throw new LocalError(
      `The backend at ${backend.url} answered ${response.status} to ${path}: ${(await response.text()).slice(0, 300)}`,
    );
  }
  return response;
}
