import { believableTimeMs, HOUR_MS, MINUTE_MS } from "../time";

/** Free-form messages are allowed for 24 hours after the customer's latest message (Meta: "Customer service windows"). */
export const SERVICE_WINDOW_MS = 24 * HOUR_MS;

/** Sending stops this long before the window ends, because Meta decides by its own clock when the message arrives. */
export const WINDOW_SAFETY_MS = MINUTE_MS;

/**
 * The end of the window after a customer's message, in milliseconds. Messages arrive in any order, so the end only
 * ever moves forward. `messageAt` is Meta's time of the message; a time far in the future is not believed.
 */
export function windowAfterMessage(expiresAt: number | null, messageAt: number, now: number): number {
  return Math.max(expiresAt ?? 0, believableTimeMs(messageAt, now) + SERVICE_WINDOW_MS);
}

/** Where a window ends (ms), and what the customer did that moved it there. */
export interface WindowEnd {
  readonly expiresAt: number;
  readonly source?: { readonly wamid: string; readonly kind: "message" | "reaction" | "call" };
}

/** The later of two ends; of two at the same moment the one of the greater id, so that any order gives the same. */
export function laterWindow(known: WindowEnd | null, next: WindowEnd): WindowEnd {
  if (known === null || next.expiresAt > known.expiresAt) return next;
  const greater = (next.source?.wamid ?? "") > (known.source?.wamid ?? "");
  return next.expiresAt === known.expiresAt && greater ? next : known;
}

/** Whether the window is open at `now`; at the very millisecond of its end it is closed. */
export function isWindowOpen(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && now < expiresAt;
}

/** Whether a free-form message may still leave: the window is open and stays open for the safety margin. */
export function mayStillSend(expiresAt: number | null, now: number): boolean {
  return expiresAt !== null && now < expiresAt - WINDOW_SAFETY_MS;
}
