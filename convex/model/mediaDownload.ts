import { toBase64Url, toHex } from "#shared/bytes";
import { MINUTE_MS } from "#shared/time";
import type { GraphClient, ReadResult } from "#shared/whatsapp/client";
import { MEDIA_BYTES_MAX } from "#shared/whatsapp/media-kinds";
import { setting } from "./env";

/** Where Meta serves media, unless META_MEDIA_HOSTS names other hosts (the simulator). */
const MEDIA_HOST_DEFAULT = "lookaside.fbsbx.com";

/** Hosts on which plain http is taken, because nothing leaves the machine. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

export type Downloaded =
  | { ok: true; bytes: Uint8Array; mime?: string }
  /** `final`: no later attempt can succeed. */
  | { ok: false; reason: string; final: boolean };

/** Total time of one download: 100 MB at half a megabyte per second. */
export const DOWNLOAD_DEADLINE_MS = 4 * MINUTE_MS;

/** A link that is too old or not yet known is answered with one of these; a fresh one may work. */
const STALE_LINK = new Set(["http_401", "http_403", "http_404"]);

/**
 * Fetches one file by its media id and checks size and digest. Links live for 5 minutes, so each attempt asks for one,
 * and once more when it turns out to be too old. Needs no database, so it runs in any action.
 */
export async function downloadMedia(
  client: GraphClient,
  graphMediaId: string,
  sha256: string | undefined,
): Promise<Downloaded> {
  const first = await downloadOnce(client, graphMediaId, sha256);
  return !first.ok && STALE_LINK.has(first.reason) ? await downloadOnce(client, graphMediaId, sha256) : first;
}

async function downloadOnce(
  client: GraphClient,
  graphMediaId: string,
  sha256: string | undefined,
): Promise<Downloaded> {
  const info = await client.getMedia(graphMediaId);
  if (!info.ok) return failedRead(info);
  const { url, bytes: size, mimeType } = info.value;
  if (!URL.canParse(url)) return { ok: false, reason: "unreadable", final: false };
  // The link gets the access token, so it must lead to a host that the deployment trusts with it.
  if (!isMediaLink(new URL(url))) return { ok: false, reason: "host_refused", final: true };
  if (size !== undefined && size > MEDIA_BYTES_MAX) return { ok: false, reason: "too_large", final: true };
  const file = await client.downloadMedia(url, size ?? MEDIA_BYTES_MAX);
  if (!file.ok) {
    // More bytes than were announced: not the file that Meta spoke of.
    if (file.reason !== "answer_too_large") return failedRead(file);
    return { ok: false, reason: size === undefined ? "too_large" : "wrong_size", final: size === undefined };
  }
  if (size !== undefined && file.value.length !== size)
    return { ok: false, reason: "wrong_size", final: false };
  if (!(await hasDigest(file.value, [sha256, info.value.sha256]))) {
    return { ok: false, reason: "wrong_digest", final: false };
  }
  return { ok: true, bytes: file.value, ...(mimeType !== undefined && { mime: mimeType }) };
}

function failedRead({ reason, error }: Extract<ReadResult<unknown>, { ok: false }>): Downloaded {
  // Meta says with code 100 that the id is gone or never was this account's; everything else may pass.
  return { ok: false, reason, final: error?.code === 100 };
}

function isMediaLink(url: URL): boolean {
  if (url.protocol !== "https:" && !(url.protocol === "http:" && LOOPBACK_HOSTS.has(url.hostname)))
    return false;
  const hosts = (setting("META_MEDIA_HOSTS") ?? MEDIA_HOST_DEFAULT).split(",").map((host) => host.trim());
  return url.username === "" && hosts.includes(url.host);
}

/** Whether the bytes have every digest that was stated: base64 in webhooks, hex from the API. */
async function hasDigest(bytes: Uint8Array, stated: readonly (string | undefined)[]): Promise<boolean> {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  const forms = [toHex(digest), toBase64Url(digest)];
  return stated.every((text) => text === undefined || forms.includes(plainDigest(text)));
}

function plainDigest(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
