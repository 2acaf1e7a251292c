import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { parseJson } from "../json";
import type { JsonValue } from "../types";
import { HttpError } from "./http-error";

/** 16 MiB of arguments (Convex's limit) and room for the path and format around them. */
export const CALL_BYTES_MAX = 17 * 1024 * 1024;
/** 32 MiB of code per deployment (Convex's limit), twice for source maps, twice again for JSON escapes. */
export const PUSH_BYTES_MAX = 128 * 1024 * 1024;

/** The bytes of the request after its Content-Encoding, at most `bytesMax` of them; more is a 413. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = () =>
    new HttpError(413, "RequestTooLarge", `The request body is larger than ${bytesMax} bytes.`, {
      // The rest of the body is not read, so the connection cannot carry another request.
      connection: "close",
    });
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) {
    throw tooLarge();
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const source = decoded(request);
  try {
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > bytesMax) {
        throw tooLarge();
      }
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof HttpError) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, "BadBody", `The request body could not be read: ${reason}.`, {
      connection: "close",
    });
  }
  return Buffer.concat(chunks, size);
}

function decoded(request: IncomingMessage): Readable {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const decoder = {
    identity: () => null,
    br: createBrotliDecompress,
    gzip: createGunzip,
    deflate: createInflate,
  }[encoding];
  if (decoder === undefined) {
    throw new HttpError(415, "UnsupportedEncoding", `Content-Encoding ${encoding} is not supported.`);
  }
  const stream = decoder();
  if (stream === null) {
    return request;
  }
  request.on("error", (error) => stream.destroy(error));
  return request.pipe(stream);
}

/** Reads a JSON body; an empty one counts as `{}`. */
export async function readJsonBody(request: IncomingMessage, bytesMax: number): Promise<JsonValue> {
  const text = (await readBody(request, bytesMax)).toString("utf8");
  return text === "" ? {} : parseJson(text, "The request body");
}
