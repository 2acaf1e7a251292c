import type { describeState } from "../control/state";

export type State = ReturnType<typeof describeState>;
export type Person = State["customers"][number];
export type BusinessNumber = State["numbers"][number];
export type Message = State["messages"][number];
export type Template = State["templates"][number];
export type FaultEntry = State["faults"][number];

/** Calls the control API. Throws an Error whose message may be shown. */
export async function call<T>(
  path: string,
  body?: object,
  method = body === undefined ? "GET" : "POST",
): Promise<T> {
  return answerOf(
    await send(`/_sim/${path}`, {
      method,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    }),
  );
}

/** Calls the Graph as the business would, with the access token of the start state. */
export async function callGraph<T>(state: State, path: string, body: string | FormData): Promise<T> {
  const type = typeof body === "string" ? { "content-type": "application/json" } : {};
  const headers = { ...type, authorization: `Bearer ${state.app.accessToken}` };
  return answerOf(await send(`/v25.0/${path}`, { method: "POST", headers, body }));
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new Error("The simulator does not answer. Is it still running?");
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const answer = await response.json();
  if (response.ok) return answer;
  const details: unknown = answer.error?.error_data?.details;
  throw new Error([answer.error?.message ?? `HTTP ${response.status}`, details].filter(Boolean).join(": "));
}
