import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Clock } from "../clock";
import type { Blobs } from "./blobs";

/** Blobs that live as long as the process: for an engine that keeps nothing on disk. */
export function createMemoryBlobs(clock: Clock): Blobs {
  const blobs = new Map<string, Buffer>();

  const bytesOf = (name: string): Buffer => {
    const bytes = blobs.get(name);
    if (bytes === undefined) {
      // Told by its code, as a missing file is.
      throw Object.assign(new Error(`There is no blob ${name}.`), { code: "ENOENT" });
    }
    return bytes;
  };

  return {
    async write(source) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) {
        chunks.push(chunk);
      }
      const bytes = Buffer.concat(chunks);
      const name = Buffer.from(clock.randomBytes(16)).toString("hex");
      blobs.set(name, bytes);
      const sha256Base64 = createHash("sha256").update(bytes).digest("base64");
      return { name, size: bytes.byteLength, sha256Base64 };
    },
    read: async (name) => bytesOf(name),
    stream: (name, start, end) => Readable.from([bytesOf(name).subarray(start, end + 1)]),
    open: (name) => Readable.from([bytesOf(name)]),
    async remove(name) {
      blobs.delete(name);
    },
    sweep: async () => 0,
  };
}
