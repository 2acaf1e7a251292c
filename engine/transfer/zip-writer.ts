import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

export type ZipContent = Readable | AsyncIterable<Uint8Array | string>;

/**
 * Writes a ZIP file entry by entry, with one entry's chunk in memory at a time, and puts it in its place when it is
 * whole and on disk: whoever looks finds all of it or nothing.
 */
export class ZipWriter {
  readonly #zip = new ZipFile();
  readonly #target: string;
  readonly #partial: string;
  readonly #mtime: Date;
  readonly #failed: Promise<never>;
  readonly #written: Promise<void>;

  /** @param nowMs what every entry says about its time */
  constructor(target: string, nowMs: number) {
    this.#target = target;
    this.#partial = `${target}.partial`;
    this.#mtime = new Date(nowMs);
    this.#failed = new Promise((_, reject) => this.#zip.once("error", reject));
    const { outputStream } = this.#zip;
    this.#written = pipeline(outputStream, createWriteStream(this.#partial, { mode: 0o600 }));
    // Both are awaited by whoever adds or finishes; until then a failure must not end the process.
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

  /** Ends the file, waits for the disk and gives it its name. */
  async finish(): Promise<void> {
    this.#zip.end();
    await Promise.race([this.#written, this.#failed]);
    await syncPath(this.#partial);
    await rename(this.#partial, this.#target);
    await syncPath(path.dirname(this.#target));
  }

  /** Takes back what was written so far. */
  async discard(): Promise<void> {
    this.#zip.outputStream.unpipe();
    if ("destroy" in this.#zip.outputStream && typeof this.#zip.outputStream.destroy === "function") {
      this.#zip.outputStream.destroy();
    }
    await this.#written.catch(() => undefined);
    await rm(this.#partial, { force: true });
  }
}

/** Waits until a file, or the entries of a folder, are on disk (fsync(2)). */
export async function syncPath(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
