import { developerError } from "../errors";
import type { ScanRow, ScanSource } from "../query/scan";
import type { Interval } from "../storage/store";
import type { SearchInfo, TableInfo } from "../transaction/table";
import { type Hit, runSearch } from "./run-search";
import type { SearchRead } from "./search-reads";

/** Documents that a search can give in all (Convex's `MAX_CANDIDATE_REVISIONS`). */
const SEARCH_RESULTS_MAX = 1024;

/** The results of a search, one by one. The search is made when the first is asked for. */
export class SearchScan {
  readonly #source: ScanSource;
  readonly #table: TableInfo;
  readonly #search: SearchInfo;
  readonly #read: SearchRead;
  readonly #interval: Interval;
  readonly #limit: number;
  #hits: Hit[] | null = null;
  #given = 0;

  /**
   * @param interval the part of the results to give, by the keys of hits
   * @param rowsExpected how many results will be asked for; null where that is not known
   */
  constructor(
    source: ScanSource,
    table: TableInfo,
    search: SearchInfo,
    read: SearchRead,
    interval: Interval,
    rowsExpected: number | null,
  ) {
    this.#source = source;
    this.#table = table;
    this.#search = search;
    this.#read = read;
    this.#interval = interval;
    const isWhole = interval.start === "" && interval.end === null;
    this.#limit = isWhole
      ? Math.min(rowsExpected ?? SEARCH_RESULTS_MAX, SEARCH_RESULTS_MAX)
      : SEARCH_RESULTS_MAX;
  }

  /** Throws the developer error of Convex where more results are asked for than a search can give. */
  next(): ScanRow | null {
    this.#hits ??= this.#find();
    for (;;) {
      if (this.#given >= SEARCH_RESULTS_MAX) {
        throw developerError(
          "SearchQueryScannedTooManyDocumentsError",
          `Search query scanned too many documents (fetched ${SEARCH_RESULTS_MAX}). Consider using a smaller limit, paginating the query, or using a filter field to limit the number of documents pulled from the search index.`,
        );
      }
      const hit = this.#hits[this.#given];
      if (hit === undefined) {
        return null;
      }
      this.#given += 1;
      const { id, key } = hit;
      // A write of this transaction after the search may have deleted it.
      const own = this.#source.ownWrites()?.get(id);
      const version = own === undefined ? this.#source.snapshot.get(this.#table, id) : own.version;
      if (version !== null) {
        return { key, id, version };
      }
    }
  }

  #find(): Hit[] {
    if (this.#read.terms.prefix === null) {
      // Nothing is looked for, so that no document can ever be found.
      return [];
    }
    this.#source.reads.addSearch(this.#read);
    const { start, end } = this.#interval;
    const hits = runSearch(this.#source, this.#table, this.#search, this.#read, this.#limit);
    return hits.filter(({ key }) => key >= start && (end === null || key < end));
  }
}
