import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { developerError } from "../errors";

/** Entries of one ZIP: a file each, and far above what anybody stores on one machine. */
const ENTRIES_MAX = 1_000_000;

/**
 * A ZIP file that somebody sent. Every entry is read as a stream and its size and checksum are compared with what the
 * ZIP says. Throws developer errors `InvalidZip`.
 */
export class ZipReader {
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  static async open(file: string): Promise<ZipReader> {
    let zip: ZipFile | null = null;
    try {
      zip = await openPromise(file, { autoClose: false, validateEntrySizes: true });
      const entries = new Map<string, Entry>();
      for await (const entry of zip.eachEntry()) {
        if (entries.has(entry.fileName)) {
          throw invalidZip(`the entry ${entry.fileName} appears twice`);
        }
        if (entries.size >= ENTRIES_MAX) {
          throw invalidZip(`it has more than ${ENTRIES_MAX} entries`);
        }
        entries.set(entry.fileName, entry);
      }
      return new ZipReader(zip, entries);
    } catch (error) {
      zip?.close();
      throw asInvalidZip(error);
    }
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  async *read(name: string): AsyncGenerator<Buffer> {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      throw invalidZip(`it has no entry ${name}`);
    }
    let stream: Readable | null = null;
    let checksum = 0;
    try {
      stream = await this.#zip.openReadStreamPromise(entry);
      for await (const chunk of stream) {
        const bytes = Buffer.from(chunk);
        checksum = crc32(bytes, checksum);
        yield bytes;
      }
    } catch (error) {
      throw asInvalidZip(error, name);
    } finally {
      stream?.destroy();
    }
    if (checksum !== entry.crc32) {
      throw invalidZip(`the checksum of ${name} is wrong`);
    }
  }

  close(): void {
    this.#zip.close();
  }
}

const invalidZip = (reason: string) => developerError("InvalidZip", `The ZIP file is damaged: ${reason}.`);

/** The library's errors tell of the file's contents; those of the system have a code. */
function asInvalidZip(error: unknown, name?: string): unknown {
  const isSystem = error instanceof Error && "code" in error && !String(error.code).startsWith("Z_");
  if (!(error instanceof Error) || isSystem) {
    return error;
  }
  const reason = error.message.replace(/\.$/, "");
  return invalidZip(name === undefined ? reason : `${name}: ${reason}`);
}
