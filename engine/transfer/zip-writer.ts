import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

export type ZipContent = Readable | AsyncIterable<Uint8Array | string>;

/** Writes a ZIP entry by entry into a stream, with one entry's chunk in memory at a time. */
export class ZipWriter {
  readonly #zip = new ZipFile();
  readonly #output: Writable;
  readonly #mtime: Date;
  readonly #failed: Promise<never>;
  readonly #written: Promise<void>;

  /** @param nowMs what every entry says about its time */
  constructor(output: Writable, nowMs: number) {
    this.#output = output;
    this.#mtime = new Date(nowMs);
    this.#failed = new Promise((_, reject) => this.#zip.once("error", reject));
    this.#written = pipeline(this.#zip.outputStream, output);
    // Both are awaited by whoever adds or ends; until then a failure must not end the process.
    this.#failed.catch(() => undefined);
    this.#written.catch(() => undefined);
  }

  /** Resolves when the whole content is in. Bytes that are compressed already are better only stored. */
  async add(name: string, content: ZipContent, compress = true): Promise<void> {
    const source = content instanceof Readable ? content : Readable.from(content, { objectMode: false });
    const ended = new Promise<void>((resolve, reject) => {
      source.once("end", resolve);
      source.once("error", reject);
    });
    this.#zip.addReadStream(source, name, { mtime: this.#mtime, mode: 0o100644, compress });
    try {
      await Promise.race([ended, this.#failed, this.#written]);
    } finally {
      source.destroy();
    }
  }

  /** Writes the directory at the end and waits until everything went out. */
  async end(): Promise<void> {
    this.#zip.end();
    await Promise.race([this.#written, this.#failed]);
  }

  /** Breaks off; the output is destroyed. */
  async abort(): Promise<void> {
    this.#output.destroy();
    await this.#written.catch(() => undefined);
  }
}

/**
 * Writes a ZIP file and gives it its name when it is whole and on disk: whoever looks finds all of it or nothing.
 * Throws what `write` throws; nothing is left behind then.
 */
export async function writeZipFile(
  target: string,
  nowMs: number,
  write: (zip: ZipWriter) => Promise<void>,
): Promise<void> {
  const partial = `${target}.partial`;
  const zip = new ZipWriter(createWriteStream(partial, { mode: 0o600 }), nowMs);
  try {
    await write(zip);
    await zip.end();
    await placeFile(partial, target);
  } catch (error) {
    await zip.abort();
    await rm(partial, { force: true });
    throw error;
  }
}

/** Renames a file that is written to its final name, so that both survive a power cut (fsync(2)). */
export async function placeFile(partial: string, target: string): Promise<void> {
  await syncPath(partial);
  await rename(partial, target);
  await syncPath(path.dirname(target));
}

/** Waits until a file, or the entries of a folder, are on disk. */
export async function syncPath(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
