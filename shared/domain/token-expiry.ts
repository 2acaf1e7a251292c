import { DAY_MS } from "../time";

/**
 * The days before the end of an access token at which it is told, each once: to plan, to act, and the last call. Meta
 * gives a person's token 60 days and its access to data 90.
 */
export const TOKEN_WARNING_DAYS = [14, 7, 1] as const;
export type TokenWarningDays = (typeof TOKEN_WARNING_DAYS)[number];

/**
 * When an access token ends (ms), as Meta's `debug_token` says: the token itself, and its access to data, after which it
 * reads nothing although it is valid. What is absent has no end.
 */
export interface TokenEnds {
  readonly expiresAt?: number | undefined;
  readonly dataAccessExpiresAt?: number | undefined;
}

/** The end that comes first, or null for a token that lasts. */
export function firstEnd({ expiresAt, dataAccessExpiresAt }: TokenEnds): number | null {
  const ends = [expiresAt, dataAccessExpiresAt].filter((end) => end !== undefined);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** The latest warning that is due for an end (ms), or null while there is time, and when it is over. */
export function warningDue(endsAt: number, now: number): TokenWarningDays | null {
  if (endsAt <= now) return null;
  return TOKEN_WARNING_DAYS.findLast((days) => endsAt - now < days * DAY_MS) ?? null;
}
