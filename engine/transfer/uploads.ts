import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../clock";
import { developerError } from "../errors";
import { isMissing } from "../files/blobs";

/** As on Convex, where the parts of one upload are numbered from 1. */
const PARTS_MAX = 10_000;
/** An upload that was not finished by then is given up when the next one begins. */
const ABANDONED_AFTER_MS = 24 * 60 * 60_000;

/**
 * Files that the CLI sends in parts: each part is a file of its own until `finish` puts them together. Whatever lies
 * here when the engine starts belonged to nobody any more.
 */
export class Uploads {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #startedMs = new Map<string, number>();

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async open(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true });
  }

  /** Answers the token that names the upload from now on. */
  async start(): Promise<string> {
    for (const [token, startedMs] of this.#startedMs) {
      if (this.#clock.nowMs() - startedMs > ABANDONED_AFTER_MS) {
        await this.remove(token);
      }
    }
    const token = Buffer.from(this.#clock.randomBytes(16)).toString("hex");
    await mkdir(path.join(this.#folder, token), { mode: 0o700 });
    this.#startedMs.set(token, this.#clock.nowMs());
    return token;
  }

  /** Stores one part; a part that is sent again replaces the earlier one. Answers the token of the part. */
  async part(token: string, partNumber: number, source: AsyncIterable<Uint8Array>): Promise<string> {
    const folder = this.#require(token);
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > PARTS_MAX) {
      throw developerError("InvalidPart", `The parts of an upload are numbered from 1 to ${PARTS_MAX}.`);
    }
    const hash = createHash("sha256");
    const file = path.join(folder, `part-${partNumber}`);
    await pipeline(
      source,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600 }),
    );
    const name = `${partNumber}-${hash.digest("hex")}`;
    await rename(file, path.join(folder, name));
    return name;
  }

  /** Puts the parts together in the order of their tokens; answers the file. */
  async finish(token: string, partTokens: readonly string[]): Promise<string> {
    const folder = this.#require(token);
    const file = path.join(folder, "whole");
    for (const [index, part] of partTokens.entries()) {
      if (!/^\d+-[0-9a-f]{64}$/.test(part)) {
        throw developerError("InvalidPart", `The token of part ${index + 1} is not one of this upload.`);
      }
      const partFile = path.join(folder, part);
      try {
        await stat(partFile);
      } catch (error) {
        throw isMissing(error)
          ? developerError("InvalidPart", `Part ${index + 1} of the upload is missing.`)
          : error;
      }
      await pipeline(createReadStream(partFile), createWriteStream(file, { flags: "a", mode: 0o600 }));
      await rm(partFile);
    }
    if (partTokens.length === 0) {
      await pipeline([], createWriteStream(file, { mode: 0o600 }));
    }
    for (const leftover of await readdir(folder)) {
      if (leftover !== "whole") {
        await rm(path.join(folder, leftover), { force: true });
      }
    }
    // From here on an import owns the file.
    this.#startedMs.delete(token);
    return file;
  }

  async remove(token: string): Promise<void> {
    this.#startedMs.delete(token);
    await rm(path.join(this.#folder, token), { recursive: true, force: true });
  }

  #require(token: string): string {
    if (!this.#startedMs.has(token)) {
      throw developerError("UploadNotFound", "This upload is not known here: begin it again.");
    }
    return path.join(this.#folder, token);
  }
}
