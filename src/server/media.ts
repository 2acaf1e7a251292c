import type { FunctionReturnType } from "convex/server";
import { parseMediaLink } from "#shared/media-link";
import { cleanText } from "#shared/text";
import { HOUR_MS, SECOND_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import { AppError, BackendUnavailable } from "./app-error";
import { queryAs } from "./convex";
import type { Identity } from "./identity";
import { errorResponse } from "./route";

const SERVICE: Identity = { use: "service" };

/** How long a browser may show a file without asking whether it may still be seen. */
const CACHE_MS_MAX = HOUR_MS;

/**
 * Types that a browser shows without running anything in them. Everything else is saved instead of shown, and nothing
 * that could be a page or a script keeps its type. PDF is saved, because the sandbox keeps viewers from showing it.
 */
const SHOWN_TYPES: ReadonlySet<string> = new Set([
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "video/mp4",
  "video/3gpp",
  "audio/aac",
  "audio/amr",
  "audio/mpeg",
  "audio/mp4",
  "audio/ogg",
  "text/plain",
]);
/** Types that are named truly although they are saved, so that the right program opens them. */
const SAVED_TYPES = /^application\/(pdf|msword|zip|vnd\.(ms-|openxmlformats-officedocument\.)[a-z.-]+)$/;
const UNKNOWN_TYPE = "application/octet-stream";

/** A link that opens nothing: forged, over, of somebody who left, or of a file that is gone. All get the same answer. */
const notFound = (): Response => errorResponse("media", AppError.of("not_found"));

type OpenedMedia = NonNullable<FunctionReturnType<typeof api.media.open>>;

/**
 * `GET|HEAD /api/media/{id}?p&e&s`: the file of a message. The backend verifies the link and asks again whether its
 * principal may read the message; the bytes are passed on as they come, one range of them if that was asked for.
 */
export async function serveMedia(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const link = parseMediaLink(pathname.split("/").at(-1) ?? "", searchParams);
  if (link === null) return notFound();
  const now = Date.now();
  const media = await queryAs(SERVICE, api.media.open, { ...link, now });
  if (media === null) return notFound();
  const headers = headersOf(media, Math.min(link.expiresAt - now, CACHE_MS_MAX));
  const etag = headers.get("etag");
  if (matchesTag(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  if (request.method === "HEAD") {
    headers.set("content-length", String(media.bytes));
    return new Response(null, { headers });
  }
  const ifRange = request.headers.get("if-range");
  const range = ifRange === null || ifRange === etag ? request.headers.get("range") : null;
  return await passOn(media.url, range, headers, request.signal);
}

function headersOf({ mime, filename, etag }: OpenedMedia, cacheMs: number): Headers {
  const type = mime.split(";")[0]?.trim().toLowerCase() ?? "";
  const isShown = SHOWN_TYPES.has(type);
  const shownType = type === "text/plain" ? "text/plain; charset=utf-8" : mime;
  return new Headers({
    "content-type": isShown ? shownType : SAVED_TYPES.test(type) ? type : UNKNOWN_TYPE,
    "content-disposition": dispositionOf(isShown ? "inline" : "attachment", filename),
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": `private, max-age=${Math.floor(cacheMs / SECOND_MS)}`,
    "accept-ranges": "bytes",
    etag: `"${etag}"`,
  });
}

/** RFC 6266: a plain name for old readers, and the whole one encoded by RFC 8187. */
function dispositionOf(kind: "inline" | "attachment", filename: string | undefined): string {
  if (filename === undefined) return kind;
  const plain = filename.replace(/[^\x20-\x7e]|["\\%;/]/g, "_");
  const whole = encodeURIComponent(cleanText(filename)).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${whole}`;
}

function matchesTag(header: string | null, etag: string | null): boolean {
  if (header === null || etag === null) return false;
  return header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag || tag.trim() === "*");
}

const PASSED_HEADERS = ["content-length", "content-range"];

async function passOn(
  url: string,
  range: string | null,
  headers: Headers,
  signal: AbortSignal,
): Promise<Response> {
  let file: Response;
  try {
    file = await fetch(url, {
      headers: range === null ? {} : { range },
      redirect: "error",
      cache: "no-store",
      signal,
    });
  } catch (error) {
    throw new BackendUnavailable(error instanceof Error ? error.message : "");
  }
  if (file.status === 404) return notFound();
  if (file.status !== 200 && file.status !== 206 && file.status !== 416) {
    throw new BackendUnavailable(`The file store answered ${file.status}.`);
  }
  for (const name of PASSED_HEADERS) {
    const value = file.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(file.status === 416 ? null : file.body, { status: file.status, headers });
}
