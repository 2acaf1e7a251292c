import { existsSync, readFileSync, statSync } from "node:fs";

/** Sizes and fields of SQLite's write-ahead log (https://sqlite.org/fileformat2.html, 4.1). */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
/** Larger logs are not looked through: they would hold up the start. The engine cuts its log back long before. */
const CHECKED_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Looks through the log that a killed process left. SQLite takes the first frame that is broken for the end of the log
 * and forgets what comes after it: right where a power cut tore the last commit, but a silent loss where the log was
 * damaged later. The two can be told apart as long as whole commits follow the broken frame, because each of them was
 * synced before the next began. Answers what is wrong, or null.
 */
export function logDamage(file: string): string | null {
  if (!existsSync(file)) {
    return null;
  }
  const { size } = statSync(file);
  if (size <= HEADER_BYTES || size > CHECKED_BYTES_MAX) {
    return null;
  }
  const log = readFileSync(file);
  const magic = log.readUInt32BE(0);
  if ((magic & ~1) >>> 0 !== MAGIC) {
    return "it does not begin as a log does";
  }
  const checksum = new Checksum((magic & 1) === 1);
  checksum.add(log, 0, 24);
  if (!checksum.equals(log, 24)) {
    return "its beginning is broken";
  }
  return frameDamage(log, checksum, HEADER_BYTES);
}

function frameDamage(log: Buffer, checksum: Checksum, firstFrame: number): string | null {
  const salts = log.subarray(16, 24);
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8);
  let frame = 0;
  let brokenFrame: number | null = null;
  let commitsAfter = 0;
  for (let at = firstFrame; at + frameBytes <= log.length; at += frameBytes, frame += 1) {
    const isOurs = log.subarray(at + 8, at + 16).equals(salts);
    if (brokenFrame === null) {
      checksum.add(log, at, 8);
      checksum.add(log, at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES);
      if (!isOurs || !checksum.equals(log, at + 16)) {
        brokenFrame = frame;
      }
    }
    if (brokenFrame !== null && isOurs) {
      if (commitsAfter > 0) {
        return `frame ${brokenFrame} is broken, and whole commits follow it`;
      }
      // A frame that ends a commit holds the size of the database; others hold zero.
      commitsAfter += log.readUInt32BE(at + 4) === 0 ? 0 : 1;
    }
  }
  return null;
}

/** The running checksum of the log: two sums over pairs of 32-bit words. */
class Checksum {
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  add(bytes: Buffer, start: number, length: number): void {
    const word = (at: number) => (this.#isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
    for (let at = start; at < start + length; at += 8) {
      this.#first = (this.#first + word(at) + this.#second) >>> 0;
      this.#second = (this.#second + word(at + 4) + this.#first) >>> 0;
    }
  }

  /** Whether the two words at `at` are the sums so far; they are stored big endian. */
  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }
}
