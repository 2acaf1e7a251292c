import { compareValues, type Value } from "convex/values";
import {
  type Condition,
  checkRange,
  type Expression,
  matches,
  passes,
  type Query,
  refuse,
} from "./model-query";
import { canonical, type Fields, problemsOf, toJson, valueAt } from "./model-value";

/**
 * The engine as a few arrays: what a database of Convex has to answer, told as plainly as possible. Nothing here is
 * shared with the engine; order comes from `compareValues` of `convex/values`.
 */
export type Document = { readonly [field: string]: Value };
export type Row = { readonly table: string; readonly id: string; readonly document: Document };
export type Indexes = { readonly [table: string]: { readonly [index: string]: readonly string[] } };
export type State = {
  readonly rows: readonly Row[];
  readonly tables: ReadonlySet<string>;
  readonly indexes: Indexes;
};

/** What a commit did: rows before and after, and tables that it created. */
export type Change = { readonly rows: readonly Row[]; readonly tables: ReadonlySet<string> };

/** Whether a change of this row, or the creation of this table, is something that a transaction would have seen. */
type Footprint = { readonly row?: (row: Row) => boolean; readonly table?: string };

/** Place of a page's end: the index fields of the last row that was read, or the end of the query. */
export type Place = readonly (Value | undefined)[] | "end";
export type PageResult = {
  rows: Document[];
  end: Place;
  split: Place | null;
  status: "SplitRecommended" | "SplitRequired" | null;
};

type Stream = {
  readonly query: Query;
  readonly fields: readonly string[];
  readonly isEmpty: boolean;
  readonly left: number[];
  /** Bounds of a page beside those of the query. */
  readonly after: Place | null;
  readonly upTo: Place | null;
  readonly footprint: { last: Place | null; exhausted: boolean };
  readonly passed: Place[];
};

/** One transaction on a state that never changes. */
export class ModelTransaction {
  readonly footprints: Footprint[] = [];
  #rows: readonly Row[];
  readonly #created = new Set<string>();
  readonly #savepoints: (readonly Row[])[] = [];
  readonly #streams: Stream[] = [];

  constructor(
    readonly base: State,
    readonly kind: "query" | "mutation",
  ) {
    this.#rows = base.rows;
  }

  // ------------------------------------------------------------------ rows

  get(id: string, tableOf: (id: string) => string | null, expected: string | null): Document | null {
    const table = this.#tableOfId(id, tableOf);
    if (table !== null && expected !== null && expected !== table) return refuse("InvalidArgument");
    return this.#find(id)?.document ?? null;
  }

  insert(table: string, fields: Document, made: { id: string; creationTime: number } | null): void {
    this.#requireMutation();
    this.#touchTable(table);
    this.#created.add(table);
    const { id, creationTime } = made ?? { id: PLACEHOLDER_ID, creationTime: 1 };
    this.footprints.push({ row: (row) => row.id === id });
    this.#put({ table, id, document: checked({ ...fields, _id: id, _creationTime: creationTime }) });
  }

  patch(id: string, tableOf: (id: string) => string | null, patch: Fields): void {
    const row = this.#writable(id, tableOf);
    const document: { [field: string]: Value } = { ...row.document };
    for (const [name, value] of Object.entries(patch)) {
      if (value === undefined) delete document[name];
      else document[name] = value;
    }
    this.#put({ ...row, document: checked(document) });
  }

  replace(id: string, tableOf: (id: string) => string | null, fields: Document): void {
    const row = this.#writable(id, tableOf);
    const { _id = id, _creationTime = 0 } = row.document;
    this.#put({ ...row, document: checked({ ...fields, _id, _creationTime }) });
  }

  remove(id: string, tableOf: (id: string) => string | null): void {
    const gone = this.#writable(id, tableOf);
    this.#rows = this.#rows.filter((row) => row.id !== gone.id);
  }

  savepoint(): void {
    this.#savepoints.push(this.#rows);
  }

  /** Takes back what was written since the savepoint at `depth`; what was read stays read. */
  rollbackTo(depth: number): void {
    this.#rows = this.#savepoints[depth] ?? this.#rows;
    this.#savepoints.length = depth;
  }

  // --------------------------------------------------------------- queries

  count(table: string): number {
    const stream = this.#stream({ table, index: null, range: [], order: "asc", operators: [] }, null, null);
    let count = 0;
    while (this.#next(stream) !== null) count += 1;
    return count;
  }

  /** Starts a query; answers its number. */
  open(query: Query): number {
    this.#streams.push(this.#stream(query, null, null));
    return this.#streams.length - 1;
  }

  next(stream: number): Document | null {
    const open = this.#streams[stream];
    return open === undefined ? null : this.#next(open);
  }

  /** Throws where the engine refuses the query as it is asked. */
  check(query: Query): void {
    this.#stream(query, null, null);
  }

  page(
    query: Query,
    start: Place | null,
    end: Place | null,
    size: number,
    rowsMax: number | null,
  ): PageResult {
    const stream = this.#stream(query, start, end);
    const rows: Document[] = [];
    let status: PageResult["status"] = null;
    while (end !== null || rows.length < size) {
      const row = this.#next(stream, end === null ? rowsMax : null);
      if (row === null) break;
      if (row === "too many") {
        status = "SplitRequired";
        break;
      }
      rows.push(row);
    }
    const { last, exhausted } = stream.footprint;
    const read = stream.passed.length;
    // A page that read more than three quarters of what it may is better split.
    if (status === null && rowsMax !== null && read > Math.floor(rowsMax * 0.75)) status = "SplitRecommended";
    return {
      rows,
      end: end ?? (exhausted || start === "end" ? "end" : (last ?? start ?? "end")),
      split: read <= 2 ? null : (stream.passed[Math.floor(read / 2)] ?? null),
      status,
    };
  }

  // ---------------------------------------------------------------- commit

  /** What a commit would change; null where it would change nothing. */
  change(): Change | null {
    const before = textsOf(this.base.rows);
    const after = textsOf(this.#rows);
    const rows = [
      ...this.base.rows.filter((row) => after.get(row.id) !== before.get(row.id)),
      ...this.#rows.filter((row) => after.get(row.id) !== before.get(row.id)),
    ];
    if (rows.length === 0) return null;
    const touched = new Set(rows.map((row) => row.table));
    return { rows, tables: new Set([...touched].filter((table) => !this.base.tables.has(table))) };
  }

  /** The rule of intervals: whether `change` touches anything that this transaction looked at. */
  isTouchedBy(change: Change): boolean {
    return this.footprints.some(
      (footprint) =>
        (footprint.table !== undefined && change.tables.has(footprint.table)) ||
        change.rows.some((row) => footprint.row?.(row) === true),
    );
  }

  /** The newest state with this transaction's own change on top. */
  applyTo(newest: State): State {
    const change = this.change();
    if (change === null) return newest;
    const changed = new Set(change.rows.map((row) => row.id));
    return {
      ...newest,
      rows: [
        ...newest.rows.filter((row) => !changed.has(row.id)),
        ...this.#rows.filter((row) => changed.has(row.id)),
      ],
      tables: new Set([...newest.tables, ...change.tables]),
    };
  }

  // --------------------------------------------------------------- helpers

  #requireMutation(): void {
    if (this.kind !== "mutation") refuse("WriteInQuery");
  }

  #hasTable(table: string): boolean {
    return this.base.tables.has(table) || this.#created.has(table);
  }

  #touchTable(table: string): void {
    if (!this.#hasTable(table)) this.footprints.push({ table });
  }

  /** Null for an id of a table that there is not. */
  #tableOfId(id: string, tableOf: (id: string) => string | null): string | null {
    const table = tableOf(id) ?? refuse("InvalidArgument");
    this.#touchTable(table);
    return this.#hasTable(table) ? table : null;
  }

  #find(id: string): Row | undefined {
    this.footprints.push({ row: (row) => row.id === id });
    return this.#rows.find((row) => row.id === id);
  }

  #writable(id: string, tableOf: (id: string) => string | null): Row {
    this.#requireMutation();
    this.#tableOfId(id, tableOf);
    return this.#find(id) ?? refuse("NonexistentDocument");
  }

  #put(row: Row): void {
    this.#rows = [...this.#rows.filter(({ id }) => id !== row.id), row];
  }

  #stream(query: Query, after: Place | null, upTo: Place | null): Stream {
    this.#touchTable(query.table);
    const fields = indexFields(this.base, query) ?? refuse("IndexNotFoundError");
    checkRange(query.range, fields);
    const footprint: Stream["footprint"] = { last: null, exhausted: false };
    const stream: Stream = {
      query,
      fields,
      isEmpty: !this.#hasTable(query.table),
      left: query.operators.map((operator) => ("limit" in operator ? operator.limit : 0)),
      after,
      upTo,
      footprint,
      passed: [],
    };
    this.footprints.push({
      row: (row) =>
        isInside(stream, row) &&
        (footprint.exhausted ||
          (footprint.last !== null && compareInOrder(stream, placeOf(stream, row), footprint.last) <= 0)),
    });
    return stream;
  }

  #next(stream: Stream): Document | null;
  #next(stream: Stream, rowsMax: number | null): Document | "too many" | null;
  #next(stream: Stream, rowsMax: number | null = null): Document | "too many" | null {
    for (;;) {
      if (stream.query.operators.some((operator, i) => "limit" in operator && stream.left[i] === 0))
        return null;
      const { footprint } = stream;
      if (footprint.exhausted) return null;
      if (rowsMax !== null && stream.passed.length >= rowsMax) return "too many";
      const row = this.#following(stream);
      if (row === null) {
        footprint.exhausted = true;
        return null;
      }
      footprint.last = placeOf(stream, row);
      stream.passed.push(footprint.last);
      if (accepts(stream, row)) return row.document;
    }
  }

  /** The first row after the last one that was read, as the table is now. */
  #following(stream: Stream): Row | null {
    if (stream.isEmpty) return null;
    const { last } = stream.footprint;
    let first: Row | null = null;
    for (const row of this.#rows) {
      if (!isInside(stream, row)) continue;
      if (last !== null && compareInOrder(stream, placeOf(stream, row), last) <= 0) continue;
      if (first === null || compareInOrder(stream, placeOf(stream, row), placeOf(stream, first)) < 0)
        first = row;
    }
    return first;
  }
}

/** Stands for the id of a document that is refused anyway: as long as a real one. */
const PLACEHOLDER_ID = "0".repeat(32);

export function indexFields(state: State, query: Query): readonly string[] | null {
  if (query.index === null || query.index === "by_creation_time") return ["_creationTime", "_id"];
  if (query.index === "by_id") return ["_id"];
  const fields = state.indexes[query.table]?.[query.index];
  return fields === undefined ? null : [...fields, "_creationTime", "_id"];
}

function checked(document: Document): Document {
  const problems = problemsOf(document);
  return problems.size > 0 ? refuse(...problems) : document;
}

const textsOf = (rows: readonly Row[]): Map<string, string> =>
  new Map(rows.map((row) => [row.id, canonical(toJson({ ...row.document }))]));

const placeOf = (stream: Stream, row: Row): Place =>
  stream.fields.map((field) => valueAt(row.document, field));

/** Negative where `a` comes before `b` in the order of the query; the end comes after everything. */
function compareInOrder(stream: Stream, a: Place, b: Place): number {
  if (a === "end" || b === "end") return a === b ? 0 : a === "end" ? 1 : -1;
  for (const [i, value] of a.entries()) {
    const order = compareValues(value, b[i]);
    if (order !== 0) return stream.query.order === "desc" ? -order : order;
  }
  return 0;
}

const isInside = (stream: Stream, row: Row): boolean =>
  row.table === stream.query.table &&
  stream.query.range.every((condition: Condition) => matches(row.document, condition)) &&
  (stream.after === null || compareInOrder(stream, placeOf(stream, row), stream.after) > 0) &&
  (stream.upTo === null || compareInOrder(stream, placeOf(stream, row), stream.upTo) <= 0);

function accepts(stream: Stream, row: Row): boolean {
  for (const [i, operator] of stream.query.operators.entries()) {
    if ("filter" in operator) {
      const filter: Expression = operator.filter;
      if (!passes(filter, row.document)) return false;
    } else {
      const left = stream.left[i] ?? 0;
      if (left === 0) return false;
      stream.left[i] = left - 1;
    }
  }
  return true;
}
