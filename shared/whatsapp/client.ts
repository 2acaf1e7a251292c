import { bytesToText } from "../bytes";
import { defined } from "../defined";
import { GRAPH_DEADLINE_MS } from "../domain/limits";
import { appSecretProof } from "../signature";
import { type GraphError, graphErrorRule, readGraphError } from "./graph-errors";
import { type Exchange, exchange, type FetchLike } from "./http-exchange";
import { asObject, getArray, getId, getNumber, getWord, type JsonObject } from "./json";
import type { OutboundBody } from "./outbound";

export interface GraphClientOptions {
  /** `https://graph.facebook.com` or the simulator; from the deployment's environment, never from a tenant. */
  readonly baseUrl: string;
  /** Such as `v25.0`. */
  readonly version: string;
  readonly accessToken: string;
  /** When given, every call carries `appsecret_proof`. */
  readonly appSecret?: string;
  readonly fetch: FetchLike;
  /** Total time of one call, to the last byte of the answer. */
  readonly deadlineMs?: number;
}

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
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly error?: GraphError };

export interface MediaInfo {
  readonly url: string;
  readonly mimeType?: string;
  readonly sha256?: string;
  readonly bytes?: number;
}

/** Largest JSON answer that is read; a page of templates is far below. */
const JSON_BYTES_MAX = 4 * 1024 * 1024;

/** The Graph calls of the bridge, with an injected `fetch`. Holds no state but its options. */
export class GraphClient {
  readonly #options: GraphClientOptions;
  readonly #base: string;

  constructor(options: GraphClientOptions) {
    this.#options = options;
    this.#base = `${options.baseUrl.replace(/\/+$/, "")}/${options.version}`;
  }

  /** Sends one message from a business number. The outcome follows the table at `classifySend`. */
  async sendMessage(phoneNumberId: string, body: OutboundBody): Promise<SendResult> {
    return classifySend(await this.#call("POST", `/${encodeURIComponent(phoneNumberId)}/messages`, body));
  }

  /** Marks a customer's message as read, optionally showing that somebody is typing. Safe to repeat. */
  async markRead(phoneNumberId: string, body: object): Promise<ReadResult<true>> {
    const answer = await this.#call("POST", `/${encodeURIComponent(phoneNumberId)}/messages`, body);
    return readAnswer(answer, (json) => (json["success"] === true ? true : undefined));
  }

  /** The download link of a file, which lives for five minutes, and what Meta knows about the file. */
  async getMedia(mediaId: string): Promise<ReadResult<MediaInfo>> {
    return readAnswer(await this.#call("GET", `/${encodeURIComponent(mediaId)}`), (json) => {
      const url = getWord(json, "url");
      if (url === undefined) return undefined;
      return {
        url,
        ...defined({
          mimeType: getWord(json, "mime_type"),
          sha256: getWord(json, "sha256"),
          bytes: getNumber(json, "file_size"),
        }),
      };
    });
  }

  /**
   * Downloads a file from a link of `getMedia`. The link needs the access token, so the caller must have checked that
   * its host is one of Meta's. At most `bytesMax` bytes are read.
   */
  async downloadMedia(url: string, bytesMax: number): Promise<ReadResult<Uint8Array>> {
    const answer = await exchange(this.#options.fetch, url, {
      method: "GET",
      headers: { authorization: `Bearer ${this.#options.accessToken}`, "user-agent": USER_AGENT },
      deadlineMs: this.#deadlineMs,
      bytesMax,
    });
    if (answer.kind !== "answered") return { ok: false, reason: answer.reason };
    if (answer.status === 200) return { ok: true, value: answer.bytes };
    return { ok: false, reason: `http_${answer.status}`, ...graphErrorOf(answer) };
  }

  /** One object or list of the Graph, such as `/{waba}/message_templates`, as JSON. */
  async get(path: string, query: Readonly<Record<string, string>> = {}): Promise<ReadResult<JsonObject>> {
    return readAnswer(await this.#call("GET", path, undefined, query), (json) => json);
  }

  get #deadlineMs(): number {
    return this.#options.deadlineMs ?? GRAPH_DEADLINE_MS;
  }

  async #call(
    method: "GET" | "POST",
    path: string,
    body?: object,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Exchange> {
    const { accessToken, appSecret } = this.#options;
    const parameters = new URLSearchParams(query);
    if (appSecret !== undefined && appSecret !== "") {
      parameters.set("appsecret_proof", await appSecretProof(appSecret, accessToken));
    }
    const search = parameters.size === 0 ? "" : `?${parameters}`;
    return exchange(this.#options.fetch, `${this.#base}${path}${search}`, {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${accessToken}`,
        "user-agent": USER_AGENT,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      deadlineMs: this.#deadlineMs,
      bytesMax: JSON_BYTES_MAX,
    });
  }
}

/** Meta's media host answers an empty or browser-like agent with an HTML page. */
const USER_AGENT = "pons/1";

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

function readAnswer<T>(answer: Exchange, read: (json: JsonObject) => T | undefined): ReadResult<T> {
  if (answer.kind !== "answered") return { ok: false, reason: answer.reason };
  const failure = graphErrorOf(answer);
  const json = asObject(parseJson(answer.bytes));
  const good = answer.status >= 200 && answer.status < 300 && failure.error === undefined;
  const value = good && json !== undefined ? read(json) : undefined;
  if (value !== undefined) return { ok: true, value };
  return {
    ok: false,
    reason: failure.error ? `graph_${failure.error.code}` : `http_${answer.status}`,
    ...failure,
  };
}

function graphErrorOf(answer: Extract<Exchange, { kind: "answered" }>): { error?: GraphError } {
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
