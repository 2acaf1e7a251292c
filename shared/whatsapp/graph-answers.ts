import { bytesToText } from "../bytes";
import { defined } from "../defined";
import { type GraphError, graphErrorRule, readGraphError } from "./graph-errors";
import { type GraphUsage, readUsage } from "./graph-usage";
import type { Exchange } from "./http-exchange";
import { asObject, getArray, getId, getWord, type JsonObject } from "./json";

/** How a send ended. Exactly one of these; nothing is thrown for anything that the network or Meta does. */
export type SendResult =
  | {
      readonly outcome: "accepted";
      readonly wamid: string;
      /** Meta's own id of the recipient, which may differ from the number that was dialled. */
      readonly recipient: { input?: string; waId?: string; userId?: string };
      /** Templates only: `accepted`, `held_for_quality_assessment` or `paused`. */
      readonly messageStatus?: string;
    }
  /** No byte of the request reached Meta: it may be sent again at once. */
  | { readonly outcome: "notSent"; readonly reason: string }
  | { readonly outcome: "rejected"; readonly error: GraphError }
  | { readonly outcome: "rateLimited"; readonly error: GraphError | null; readonly retryAfterMs?: number }
  /** Meta may have taken it: never repeated by the machine. */
  | { readonly outcome: "unknown"; readonly reason: string; readonly error?: GraphError };

/** How a call that changes nothing ended; such a call may be repeated whatever happened. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T; readonly usage?: GraphUsage }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly error?: GraphError;
      readonly usage?: GraphUsage;
    };

/**
 * What the end of a POST to `/messages` proves.
 *
 *   nothing was written to the network          notSent
 *   2xx with a message id                       accepted
 *   error with a code that refuses for good     rejected
 *   error with a rate limit code, or bare 429   rateLimited
 *   everything else                             unknown
 *
 * "Everything else" is on purpose: 5xx, codes 1, 2 and 131000, a time-out or reset after the first byte, a 200 that
 * is not JSON. In each of them Meta may have the message, and it offers no way to ask.
 */
export function classifySend(answer: Exchange): SendResult {
  if (answer.kind === "notSent") return { outcome: "notSent", reason: answer.reason };
  if (answer.kind === "broken") return { outcome: "unknown", reason: answer.reason };
  const json = parseJson(answer.bytes);
  const error = readGraphError(json, answer.status);
  if (error !== null) return classifyGraphError(error, answer);
  if (answer.status === 429) return { outcome: "rateLimited", error: null, ...retryAfter(answer) };
  return (
    (answer.status >= 200 && answer.status < 300 ? acceptedFrom(json) : null) ?? {
      outcome: "unknown",
      reason: `http_${answer.status}`,
    }
  );
}

function classifyGraphError(error: GraphError, answer: Extract<Exchange, { kind: "answered" }>): SendResult {
  const { meaning, backoff } = graphErrorRule(error);
  if (meaning === "rejected") return { outcome: "rejected", error };
  if (meaning === "unknown") return { outcome: "unknown", reason: `graph_${error.code}`, error };
  return {
    outcome: "rateLimited",
    error,
    ...defined({ retryAfterMs: backoff?.firstMs }),
    ...retryAfter(answer),
  };
}

function acceptedFrom(json: unknown): SendResult | null {
  const root = asObject(json);
  const message = asObject(getArray(root, "messages")?.[0]);
  const wamid = getId(message, "id");
  if (wamid === undefined) return null;
  const contact = asObject(getArray(root, "contacts")?.[0]);
  return {
    outcome: "accepted",
    wamid,
    recipient: defined({
      input: getWord(contact, "input"),
      waId: getId(contact, "wa_id"),
      userId: getId(contact, "user_id"),
    }),
    ...defined({ messageStatus: getWord(message, "message_status") }),
  };
}

/** Longest wait that a server is believed to ask for. */
const RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1000;

function retryAfter(answer: Extract<Exchange, { kind: "answered" }>): { retryAfterMs?: number } {
  const text = answer.headers.get("retry-after") ?? "";
  if (!/^\d{1,6}$/.test(text)) return {};
  return { retryAfterMs: Math.min(Number(text) * 1000, RETRY_AFTER_MS_MAX) };
}

/** The value of an answer, or why there is none; never both, whatever Meta sent. */
export function readAnswer<T>(answer: Exchange, read: (json: JsonObject) => T | undefined): ReadResult<T> {
  if (answer.kind !== "answered") return { ok: false, reason: answer.reason };
  const failure = graphErrorOf(answer);
  const usage = defined({ usage: readUsage(answer.headers) });
  const json = asObject(parseJson(answer.bytes));
  const good = answer.status >= 200 && answer.status < 300 && failure.error === undefined;
  const value = good && json !== undefined ? read(json) : undefined;
  if (value !== undefined) return { ok: true, value, ...usage };
  return {
    ok: false,
    reason: failure.error ? `graph_${failure.error.code}` : `http_${answer.status}`,
    ...failure,
    ...usage,
  };
}

/** The error that an answer holds, if it is one. */
export function graphErrorOf(answer: Extract<Exchange, { kind: "answered" }>): { error?: GraphError } {
  const error = readGraphError(parseJson(answer.bytes), answer.status);
  return error === null ? {} : { error };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(bytesToText(bytes));
  } catch {
    // Meta's edge answers disturbances with HTML; the callers treat "no JSON" as a case of its own.
    return undefined;
  }
}

/** Meta's `{"success": true}`. */
export function isSuccess(json: JsonObject): true | undefined {
  return json["success"] === true ? true : undefined;
}
