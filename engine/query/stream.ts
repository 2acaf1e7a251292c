import { developerError } from "../errors";
import { SearchScan } from "../search/search-scan";
import type { Interval } from "../storage/store";
import { parseStored } from "../transaction/document";
import type { DocVersion } from "../transaction/write-log";
import type { Key } from "../values/key";
import { passes } from "./expression";
import type { Operator, QueryPlan } from "./plan";
import { IndexScan, type ScanRow, type ScanSource } from "./scan";

/** Bounds on what one page may read, beside those of the transaction. */
export type ReadBounds = { readonly rowsMax: number | null; readonly bytesMax: number | null };

const UNBOUNDED: ReadBounds = { rowsMax: null, bytesMax: null };

/** A running query: rows of a scan that pass its filters, up to its limits. */
export class QueryStream {
  readonly #scan: { next(): ScanRow | null } | null;
  readonly #operators: readonly Operator[];
  /** How many rows each `limit` still lets through. */
  readonly #left: number[];
  readonly #charge: (version: DocVersion) => void;
  readonly #bounds: ReadBounds;
  readonly #keys: Key[] | null;
  readonly #isSearch: boolean;
  #lastKey: Key | null = null;
  #exhausted = false;
  rowsRead = 0;
  bytesRead = 0;

  /**
   * @param source null where the table does not exist
   * @param charge counts a row that was read against the transaction's limits
   * @param interval the part of the plan's interval to walk
   * @param keepKeys whether to remember every row passed, for a split cursor
   * @param rowsExpected how many rows will be asked for at most, where the operators do not tell
   */
  constructor(
    plan: QueryPlan,
    source: ScanSource | null,
    charge: (version: DocVersion) => void,
    interval: Interval = plan.interval,
    bounds: ReadBounds = UNBOUNDED,
    keepKeys = false,
    rowsExpected: number | null = null,
  ) {
    this.#operators = plan.operators;
    this.#left = plan.operators.map((operator) => ("limit" in operator ? operator.limit : 0));
    this.#charge = charge;
    this.#bounds = bounds;
    this.#keys = keepKeys ? [] : null;
    this.#isSearch = plan.target !== null && "search" in plan.target;
    this.#scan =
      source === null ? null : openScan(plan, source, interval, rowsExpected ?? expectedRows(plan.operators));
  }

  /** The last row that was read, whether it passed the filters or not. */
  get lastKey(): Key | null {
    return this.#lastKey;
  }

  /** Whether the interval was walked to its end. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** The row in the middle of those read; null for fewer than three, and for a search, which no split makes cheaper. */
  get middleKey(): Key | null {
    const keys = this.#isSearch ? [] : (this.#keys ?? []);
    return keys.length <= 2 ? null : (keys[Math.floor(keys.length / 2)] ?? null);
  }

  next(): DocVersion | null {
    for (;;) {
      if (this.#isOverLimit()) {
        return null;
      }
      const row = this.#read();
      if (row === null || this.#accepts(row)) {
        return row;
      }
    }
  }

  #read(): DocVersion | null {
    if (this.#exhausted || this.#scan === null) {
      this.#exhausted = true;
      return null;
    }
    this.#checkBounds();
    const row = this.#scan.next();
    if (row === null) {
      this.#exhausted = true;
      return null;
    }
    this.#lastKey = row.key;
    this.#keys?.push(row.key);
    this.rowsRead += 1;
    this.bytesRead += row.version.size;
    this.#charge(row.version);
    return row.version;
  }

  #checkBounds(): void {
    const { rowsMax, bytesMax } = this.#bounds;
    if (rowsMax !== null && this.rowsRead >= rowsMax) {
      throw developerError(
        "QueryScannedTooManyDocumentsError",
        `Query scanned too many documents (fetched ${this.rowsRead}).`,
      );
    }
    if (bytesMax !== null && this.bytesRead >= bytesMax) {
      throw developerError(
        "QueryScannedTooMuchDataError",
        `Query scanned too much data (fetched ${this.bytesRead} bytes).`,
      );
    }
  }

  #isOverLimit(): boolean {
    return this.#operators.some((operator, i) => "limit" in operator && this.#left[i] === 0);
  }

  #accepts(version: DocVersion): boolean {
    for (const [i, operator] of this.#operators.entries()) {
      if ("limit" in operator) {
        const left = this.#left[i] ?? 0;
        if (left === 0) {
          return false;
        }
        this.#left[i] = left - 1;
      } else if (!passes(operator.filter, parseStored(version.text))) {
        return false;
      }
    }
    return true;
  }
}

function openScan(
  { target, order, operators }: QueryPlan,
  source: ScanSource,
  interval: Interval,
  rowsExpected: number | null,
): { next(): ScanRow | null } | null {
  if (target === null) {
    return null;
  }
  if ("search" in target) {
    // A filter may pass over any number of results.
    const resultsMax = operators.some((operator) => "filter" in operator) ? null : rowsExpected;
    return new SearchScan(source, target.table, target.search, target.read, interval, resultsMax);
  }
  return new IndexScan(source, target.table, target.index, interval, order, rowsExpected);
}

/** Rows that will be asked for where only limits decide it. */
function expectedRows(operators: readonly Operator[]): number | null {
  const limits = operators.map((operator) => ("limit" in operator ? operator.limit : null));
  return limits.includes(null)
    ? null
    : limits.reduce<number | null>(
        (min, limit) => (limit !== null && (min === null || limit < min) ? limit : min),
        null,
      );
}
