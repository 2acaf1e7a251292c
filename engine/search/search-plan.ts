import { developerError } from "../errors";
import { isJsonObject, requireArray } from "../json";
import type { FilterCondition } from "../storage/search-terms";
import type { SearchInfo } from "../transaction/table";
import type { JsonValue } from "../types";
import { checkValue, isUndefinedMarker } from "../values/encoded";
import { filterKey } from "./document-terms";
import type { SearchRead } from "./search-reads";
import { queryTerms } from "./tokenize";

/** Equalities of one search (Convex's `MAX_FILTER_CONDITIONS`). */
const FILTERS_MAX = 8;

/**
 * Checks what was written in `withSearchIndex` and binds it to the index. Throws developer errors with Convex's texts.
 *
 * @param indexName `table.index`, for messages
 */
export function planSearch(filters: JsonValue, indexName: string, search: SearchInfo): SearchRead {
  let text: string | null = null;
  const conditions: FilterCondition[] = [];
  for (const filter of requireArray(filters, "The filters of a search")) {
    const { type, fieldPath, value } = isJsonObject(filter) ? filter : {};
    if (typeof fieldPath !== "string" || value === undefined) {
      throw developerError("InvalidQuery", "A filter of a search is malformed.");
    }
    if (type === "Search" && typeof value === "string") {
      checkSearch(text, fieldPath, indexName, search);
      text = value;
    } else if (type === "Eq") {
      conditions.push(condition(fieldPath, value, indexName, search));
    } else {
      throw developerError("InvalidQuery", "A filter of a search is malformed.");
    }
  }
  if (text === null) {
    throw developerError(
      "MissingSearchFilterError",
      `Search query against ${indexName} does not contain any search filters. You must include a search filter like \`q.search(${JSON.stringify(search.searchField)}, searchText)\`.`,
    );
  }
  if (conditions.length > FILTERS_MAX) {
    throw developerError(
      "TooManyFilterConditionsInSearchQueryError",
      `Search query against ${indexName} has too many filter conditions. Max: ${FILTERS_MAX} Actual: ${conditions.length}`,
    );
  }
  return { xid: search.xid, terms: queryTerms(text), filters: conditions };
}

function checkSearch(before: string | null, field: string, indexName: string, search: SearchInfo): void {
  if (field !== search.searchField) {
    throw developerError(
      "IncorrectSearchField",
      `Search query against ${indexName} contains a search filter against ${JSON.stringify(field)}, which doesn't match the indexed \`searchField\` ${JSON.stringify(search.searchField)}.`,
    );
  }
  if (before !== null) {
    throw developerError(
      "DuplicateSearchFiltersError",
      `Search query against ${indexName} contains multiple search filters against ${JSON.stringify(field)}. Only one is allowed.`,
    );
  }
}

function condition(field: string, value: JsonValue, indexName: string, search: SearchInfo): FilterCondition {
  const place = search.filterFields.indexOf(field);
  if (place < 0) {
    throw developerError(
      "IncorrectFilterFieldError",
      `Search query against ${indexName} contains an equality filter on ${JSON.stringify(field)} but that field isn't indexed for filtering in \`filterFields\`.`,
    );
  }
  return { field: place, key: filterKey(isUndefinedMarker(value) ? undefined : checkValue(value).value) };
}
