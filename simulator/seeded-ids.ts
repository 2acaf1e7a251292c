import { createHash } from "node:crypto";

/**
 * Every id of the simulated world, derived from the seed, the kind and a counter of that kind. The same seed and the
 * same order of events give the same ids, however their timing differs.
 */
export class SeededIds {
  readonly #seed: string;
  readonly #counters = new Map<string, number>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** `wamid.` and base64, which holds the other side's number in clear, as Meta's do. */
  wamid(direction: "inbound" | "outbound", peerDigits: string): string {
    const [length, marker] = direction === "inbound" ? [20, 0x12] : [18, 0x11];
    const unique = this.#next(`wamid.${direction}`).slice(0, length).toUpperCase();
    const bytes = Buffer.concat([
      Buffer.from([0x1c, 0x18, peerDigits.length]),
      Buffer.from(peerDigits, "latin1"),
      Buffer.from([0x15, 0x02, 0x00, marker, 0x18, length]),
      Buffer.from(unique, "latin1"),
      Buffer.from([0x00]),
    ]);
    return `wamid.${bytes.toString("base64")}`;
  }

  /** A Graph id of the given number of digits. */
  digits(kind: string, length: number): string {
    const number = BigInt(`0x${this.#next(kind)}`)
      .toString()
      .padStart(length, "7");
    return `1${number.slice(-(length - 1))}`;
  }

  /** The random part of a token or code. */
  secret(kind: string): string {
    return Buffer.from(this.#next(kind), "hex").toString("base64url");
  }

  /** Meta's trace id of an error. */
  traceId(): string {
    return `A${Buffer.from(this.#next("trace"), "hex").toString("base64url").slice(0, 22)}`;
  }

  /** A number in [0, 1) for decisions by probability. */
  chance(): number {
    return Number.parseInt(this.#next("chance").slice(0, 13), 16) / 16 ** 13;
  }

  /** A stable digest of a text under the seed, which takes no counter. */
  digest(text: string): string {
    return createHash("sha256").update(`${this.#seed}\n${text}`).digest("hex");
  }

  /** How many ids of each kind have been given out. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counters);
  }

  /** Goes on after so many ids of each kind. */
  continueFrom(counts: Readonly<Record<string, number>>): void {
    this.#counters.clear();
    for (const [kind, count] of Object.entries(counts)) this.#counters.set(kind, count);
  }

  #next(kind: string): string {
    const count = (this.#counters.get(kind) ?? 0) + 1;
    this.#counters.set(kind, count);
    return this.digest(`${kind}\n${count}`);
  }
}
