import { defined } from "../defined";
import { GRAPH_DEADLINE_MS } from "../domain/limits";
import { appSecretProof } from "../signature";
import {
  classifySend,
  graphErrorOf,
  isSuccess,
  type ReadResult,
  readAnswer,
  type SendResult,
} from "./graph-answers";
import { type Exchange, exchange, type FetchLike } from "./http-exchange";
import { getArray, getId, getNumber, getObject, getWord, type JsonObject } from "./json";
import type { OutboundBody } from "./outbound";

export type { ReadResult, SendResult } from "./graph-answers";

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

export type Query = Readonly<Record<string, string>>;

/** Rows of a list; not `whole` where reading ended before Meta had named the last page. */
export interface GraphList {
  readonly rows: readonly unknown[];
  readonly whole: boolean;
}

export interface GraphPage {
  readonly rows: readonly unknown[];
  readonly next?: string;
}

export interface MediaInfo {
  readonly url: string;
  readonly mimeType?: string;
  readonly sha256?: string;
  readonly bytes?: number;
}

/** Largest JSON answer that is read; a page of templates is far below. */
const JSON_BYTES_MAX = 4 * 1024 * 1024;

/** Largest error page that is read in place of a file; Meta's are a few KiB. */
const ERROR_BYTES_MAX = 64 * 1024;

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
    return readAnswer(answer, isSuccess);
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
   * its host is one of Meta's. A file of more than `bytesMax` bytes is refused without being read to its end.
   */
  async downloadMedia(url: string, bytesMax: number): Promise<ReadResult<Uint8Array>> {
    const answer = await exchange(this.#options.fetch, url, {
      method: "GET",
      headers: { authorization: `Bearer ${this.#options.accessToken}`, "user-agent": USER_AGENT },
      deadlineMs: this.#deadlineMs,
      // The page that explains a dead link may be larger than the file.
      bytesMax: Math.max(bytesMax, ERROR_BYTES_MAX),
    });
    if (answer.kind !== "answered") return { ok: false, reason: answer.reason };
    if (answer.status === 200) {
      if (answer.bytes.length > bytesMax) return { ok: false, reason: "answer_too_large" };
      return { ok: true, value: answer.bytes };
    }
    return { ok: false, reason: `http_${answer.status}`, ...graphErrorOf(answer) };
  }

  /** Uploads a file for sending; it is kept for 30 days. Uploading again gives another id. */
  async uploadMedia(phoneNumberId: string, file: Blob, filename: string): Promise<ReadResult<string>> {
    const form = new FormData();
    form.set("messaging_product", "whatsapp");
    form.set("type", file.type);
    form.set("file", file, filename);
    const answer = await this.#call("POST", `/${encodeURIComponent(phoneNumberId)}/media`, form);
    return readAnswer(answer, (json) => getId(json, "id"));
  }

  async deleteMedia(mediaId: string): Promise<ReadResult<true>> {
    return readAnswer(await this.#call("DELETE", `/${encodeURIComponent(mediaId)}`), isSuccess);
  }

  /** One object or list of the Graph, such as `/{waba}/message_templates`, as JSON. */
  async get(path: string, query: Query = {}): Promise<ReadResult<JsonObject>> {
    return readAnswer(await this.#call("GET", path, undefined, query), (json) => json);
  }

  /** A change of an object or list of the Graph; the answer is what Meta says about it. */
  async change(
    method: "POST" | "DELETE",
    path: string,
    body?: object,
    query: Query = {},
  ): Promise<ReadResult<JsonObject>> {
    return readAnswer(await this.#call(method, path, body, query), (json) => json);
  }

  /**
   * All rows of a list, page by page until Meta names no next page. Ends with what was read so far and `whole` false
   * when a page brings nothing new, as a cursor that loops does, or at `rowsMax`.
   */
  async list(path: string, query: Query, rowsMax: number): Promise<ReadResult<GraphList>> {
    const rows: unknown[] = [];
    const cursors = new Set<string>();
    for (let after: string | undefined; ; ) {
      const page = await this.page(path, query, after);
      if (!page.ok) return page;
      rows.push(...page.value.rows.slice(0, rowsMax - rows.length));
      const { next } = page.value;
      if (next === undefined) return { ...page, value: { rows, whole: true } };
      if (rows.length >= rowsMax || cursors.has(next)) return { ...page, value: { rows, whole: false } };
      cursors.add(next);
      after = next;
    }
  }

  /**
   * One page of a list, the first unless `after` names the end of an earlier one; `next` is absent on the last. An
   * answer without rows is none: taken for an empty list it would undo all that is known.
   */
  async page(path: string, query: Query, after: string | undefined): Promise<ReadResult<GraphPage>> {
    const answer = await this.get(path, { ...query, ...(after !== undefined && { after }) });
    if (!answer.ok) return answer;
    const rows = getArray(answer.value, "data");
    if (rows === undefined) return { ok: false, reason: "unreadable" };
    const paging = getObject(answer.value, "paging");
    const next =
      getWord(paging, "next") === undefined ? undefined : getId(getObject(paging, "cursors"), "after");
    return { ...answer, value: { rows, ...defined({ next }) } };
  }

  get #deadlineMs(): number {
    return this.#options.deadlineMs ?? GRAPH_DEADLINE_MS;
  }

  async #call(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: object,
    query: Query = {},
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
        // The calls that get a token have none yet.
        ...(accessToken !== "" && { authorization: `Bearer ${accessToken}` }),
        "user-agent": USER_AGENT,
        // A form names its own boundary in the header, so fetch writes it.
        ...(body !== undefined && !(body instanceof FormData) && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
      deadlineMs: this.#deadlineMs,
      bytesMax: JSON_BYTES_MAX,
    });
  }
}

/** Meta's media host answers an empty or browser-like agent with an HTML page. */
const USER_AGENT = "pons/1";
