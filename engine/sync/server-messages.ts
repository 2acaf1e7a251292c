import type { Outcome, Timestamp } from "../types";
import { encodeTs } from "../wire-timestamp";

/** How far a client is: the versions that it gave its query set and identity, and the time its results hold for. */
export type StateVersion = { querySet: number; identity: number; ts: Timestamp };

/** Serialized transitions above this travel in parts, so that one of them does not hold up the line (Convex's bound). */
const TRANSITION_BYTES_MAX = 5_000_000;
/** UTF-16 units per part: at most four escaped bytes each stay in the order of the bound above. */
const CHUNK_UNITS = 2_500_000;

const version = ({ querySet, identity, ts }: StateVersion): string =>
  `{"querySet":${querySet},"identity":${identity},"ts":"${encodeTs(ts)}"}`;

/** The part of a query's result that all its subscribers receive alike. */
export function encodeResult(outcome: Outcome, logLines: string[]): string {
  const logs = JSON.stringify(logLines);
  if (outcome.ok) {
    return `"type":"QueryUpdated","value":${outcome.value},"logLines":${logs}`;
  }
  return `"type":"QueryFailed",${failure("errorMessage", outcome)},"logLines":${logs}`;
}

export const encodeQueryChange = (queryId: number, result: string, journal: string | null): string =>
  `{${result},"queryId":${queryId},"journal":${JSON.stringify(journal)}}`;

export const encodeQueryRemoved = (queryId: number): string => `{"type":"QueryRemoved","queryId":${queryId}}`;

/**
 * @param changes members of `modifications`, serialized
 * @param clockSkewMs the client's clock minus the server's, null when the client did not say
 */
export function encodeTransition(
  start: StateVersion,
  end: StateVersion,
  changes: readonly string[],
  clockSkewMs: number | null,
  nowMs: number,
): string {
  const skew = clockSkewMs === null ? "" : `,"clientClockSkew":${clockSkewMs}`;
  return `{"type":"Transition","startVersion":${version(start)},"endVersion":${version(end)},"modifications":[${changes.join(",")}]${skew},"serverTs":${nowMs * 1_000_000}}`;
}

/** `transition` whole, or in parts when it is large. Cut surrogate pairs survive: each half is escaped by itself. */
export function chunkTransition(transition: string, transitionId: string): string[] {
  if (Buffer.byteLength(transition) <= TRANSITION_BYTES_MAX) {
    return [transition];
  }
  const totalParts = Math.ceil(transition.length / CHUNK_UNITS);
  return Array.from({ length: totalParts }, (_, partNumber) =>
    JSON.stringify({
      type: "TransitionChunk",
      chunk: transition.slice(partNumber * CHUNK_UNITS, (partNumber + 1) * CHUNK_UNITS),
      partNumber,
      totalParts,
      transitionId,
    }),
  );
}

export function encodeMutationResponse(
  requestId: number,
  outcome: Outcome,
  ts: Timestamp,
  logLines: string[],
): string {
  const head = `{"type":"MutationResponse","requestId":${requestId},"logLines":${JSON.stringify(logLines)}`;
  return outcome.ok
    ? `${head},"success":true,"result":${outcome.value},"ts":"${encodeTs(ts)}"}`
    : `${head},"success":false,${failure("result", outcome)}}`;
}

export function encodeActionResponse(requestId: number, outcome: Outcome, logLines: string[]): string {
  const head = `{"type":"ActionResponse","requestId":${requestId},"logLines":${JSON.stringify(logLines)}`;
  return outcome.ok
    ? `${head},"success":true,"result":${outcome.value}}`
    : `${head},"success":false,${failure("result", outcome)}}`;
}

function failure(field: string, { failure }: Extract<Outcome, { ok: false }>): string {
  const data = failure.data === undefined ? "" : `,"errorData":${JSON.stringify(failure.data)}`;
  return `"${field}":${JSON.stringify(failure.message)}${data}`;
}

export const encodeAuthError = (error: string, baseVersion: number, authUpdateAttempted: boolean): string =>
  JSON.stringify({ type: "AuthError", error, baseVersion, authUpdateAttempted });

export const encodeFatalError = (error: string): string => JSON.stringify({ type: "FatalError", error });

export const PING = '{"type":"Ping"}';
