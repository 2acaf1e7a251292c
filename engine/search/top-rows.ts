import { BLOCK_SIZE } from "../storage/postings";
import type { SearchBlock } from "../storage/search-reader";
import type { FoundRow } from "./best-rows";

/** A row among the best so far; its time is looked up when it decides something. */
type Row = { readonly rid: number; readonly score: number; time: number | null };

/**
 * Keeps the best rows of many, by score and then by creation time, newest first. Short texts have few different scores,
 * so that very many rows tie; their times lie on disk, and are read only where they can decide.
 */
export class TopRows {
  readonly #limit: number;
  readonly #blocks: ReadonlyMap<number, SearchBlock>;
  readonly #timeOf: (rid: number) => number;
  #rows: Row[] = [];
  /** What a row must reach to be among the best; with this score it must also be newer than `#floorTime`. */
  #floor = 0;
  #floorTime = Number.NEGATIVE_INFINITY;

  constructor(limit: number, blocks: ReadonlyMap<number, SearchBlock>, timeOf: (rid: number) => number) {
    this.#limit = limit;
    this.#blocks = blocks;
    this.#timeOf = timeOf;
  }

  /**
   * Takes rows into account.
   *
   * @param scores of a window that begins with row `offset`
   * @param places of the window to look at, in descending order
   */
  offer(scores: Float32Array, places: Int32Array, offset: number): void {
    let block = -1;
    let takesTies = true;
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i] ?? 0;
      const rid = offset + place;
      const itsBlock = Math.floor(rid / BLOCK_SIZE);
      if (itsBlock !== block) {
        block = itsBlock;
        if (this.#rows.length > this.#limit) {
          this.settle();
        }
        takesTies = (this.#blocks.get(block)?.maxTime ?? 0) > this.#floorTime;
      }
      const score = scores[place] ?? 0;
      if (score > this.#floor || (score === this.#floor && score > 0 && takesTies)) {
        this.#rows.push({ rid, score, time: null });
      }
    }
    this.settle();
  }

  /** Reduces what was offered to the best. */
  settle(): void {
    if (this.#rows.length <= this.#limit) {
      return;
    }
    const floor = nthLargest(
      Float32Array.from(this.#rows, (row) => row.score),
      this.#limit,
    );
    const better: Row[] = [];
    const ties: Row[] = [];
    for (const row of this.#rows) {
      if (row.score > floor) {
        better.push(row);
      } else if (row.score === floor) {
        ties.push(row);
      }
    }
    const kept = this.#newest(ties, this.#limit - better.length);
    this.#rows = [...better, ...kept];
    this.#floor = floor;
    this.#floorTime = kept.reduce((min, row) => Math.min(min, this.#time(row)), Number.POSITIVE_INFINITY);
  }

  finish(): FoundRow[] {
    this.settle();
    const rows = this.#rows.map((row) => ({ rid: row.rid, score: row.score, time: this.#time(row) }));
    return rows.sort((a, b) => b.score - a.score || b.time - a.time);
  }

  /** The newest of rows with one score. Blocks whose newest row is too old to matter are not looked into. */
  #newest(ties: readonly Row[], count: number): Row[] {
    const byBlock = new Map<number, Row[]>();
    for (const row of ties) {
      const block = Math.floor(row.rid / BLOCK_SIZE);
      const rows = byBlock.get(block);
      if (rows === undefined) {
        byBlock.set(block, [row]);
      } else {
        rows.push(row);
      }
    }
    const maxTime = (block: number) => this.#blocks.get(block)?.maxTime ?? 0;
    let newest: Row[] = [];
    for (const block of [...byBlock.keys()].sort((a, b) => maxTime(b) - maxTime(a))) {
      const last = newest.length < count ? undefined : newest[count - 1];
      if (last !== undefined && maxTime(block) <= this.#time(last)) {
        break;
      }
      newest.push(...(byBlock.get(block) ?? []));
      newest = newest.sort((a, b) => this.#time(b) - this.#time(a)).slice(0, count);
    }
    return newest;
  }

  #time(row: Row): number {
    row.time ??= this.#timeOf(row.rid);
    return row.time;
  }
}

/** The `n`th largest of `values`, which are moved about. */
function nthLargest(values: Float32Array, n: number): number {
  const target = values.length - n;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] ?? 0) < pivot) left += 1;
      while ((values[right] ?? 0) > pivot) right -= 1;
      if (left <= right) {
        const value = values[left] ?? 0;
        values[left] = values[right] ?? 0;
        values[right] = value;
        left += 1;
        right -= 1;
      }
    }
    if (target <= right) {
      high = right;
    } else if (target >= left) {
      low = left;
    } else {
      break;
    }
  }
  return values[target] ?? 0;
}
