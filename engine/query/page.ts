import { developerError, EngineError } from "../errors";
import type { Interval } from "../storage/store";
import { PAGINATION_LIMIT_CODES, TRANSACTION_LIMITS } from "../transaction/usage";
import type { DocVersion } from "../transaction/write-log";
import type { Position } from "../values/cursor";
import { afterKey } from "../values/key";
import type { QueryPlan } from "./plan";
import { NOTHING } from "./range";
import type { ScanSource } from "./scan";
import { QueryStream } from "./stream";

/** Rows of one page (Convex's `paginate`). */
const PAGE_ROWS_MAX = 32_000;
/** A page may be returned as an array, which ends at 8,192 elements: from 75 % of that on it should be split. */
const PAGE_ROWS_COMFORTABLE = 6144;
/** The part of a limit after which a page should be split (Convex's `soft_data_limit`). */
const COMFORTABLE_SHARE = 0.75;

export type PageRequest = {
  readonly plan: QueryPlan;
  readonly source: ScanSource | null;
  readonly charge: (version: DocVersion) => void;
  readonly start: Position | null;
  /** Where the page ends, instead of after `pageSize` rows: it is read again and must not leave a gap. */
  readonly end: Position | null;
  readonly pageSize: number;
  readonly rowsMax: number | null;
  readonly bytesMax: number | null;
};

export type Page = {
  readonly rows: DocVersion[];
  readonly end: Position;
  readonly split: Position | null;
  readonly status: "SplitRecommended" | "SplitRequired" | null;
};

/** Reads one page. Throws developer errors; limits on reading end the page early instead, with `SplitRequired`. */
export function readPage(request: PageRequest): Page {
  checkRequest(request);
  const { plan, start, end } = request;
  const stream = new QueryStream(
    plan,
    request.source,
    request.charge,
    pageInterval(plan, start, end),
    // A page with a given end has to be read wholly.
    end === null ? { rowsMax: request.rowsMax, bytesMax: request.bytesMax } : undefined,
    true,
    end === null ? Math.min(request.pageSize, PAGE_ROWS_COMFORTABLE) + 1 : null,
  );
  const rows: DocVersion[] = [];
  let status: Page["status"] = null;
  try {
    while (end !== null || rows.length < request.pageSize) {
      const row = stream.next();
      if (row === null) {
        break;
      }
      rows.push(row);
    }
  } catch (error) {
    if (
      !(error instanceof EngineError && PAGINATION_LIMIT_CODES.has(error.code)) ||
      stream.lastKey === null
    ) {
      throw error;
    }
    status = "SplitRequired";
  }
  if (status === null && isLarge(stream, rows.length, request)) {
    status = "SplitRecommended";
  }
  const middle = stream.middleKey;
  return {
    rows,
    end: end ?? endOf(stream, start),
    split: middle === null ? null : { after: middle },
    status,
  };
}

function endOf(stream: QueryStream, start: Position | null): Position {
  if (stream.exhausted || start === "end") {
    return "end";
  }
  return stream.lastKey === null ? (start ?? "end") : { after: stream.lastKey };
}

function isLarge(stream: QueryStream, rows: number, request: PageRequest): boolean {
  const { documentsRead, bytesRead } = TRANSACTION_LIMITS;
  const rowsMax = Math.min(request.rowsMax ?? documentsRead, documentsRead);
  const bytesMax = Math.min(request.bytesMax ?? bytesRead, bytesRead);
  return (
    stream.rowsRead > Math.floor(rowsMax * COMFORTABLE_SHARE) ||
    stream.bytesRead > Math.floor(bytesMax * COMFORTABLE_SHARE) ||
    rows > PAGE_ROWS_COMFORTABLE
  );
}

/** What lies after `start`, up to and including `end`, in the direction of the query. */
function pageInterval(plan: QueryPlan, start: Position | null, end: Position | null): Interval {
  if (start === "end") {
    return NOTHING;
  }
  let { start: low, end: high } = plan.interval;
  const raise = (key: string) => {
    low = key > low ? key : low;
  };
  const lower = (key: string) => {
    high = high === null || key < high ? key : high;
  };
  if (start !== null) {
    plan.order === "asc" ? raise(afterKey(start.after)) : lower(start.after);
  }
  if (end !== null && end !== "end") {
    plan.order === "asc" ? lower(afterKey(end.after)) : raise(end.after);
  }
  return { start: low, end: high };
}

function checkRequest({ pageSize, rowsMax, bytesMax }: PageRequest): void {
  if (!Number.isInteger(pageSize) || pageSize < 0 || pageSize > PAGE_ROWS_MAX) {
    throw developerError(
      "InvalidPageSize",
      `Must request between 1 and ${PAGE_ROWS_MAX} documents while paginating, but got ${pageSize}`,
    );
  }
  if (pageSize === 0) {
    throw developerError("NoDocumentsForPagination", "Must request at least 1 document while paginating");
  }
  if (rowsMax === 0 || bytesMax === 0) {
    throw developerError(
      "InvalidPaginationLimit",
      "maximumRowsRead and maximumBytesRead must be greater than 0",
    );
  }
}
