/** The part of `fetch` that is used, so that every runtime and every test can bring its own. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** How far one HTTP exchange got. The difference between the first two decides whether a send may be repeated. */
export type Exchange =
  /** Provably no byte of the request was written. */
  | { readonly kind: "notSent"; readonly reason: string }
  /** The request may have arrived, but no whole answer came back. */
  | { readonly kind: "broken"; readonly reason: string }
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Headers;
      readonly bytes: Uint8Array;
    };

export interface ExchangeRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  readonly deadlineMs: number;
  readonly bytesMax: number;
}

/**
 * One request with one deadline over everything: connecting, sending, and reading the answer to its last byte. The
 * deadline holds even if the given `fetch` ignores its abort signal. Redirects are not followed, because the token
 * would follow them. Never throws.
 */
export async function exchange(fetch: FetchLike, url: string, request: ExchangeRequest): Promise<Exchange> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<Exchange>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: "broken", reason: "timeout" });
      controller.abort();
    }, request.deadlineMs);
  });
  try {
    return await Promise.race([attempt(fetch, url, request, controller), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(
  fetch: FetchLike,
  url: string,
  request: ExchangeRequest,
  controller: AbortController,
): Promise<Exchange> {
  try {
    const response = await fetch(url, {
      method: request.method,
      headers: { ...request.headers },
      redirect: "manual",
      signal: controller.signal,
      ...(request.body !== undefined && { body: request.body }),
    });
    const bytes = await readBounded(response, request.bytesMax);
    if (bytes === null) {
      controller.abort();
      return { kind: "broken", reason: "answer_too_large" };
    }
    return { kind: "answered", status: response.status, headers: response.headers, bytes };
  } catch (error) {
    return networkFailure(error);
  }
}

async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array | null> {
  if (response.body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > bytesMax) return null;
    chunks.push(part.value);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Failures that end before a request is written: name lookup, connecting, and agreeing on TLS. */
const NOT_SENT_CODES = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "ECONNREFUSED",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const NOT_SENT_PREFIXES = [
  "ERR_TLS_",
  "ERR_SSL_",
  "CERT_",
  "UNABLE_TO_",
  "SELF_SIGNED_CERT",
  "DEPTH_ZERO_SELF_SIGNED",
];

/** What a rejected `fetch` proves. Without a code that says otherwise the request may have been written. */
function networkFailure(error: unknown): Exchange {
  const { code, syscall } = rootCause(error);
  if (code === undefined) return { kind: "broken", reason: "connection_lost" };
  const neverSent =
    NOT_SENT_CODES.has(code) ||
    NOT_SENT_PREFIXES.some((prefix) => code.startsWith(prefix)) ||
    syscall === "connect";
  return { kind: neverSent ? "notSent" : "broken", reason: code.toLowerCase() };
}

/** The code at the bottom of a chain of causes, which is where Node's `fetch` puts the reason. */
function rootCause(error: unknown): { code?: string; syscall?: string } {
  let found: { code?: string; syscall?: string } = {};
  let at: unknown = error;
  // Chains are two or three long; the bound is against one that refers to itself.
  for (let depth = 0; depth < 8 && typeof at === "object" && at !== null; depth++) {
    if ("code" in at && typeof at.code === "string") {
      found = {
        code: at.code,
        ...("syscall" in at && typeof at.syscall === "string" && { syscall: at.syscall }),
      };
    }
    at = "cause" in at ? at.cause : undefined;
  }
  return found;
}
