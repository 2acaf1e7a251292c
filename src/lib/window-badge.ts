import { WINDOW_SAFETY_MS } from "#shared/domain/window";
import { HOUR_MS, MINUTE_MS } from "#shared/time";

/** How urgent an answer is: `open` above 4 hours, `soon` up to 4 hours, `ending` below 30 minutes, `closed`. */
export type WindowTone = "open" | "soon" | "ending" | "closed";

export interface WindowBadgeText {
  readonly tone: WindowTone;
  /** A few characters: "23 h", "3 h 05 min", "12 min", "Closed". */
  readonly label: string;
  /** A sentence for those who hover or listen. */
  readonly description: string;
}

const SOON_MS = 4 * HOUR_MS;
const ENDING_MS = 30 * MINUTE_MS;

/**
 * What a reply window looks like at `now` (ms). The countdown ends when sending ends, a safety margin before Meta's
 * own end, so that "1 min" means that there is a minute to answer.
 */
export function windowBadge(expiresAt: number | null | undefined, now: number): WindowBadgeText {
  if (expiresAt === undefined || expiresAt === null) {
    return { tone: "closed", label: "Closed", description: "This customer has not written yet." };
  }
  const leftMs = expiresAt - WINDOW_SAFETY_MS - now;
  if (leftMs <= 0) return { tone: "closed", label: "Closed", description: "The reply window is closed." };
  const label = duration(leftMs);
  return { tone: tone(leftMs), label, description: `The reply window closes in ${label}.` };
}

function tone(leftMs: number): WindowTone {
  if (leftMs > SOON_MS) return "open";
  return leftMs < ENDING_MS ? "ending" : "soon";
}

/** Minutes are rounded up, so that the last one reads "1 min" and never "0 min". */
function duration(leftMs: number): string {
  const minutes = Math.ceil(leftMs / MINUTE_MS);
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${minutes} min`;
  if (leftMs > SOON_MS || rest === 0) return `${hours} h`;
  return `${hours} h ${String(rest).padStart(2, "0")} min`;
}
