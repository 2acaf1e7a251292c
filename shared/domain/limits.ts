import { DAY_MS, MINUTE_MS, SECOND_MS } from "../time";

/** Largest webhook body that is read. Meta documents up to 3 MB per delivery; the rest is room for escaping. */
export const WEBHOOK_BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Total time of one Graph call, from connecting to the last byte of the answer. Meta answers sends within seconds. */
export const GRAPH_DEADLINE_MS = 20 * SECOND_MS;

/** How long a claimed send belongs to its worker: the deadline of the call and time to write the outcome down. */
export const SEND_LEASE_MS = GRAPH_DEADLINE_MS + 15 * SECOND_MS;

/** How often a send is tried when it provably did not reach Meta. */
export const SEND_ATTEMPTS_MAX = 5;

/** A send with an unknown outcome holds back the later ones of its conversation this long, hoping for its status. */
export const UNKNOWN_HOLD_MS = 30 * SECOND_MS;

/**
 * After this a send of unknown outcome is shown as one that may have been sent, and a person may decide about it.
 * Statuses come within seconds; two minutes leave Meta time for a disturbance.
 */
export const UNKNOWN_BADGE_MS = 2 * MINUTE_MS;

/** The same text to the same customer by the same sender within this time is taken for an accident. */
export const DUPLICATE_GUARD_MS = MINUTE_MS;

/** Client request ids: 1 to 64 printable ASCII characters, enough for a UUID with a prefix. */
export const CLIENT_REQUEST_ID_FORM = /^[\x21-\x7e]{1,64}$/;

/** Rows of one page of a list, unless asked for fewer. */
export const PAGE_ROWS_MAX = 100;
export const PAGE_ROWS_DEFAULT = 25;

/**
 * How long a status, reaction, edit or revocation waits for its message. Meta repeats webhooks for up to 7 days, so
 * nothing later can explain it.
 */
export const PARKED_MS = 7 * DAY_MS;
