import { createHash } from "node:crypto";
import type { MediaType } from "#shared/whatsapp/webhook-types";
import type { Simulation } from "../simulation";
import type { StoredMedia } from "../world";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Meta keeps what a customer sent for 7 days and what the business uploaded for 30. */
const LIFETIME_MS = { customer: 7 * DAY_MS, business: 30 * DAY_MS } as const;
/** Files that are kept, and their bytes: room for two of Meta's largest documents. The oldest go first. */
const FILES_MAX = 2_000;
const FILES_BYTES_MAX = 200 * 1024 * 1024;
/** A link works for five minutes. */
const LINK_LIFETIME_MS = 5 * 60 * 1000;

export const DOWNLOAD_PATH = "/whatsapp_business/attachments/";

/** Stores a file under a new media id. */
export function storeMedia(
  simulation: Simulation,
  owner: keyof typeof LIFETIME_MS,
  file: { type: MediaType; mimeType: string; bytes: Buffer; filename?: string },
): StoredMedia {
  const media: StoredMedia = {
    ...file,
    id: simulation.ids.digits("media", 16),
    sha256Hex: createHash("sha256").update(file.bytes).digest("hex"),
    expiresAt: simulation.clock.now() + LIFETIME_MS[owner],
  };
  const files = simulation.world.media;
  files.set(media.id, media);
  let bytes = [...files.values()].reduce((sum, kept) => sum + kept.bytes.length, 0);
  for (const oldest of files.values()) {
    if (oldest === media || (files.size <= FILES_MAX && bytes <= FILES_BYTES_MAX)) break;
    files.delete(oldest.id);
    bytes -= oldest.bytes.length;
  }
  return media;
}

/** The file of an id while it lives. */
export function liveMedia(simulation: Simulation, id: string): StoredMedia | undefined {
  const media = simulation.world.media.get(id);
  return media !== undefined && media.expiresAt > simulation.clock.now() ? media : undefined;
}

/** A link to a file, which works for five minutes from now and only with the access token. */
export function mediaLink(simulation: Simulation, media: StoredMedia): string {
  const expires = Math.floor((simulation.clock.now() + LINK_LIFETIME_MS) / 1000);
  const query = new URLSearchParams({
    mid: media.id,
    ext: String(expires),
    hash: linkHash(simulation, media.id, expires),
  });
  return `${simulation.baseUrl}${DOWNLOAD_PATH}?${query}`;
}

/** The file that a link names, or undefined when the link is not ours, too old, or its file is gone. */
export function linkedMedia(simulation: Simulation, query: URLSearchParams): StoredMedia | undefined {
  const id = query.get("mid") ?? "";
  const expires = Number(query.get("ext"));
  if (query.get("hash") !== linkHash(simulation, id, expires)) return undefined;
  if (expires * 1000 <= simulation.clock.now()) return undefined;
  return liveMedia(simulation, id);
}

function linkHash(simulation: Simulation, id: string, expires: number): string {
  return simulation.ids.digest(`link\n${id}\n${expires}`).slice(0, 32);
}
