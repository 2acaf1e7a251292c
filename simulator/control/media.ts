import type { ReceivedRequest, Reply } from "../http";
import type { Simulation } from "../simulation";
import { problem } from "./answers";

/**
 * The bytes of a file for the page, which has no token: all of them, or the part that a player asks for to find out
 * how long a recording is. Only the type that the simulator knows, never sniffed, and never run as a page.
 */
export function mediaBytes(simulation: Simulation, id: string, { headers }: ReceivedRequest): Reply {
  const media = simulation.world.media.get(id);
  if (media === undefined) return problem(404, "", "There is no such file.");
  const { bytes } = media;
  const shared = {
    "content-type": media.mimeType,
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox",
    "accept-ranges": "bytes",
  };
  const range = rangeOf(headers.range, bytes.length);
  if (range === null) return { status: 200, headers: shared, body: bytes };
  const { first, last } = range;
  return {
    status: 206,
    headers: { ...shared, "content-range": `bytes ${first}-${last}/${bytes.length}` },
    body: bytes.subarray(first, last + 1),
  };
}

/** The part that `Range: bytes=first-last` names; null for none, for several and for one that is not there. */
function rangeOf(header: string | undefined, length: number): { first: number; last: number } | null {
  const [, from, to] = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header ?? "") ?? [];
  const first = Number(from ?? length);
  const last = Math.min(Number(to ?? length - 1), length - 1);
  return first <= last ? { first, last } : null;
}
