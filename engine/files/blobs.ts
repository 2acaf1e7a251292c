import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Faults } from "../faults";

/** A blob whose bytes are on disk under its final name; nothing refers to it yet. */
export type StoredBlob = { name: string; size: number; sha256Base64: string };

/**
 * The bytes of files: one file per blob in `DIR/files`, named by 128 random bits. A blob is first written to
 * `DIR/files/incoming`, synced and renamed, so that a file under its final name is always whole.
 */
export interface Blobs {
  /** Throws what the source throws; nothing is left behind then. */
  write(source: AsyncIterable<Uint8Array>): Promise<StoredBlob>;
  read(name: string): Promise<Buffer>;
  /** Bytes `start` to `end`, both included. */
  stream(name: string, start: number, end: number): Readable;
  /** All bytes of a blob. */
  open(name: string): Readable;
  /** Does nothing when it is already gone. */
  remove(name: string): Promise<void>;
  /** Removes half-written uploads and every blob that `isKnown` denies; answers how many blobs that were. */
  sweep(isKnown: (name: string) => boolean): Promise<number>;
}

export async function openBlobs(dataDir: string, clock: Clock, faults: Faults | null = null): Promise<Blobs> {
  const folder = join(dataDir, "files");
  const incoming = join(folder, "incoming");
  await mkdir(incoming, { recursive: true });
  await syncFolder(dataDir);
  const pathOf = (name: string) => join(folder, name);

  const remove = async (path: string): Promise<void> => {
    try {
      await unlink(path);
    } catch (error) {
      if (!isMissing(error)) {
        throw error;
      }
    }
  };

  return {
    async write(source) {
      const name = Buffer.from(clock.randomBytes(16)).toString("hex");
      const temporary = join(incoming, name);
      const file = await open(temporary, "wx", 0o600).catch((error: unknown) => {
        throw unavailable(error);
      });
      try {
        const { size, sha256Base64 } = await copy(source, file, () =>
          faults?.at("upload_half_received", null),
        );
        await file.sync();
        await file.close();
        faults?.at("blob_before_rename", null);
        await rename(temporary, pathOf(name));
        await syncFolder(folder);
        return { name, size, sha256Base64 };
      } catch (error) {
        await file.close();
        await remove(temporary);
        await remove(pathOf(name));
        throw unavailable(error);
      }
    },
    read: (name) => readFile(pathOf(name)),
    stream: (name, start, end) => createReadStream(pathOf(name), { start, end }),
    open: (name) => createReadStream(pathOf(name)),
    remove: (name) => remove(pathOf(name)),
    async sweep(isKnown) {
      for (const name of await readdir(incoming)) {
        await remove(join(incoming, name));
      }
      const blobs = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
      const orphans = blobs.filter((entry) => !isKnown(entry.name));
      for (const orphan of orphans) {
        await remove(pathOf(orphan.name));
      }
      return orphans.length;
    },
  };
}

async function copy(
  source: AsyncIterable<Uint8Array>,
  file: FileHandle,
  onChunk: () => void,
): Promise<{ size: number; sha256Base64: string }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    await file.writeFile(chunk);
    size += chunk.byteLength;
    onChunk();
  }
  return { size, sha256Base64: hash.digest("base64") };
}

/** A rename is on disk only after its folder is (fsync(2)). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** What the system says when it takes no bytes for now: no room, a quota, a limit on file sizes, no right to write. */
const REFUSALS: ReadonlySet<string> = new Set([
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "EROFS",
  "EACCES",
  "EPERM",
  "EIO",
]);

/** The caller may try again where the disk refused; any other error stays what it is. */
const unavailable = (error: unknown): unknown =>
  error instanceof Error && "code" in error && typeof error.code === "string" && REFUSALS.has(error.code)
    ? new EngineError("overloaded", "DiskFull", `The disk does not take the file (${error.message}).`, {
        cause: error,
      })
    : error;
