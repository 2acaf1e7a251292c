/** What Meta reports about a message after it accepted it. */
export const META_STATUSES = ["sent", "delivered", "read", "played", "failed"] as const;
export type MetaStatus = (typeof META_STATUSES)[number];

export interface StatusError {
  readonly code: number;
  readonly message: string;
}

/** The reason of a failure and when it was reported (ms). */
export interface DatedError extends StatusError {
  readonly at: number;
}

/** One report: a status, when it happened by Meta's clock (ms), and for `failed` the reason. */
export interface StatusReport {
  readonly status: MetaStatus;
  readonly at: number;
  readonly error?: StatusError;
}

/**
 * All that is known about a message: the earliest time of each status seen so far, and the reason of the earliest
 * failure. Nothing is ever taken away, so reports may come in any order and any number of times: the result is the same.
 */
export interface StatusHistory {
  readonly sentAt?: number;
  readonly deliveredAt?: number;
  readonly readAt?: number;
  readonly playedAt?: number;
  readonly failedAt?: number;
  readonly error?: DatedError;
}

const TIME_FIELD = {
  sent: "sentAt",
  delivered: "deliveredAt",
  read: "readAt",
  played: "playedAt",
  failed: "failedAt",
} as const satisfies Record<MetaStatus, keyof StatusHistory>;

export function isMetaStatus(value: unknown): value is MetaStatus {
  return typeof value === "string" && Object.hasOwn(TIME_FIELD, value);
}

/** The history with one report added. Commutative, associative and idempotent. */
export function addStatus(history: StatusHistory, report: StatusReport): StatusHistory {
  const field = TIME_FIELD[report.status];
  const known = history[field];
  const merged = { ...history, [field]: known === undefined ? report.at : Math.min(known, report.at) };
  if (report.status !== "failed") return merged;
  const reported = report.error === undefined ? undefined : { ...report.error, at: report.at };
  const error = earlierError(history.error, reported);
  return error === undefined ? merged : { ...merged, error };
}

/** The error reported with the earliest failure that has one; at the same moment the smaller, so that order cannot matter. */
function earlierError(a: DatedError | undefined, b: DatedError | undefined): DatedError | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.at !== b.at) return a.at < b.at ? a : b;
  if (a.code !== b.code) return a.code < b.code ? a : b;
  return a.message <= b.message ? a : b;
}

/**
 * The one status to show. A message that reached the phone was delivered, whatever a crossing `failed` says
 * (Meta's partners report `delivered` after `failed`); short of that a failure wins over `sent`.
 */
export function currentStatus(history: StatusHistory): MetaStatus | null {
  if (history.playedAt !== undefined) return "played";
  if (history.readAt !== undefined) return "read";
  if (history.deliveredAt !== undefined) return "delivered";
  if (history.failedAt !== undefined) return "failed";
  if (history.sentAt !== undefined) return "sent";
  return null;
}
