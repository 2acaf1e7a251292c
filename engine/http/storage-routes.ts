import { pipeline } from "node:stream/promises";
import { EngineError } from "../errors";
import type { FileStore, ServedFile } from "../files/file-store";
import { answerJson, type Exchange } from "./answer";
import { parseRange } from "./byte-range";
import { HttpError } from "./http-error";

/** A file never changes under its URL, so that a browser may keep it for the 30 days that Convex names. */
const CACHE_CONTROL = "private, max-age=2592000";

/** `POST /api/storage/upload?token=...`: the body as it is; answers the id of the new file. */
export async function uploadFile(exchange: Exchange, files: FileStore): Promise<void> {
  const { request, url } = exchange;
  const component = files.uploadTarget(url.searchParams.get("token") ?? "");
  if (component === null) {
    // Without the body being read, the connection cannot carry another request.
    throw new HttpError(401, "StorageTokenInvalid", "The upload URL is not valid, or an hour has passed.", {
      connection: "close",
    });
  }
  const sha256 = sha256OfDigest(request.headers["digest"]);
  const storageId = await files.storeStream({
    source: request,
    component,
    contentType: request.headers["content-type"] ?? null,
    ...(sha256 === undefined ? {} : { sha256 }),
  });
  answerJson(exchange, 200, { storageId });
}

/** The sha-256 of a Digest header (RFC 3230), as base64. Other algorithms are not checked. */
function sha256OfDigest(header: string | string[] | undefined): string | undefined {
  const digests = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",");
  for (const digest of digests) {
    const equals = digest.indexOf("=");
    if (equals > 0 && digest.slice(0, equals).trim().toLowerCase() === "sha-256") {
      return digest.slice(equals + 1).trim();
    }
  }
  return undefined;
}

/** `GET|HEAD /api/storage/{token}`: the bytes, or one range of them. Who has the URL may read. */
export async function serveFile(exchange: Exchange, files: FileStore): Promise<void> {
  const { request, response, url } = exchange;
  const file = files.served(url.pathname.slice("/api/storage/".length));
  if (file === null) {
    throw new HttpError(404, "FileNotFound", "There is no file at this URL, or it was deleted.");
  }
  const headers = fileHeaders(file);
  if (request.headers["if-none-match"] === headers.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const isCurrent = (request.headers["if-range"] ?? headers.etag) === headers.etag;
  const range = isCurrent ? parseRange(request.headers.range, file.size) : null;
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${file.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    "content-length": end - start + 1,
    ...(range === null ? {} : { "content-range": `bytes ${start}-${end}/${file.size}` }),
  });
  if (request.method === "HEAD" || file.size === 0) {
    response.end();
    return;
  }
  await pipeline(file.stream(start, end), wholly(end - start + 1), response);
}

/** Passes bytes on and fails where fewer than `size` came: a blob that was cut must not look like a whole answer. */
const wholly = (size: number) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let passed = 0;
    for await (const chunk of source) {
      passed += chunk.byteLength;
      yield chunk;
    }
    if (passed !== size) {
      throw new EngineError(
        "internal",
        "FileDamaged",
        `A stored file has ${passed} bytes instead of ${size}.`,
      );
    }
  };

function fileHeaders(file: ServedFile) {
  return {
    "content-type": file.contentType ?? "application/octet-stream",
    "cache-control": CACHE_CONTROL,
    "accept-ranges": "bytes",
    digest: `sha-256=${file.sha256Base64}`,
    etag: `"${file.sha256Base64}"`,
    // The type is what the uploader said; the browser must not guess a livelier one.
    "x-content-type-options": "nosniff",
  };
}
