import type { PaginationOptions } from "convex/server";
import { PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX } from "#shared/domain/limits";

/** The client's page options with a page size that the server is willing to read. */
export function boundedPage(options: PaginationOptions): PaginationOptions {
  return { ...options, numItems: boundedRows(options.numItems) };
}

/** A whole number of rows between 1 and the most that one page may have. */
export function boundedRows(asked: number | undefined): number {
  if (asked === undefined || !Number.isFinite(asked)) return PAGE_ROWS_DEFAULT;
  return Math.min(Math.max(Math.trunc(asked), 1), PAGE_ROWS_MAX);
}
