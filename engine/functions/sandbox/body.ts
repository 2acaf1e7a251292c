import { bytesOf, isBytes, ownBuffer } from "./globals";
import { RealmHeaders } from "./headers";
import { RealmTextDecoder, RealmTextEncoder } from "./text";
import { RealmURLSearchParams } from "./url";

const utf8 = (text: string): Uint8Array => new RealmTextEncoder().encode(text);

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export class RealmBlob {
  #bytes: Uint8Array;
  readonly type: string;

  constructor(parts: Iterable<unknown> = [], options: { type?: string } = {}) {
    this.#bytes = join(
      [...parts].map((part) =>
        part instanceof RealmBlob ? part.#bytes : isBytes(part) ? bytesOf(part).slice() : utf8(String(part)),
      ),
    );
    const type = options.type === undefined ? "" : String(options.type);
    this.type = /[^\x20-\x7e]/.test(type) ? "" : type.toLowerCase();
  }

  static bytes(blob: RealmBlob): Uint8Array {
    return blob.#bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return ownBuffer(this.#bytes);
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }

  async text(): Promise<string> {
    return new RealmTextDecoder().decode(this.#bytes);
  }

  slice(start?: number, end?: number, type?: string): RealmBlob {
    return new RealmBlob([this.#bytes.slice(start, end)], type === undefined ? {} : { type });
  }

  get [Symbol.toStringTag](): string {
    return "Blob";
  }
}

/** What a request or response carries: read once, as in a browser. */
class Body {
  #bytes: Uint8Array | null = null;
  #used = false;
  readonly headers: RealmHeaders;

  constructor(body: unknown, headers: RealmHeaders) {
    this.headers = headers;
    if (body === undefined || body === null) return;
    let type: string | undefined;
    if (body instanceof RealmBlob) {
      this.#bytes = RealmBlob.bytes(body);
      type = body.type || undefined;
    } else if (isBytes(body)) {
      this.#bytes = bytesOf(body).slice();
    } else {
      this.#bytes = utf8(String(body));
      type =
        body instanceof RealmURLSearchParams
          ? "application/x-www-form-urlencoded;charset=UTF-8"
          : "text/plain;charset=UTF-8";
    }
    if (type !== undefined && !headers.has("content-type")) headers.set("content-type", type);
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  /** Streams exist in actions only; null says that there is no body, anything else must be read whole. */
  get body(): null {
    if (this.#bytes === null) return null;
    throw new Error("Can't use streams in queries and mutations. Please consider using an action.");
  }

  protected peek(): Uint8Array | null {
    if (this.#used) throw new TypeError("Body is unusable: Body has already been read");
    return this.#bytes;
  }

  #take(): Uint8Array {
    const bytes = this.peek();
    this.#used = bytes !== null;
    return bytes ?? new Uint8Array(0);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return ownBuffer(this.#take());
  }

  async bytes(): Promise<Uint8Array> {
    return this.#take().slice();
  }

  async blob(): Promise<RealmBlob> {
    const type = this.headers.get("content-type");
    return new RealmBlob([this.#take()], type === null ? {} : { type });
  }

  async text(): Promise<string> {
    return new RealmTextDecoder().decode(this.#take());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

type RequestInit = {
  method?: string;
  headers?: ConstructorParameters<typeof RealmHeaders>[0];
  body?: unknown;
  signal?: unknown;
};

/** `URL` is handed in because its parser belongs to the engine. */
export function createRequest(parseUrl: (input: unknown) => string) {
  return class RealmRequest extends Body {
    readonly url: string;
    readonly method: string;
    readonly signal: unknown;

    constructor(input: unknown, init: RequestInit = {}) {
      const from = input instanceof RealmRequest ? input : undefined;
      const method = String(init.method ?? from?.method ?? "GET");
      const upper = METHODS.includes(method.toUpperCase()) ? method.toUpperCase() : method;
      const body = init.body ?? from?.peek();
      if (body !== undefined && body !== null && (upper === "GET" || upper === "HEAD")) {
        throw new TypeError("Request with GET/HEAD method cannot have body.");
      }
      super(body, new RealmHeaders(init.headers ?? from?.headers));
      this.url = from?.url ?? parseUrl(input);
      this.method = upper;
      this.signal = init.signal ?? from?.signal ?? null;
    }

    clone(): RealmRequest {
      return new RealmRequest(this);
    }

    get [Symbol.toStringTag](): string {
      return "Request";
    }
  };
}

export class RealmResponse extends Body {
  readonly status: number;
  readonly statusText: string;
  readonly type = "default";
  readonly url = "";
  readonly redirected = false;

  constructor(
    body?: unknown,
    init: {
      status?: number;
      statusText?: string;
      headers?: ConstructorParameters<typeof RealmHeaders>[0];
    } = {},
  ) {
    const status = init.status ?? 200;
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    }
    if (body !== undefined && body !== null && [204, 205, 304].includes(status)) {
      throw new TypeError(`Response with null body status cannot have body`);
    }
    super(body, new RealmHeaders(init.headers));
    this.status = status;
    this.statusText = String(init.statusText ?? "");
  }

  static json(data: unknown, init: ConstructorParameters<typeof RealmResponse>[1] = {}): RealmResponse {
    const headers = new RealmHeaders(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new RealmResponse(JSON.stringify(data), { ...init, headers });
  }

  static redirect(url: unknown, status = 302): RealmResponse {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`Invalid status code ${status}`);
    return new RealmResponse(null, { status, headers: { location: String(url) } });
  }

  get ok(): boolean {
    return this.status < 300;
  }

  clone(): RealmResponse {
    return new RealmResponse(this.peek(), {
      status: this.status,
      statusText: this.statusText,
      headers: this.headers,
    });
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }
}
