import type { describeState } from "../control/state";

export type State = ReturnType<typeof describeState>;
export type Person = State["customers"][number];
export type Message = State["messages"][number];

/** Calls the control API. Throws an Error whose message may be shown. */
export async function call<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`/_sim/${path}`, {
    method: body === undefined ? "GET" : "POST",
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  }).catch(() => null);
  if (response === null) throw new Error("The simulator does not answer. Is it still running?");
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `HTTP ${response.status}`);
  return answer;
}
