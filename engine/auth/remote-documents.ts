import type { Clock } from "../clock";
import type { EngineError } from "../errors";

/** How long what another server publishes is trusted before it is read again. jose uses the same ten minutes. */
const AGE_MS_MAX = 10 * 60_000;
/**
 * How old it may become while it cannot be read again: an issuer that is down for a moment must not sign everybody
 * out, and a key that it withdrew must not count for ever.
 */
const STALE_MS_MAX = 60 * 60_000;
/**
 * A key that is missing from the set causes a new read at most this often, so that forged tokens cannot be used to
 * flood the issuer. jose uses the same thirty seconds.
 */
const REREAD_PAUSE_MS = 30_000;
/** A server that failed is left alone for so long; callers meanwhile hear at once what was wrong. */
const FAILURE_PAUSE_MS = 5_000;
const READ_TIMEOUT_MS = 10_000;
/** A key set holds a handful of keys; a megabyte is a thousand RSA keys. */
const DOCUMENT_BYTES_MAX = 1024 * 1024;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Why a document could not be had. `passing` is true where the server may well answer later. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";

  constructor(
    message: string,
    readonly passing: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type Document<Value> = { readonly value: Value; readonly readAtMs: number };

export interface RemoteDocuments<Value> {
  /** The document at an address. All who ask while it is being read wait for the same answer. Throws DocumentError. */
  get(address: string): Promise<Document<Value>>;
  /** The document newly read, unless it was read a moment ago: then null. Throws DocumentError. */
  reread(address: string): Promise<Document<Value> | null>;
}

type State<Value> = {
  document: Document<Value> | null;
  failure: { error: unknown; atMs: number } | null;
  reading: Promise<Document<Value>> | null;
};

/**
 * Documents of other servers, kept for ten minutes. Addresses must come from the configuration, not from callers:
 * every one is remembered.
 * @param read fetches one of them and says what is wrong with it by a DocumentError
 */
export function createRemoteDocuments<Value>(
  clock: Clock,
  read: (address: string) => Promise<Value>,
): RemoteDocuments<Value> {
  const states = new Map<string, State<Value>>();

  const stateOf = (address: string): State<Value> => {
    const known = states.get(address);
    if (known !== undefined) {
      return known;
    }
    const state: State<Value> = { document: null, failure: null, reading: null };
    states.set(address, state);
    return state;
  };

  const readNow = (address: string, state: State<Value>): Promise<Document<Value>> => {
    state.reading ??= (async () => {
      const readAtMs = clock.nowMs();
      try {
        state.document = { value: await read(address), readAtMs };
        state.failure = null;
        return state.document;
      } catch (error) {
        state.failure = { error, atMs: readAtMs };
        throw error;
      } finally {
        state.reading = null;
      }
    })();
    return state.reading;
  };

  const isYoungerThan = (document: Document<Value> | null, ageMs: number): document is Document<Value> =>
    document !== null && clock.nowMs() - document.readAtMs < ageMs;

  return {
    async get(address) {
      const state = stateOf(address);
      if (isYoungerThan(state.document, AGE_MS_MAX)) {
        return state.document;
      }
      try {
        if (state.failure !== null && clock.nowMs() - state.failure.atMs < FAILURE_PAUSE_MS) {
          throw state.failure.error;
        }
        return await readNow(address, state);
      } catch (error) {
        const isPassing = error instanceof DocumentError && error.passing;
        if (isPassing && isYoungerThan(state.document, STALE_MS_MAX)) {
          return state.document;
        }
        throw error;
      }
    },
    async reread(address) {
      const state = stateOf(address);
      const triedAtMs = Math.max(
        state.document?.readAtMs ?? Number.NEGATIVE_INFINITY,
        state.failure?.atMs ?? Number.NEGATIVE_INFINITY,
      );
      return clock.nowMs() - triedAtMs < REREAD_PAUSE_MS ? null : readNow(address, state);
    },
  };
}

/**
 * The text of a JSON document. Throws DocumentError when there is no answer within 10 s, or another status than 200, or
 * a media type that is not among `types`.
 */
export async function fetchDocument(
  address: string,
  types: ReadonlySet<string>,
  clock: Clock,
  fetchIt: Fetch,
): Promise<string> {
  const aborter = new AbortController();
  const cancelTimer = clock.setTimer(READ_TIMEOUT_MS, () =>
    aborter.abort(new Error(`no answer within ${READ_TIMEOUT_MS / 1000} s`)),
  );
  try {
    const response = await fetchIt(address, {
      headers: { accept: "application/json" },
      signal: aborter.signal,
    });
    return await textOf(response, types);
  } catch (error) {
    if (error instanceof DocumentError) {
      throw error;
    }
    throw new DocumentError(reasonOf(error), true, { cause: error });
  } finally {
    cancelTimer();
  }
}

async function textOf(response: Response, types: ReadonlySet<string>): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new DocumentError(`HTTP ${response.status}`, response.status >= 500 || response.status === 429);
  }
  const type = (response.headers.get("content-type") ?? "unknown").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!types.has(type)) {
    await response.body?.cancel();
    throw new DocumentError(`Invalid Content-Type '${type}', expected ${[...types].join(" or ")}`, false);
  }
  const text = await response.text();
  if (text.length > DOCUMENT_BYTES_MAX) {
    throw new DocumentError(`it is larger than ${DOCUMENT_BYTES_MAX} bytes`, false);
  }
  return text;
}

/** What went wrong; Node's fetch says "fetch failed" and hides the reason one level below. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Turns a DocumentError into the failure that callers of the engine see; anything else is a defect and passes on. */
export function refusal(error: unknown, as: (reason: string, passing: boolean) => EngineError): unknown {
  return error instanceof DocumentError ? as(error.message, error.passing) : error;
}
