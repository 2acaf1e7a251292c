import { toBase64Url, toHex } from "#shared/bytes";
import type { GraphClient, ReadResult } from "#shared/whatsapp/client";
import { setting } from "./env";

/** Meta's largest file is a document of 100 MB ("Supported media types"). */
export const MEDIA_BYTES_MAX = 100 * 1024 * 1024;

/** Where Meta serves media, unless META_MEDIA_HOSTS names other hosts (the simulator). */
const MEDIA_HOST_DEFAULT = "lookaside.fbsbx.com";

/** Hosts on which plain http is taken, because nothing leaves the machine. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

export type Downloaded =
  | { ok: true; bytes: Uint8Array; mime?: string }
  /** `final`: no later attempt can succeed. */
  | { ok: false; reason: string; final: boolean };

/** Fetches one file by its media id and checks size and digest. Needs no database, so it runs in any action. */
export async function downloadMedia(
  client: GraphClient,
  graphMediaId: string,
  sha256: string | undefined,
): Promise<Downloaded> {
  const info = await client.getMedia(graphMediaId);
  if (!info.ok) return failedRead(info);
  const { url, bytes: size, mimeType } = info.value;
  // The link gets the access token, so it must lead to a host that the deployment trusts with it.
  if (!isMediaLink(url)) return { ok: false, reason: "host_refused", final: true };
  if (size !== undefined && size > MEDIA_BYTES_MAX) return { ok: false, reason: "too_large", final: true };
  const file = await client.downloadMedia(url, MEDIA_BYTES_MAX);
  if (!file.ok)
    return file.reason === "answer_too_large"
      ? { ...file, reason: "too_large", final: true }
      : failedRead(file);
  if (!(await hasDigest(file.value, [sha256, info.value.sha256]))) {
    return { ok: false, reason: "wrong_digest", final: false };
  }
  return { ok: true, bytes: file.value, ...(mimeType !== undefined && { mime: mimeType }) };
}

function failedRead({ reason, error }: Extract<ReadResult<unknown>, { ok: false }>): Downloaded {
  // Meta says with code 100 that the id is gone or never was this account's; everything else may pass.
  return { ok: false, reason, final: error?.code === 100 };
}

function isMediaLink(link: string): boolean {
  let url: URL;
  try {
    url = new URL(link);
  } catch {
    return false;
  }
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
