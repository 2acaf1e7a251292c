/**
 * The raw bytes of a request's (or an answer's) body, or null as soon as it is known to be larger than `bytesMax`: by its declared
 * length before anything is read, otherwise when the limit is crossed. What is left of a larger body is not read.
 */
export async function readBody(
  request: Pick<Request, "headers" | "body">,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > bytesMax) return null;
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > bytesMax) return null;
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}
