import type { Value } from "convex/values";
import fc from "fast-check";
import { arbitraryValue } from "../values/arbitrary-values";
import type { Condition, Expression, Operator, Query } from "./model-query";
import type { Fields } from "./model-value";

/** One step of a program that several transactions run side by side; `slot` says which of them. */
export type Step =
  | { do: "begin"; slot: number; kind: "query" | "mutation"; back: number }
  | { do: "insert"; slot: number; table: string; fields: Fields; spoil: Spoil | null }
  | { do: "patch" | "replace"; slot: number; ref: Ref; fields: Fields; spoil: Spoil | null }
  | { do: "remove"; slot: number; ref: Ref }
  | { do: "get"; slot: number; ref: Ref; table: string | null }
  | { do: "count"; slot: number; table: string }
  /** Reads up to `rows` rows; the query stays open. */
  | { do: "query"; slot: number; query: Query; rows: number }
  | { do: "next"; slot: number; stream: number; rows: number }
  | {
      do: "page";
      slot: number;
      query: Query;
      start: Cursor;
      end: Cursor;
      size: number;
      rowsMax: number | null;
    }
  /** The page that an earlier query showed, read again as a subscription does, or the one after it. */
  | { do: "again"; which: number; next: boolean; size: number }
  | { do: "savepoint"; slot: number }
  | { do: "rollback"; slot: number; depth: number }
  /** Commits that arrive in one turn of the event loop, in this order. */
  | { do: "commit"; slots: readonly number[] }
  | { do: "watch"; slot: number }
  | { do: "tick"; ms: number }
  | { do: "schema"; variant: number }
  | { do: "reopen" };

/** A document that some insert made, or an id that none did. */
export type Ref = { readonly known: number } | { readonly bad: string };
/** A cursor that some page gave out; null for none. */
export type Cursor = { readonly known: number } | { readonly bad: string } | null;
/** Ways to make a document one that must be refused. */
export type Spoil = string;

/** The indexes of each version of the schema. */
export const SCHEMAS: readonly { [table: string]: { [index: string]: string[] } }[] = [
  { a: { by_x: ["x"], by_x_y: ["x", "y"], by_o: ["o.p", "x"] }, b: { by_y: ["y"] } },
  { a: { by_x: ["x"], by_x_y: ["y", "x"], by_deep: ["o.p.q"] }, b: {} },
  { a: { by_x: ["x"], by_o: ["o.p", "x"], by_three: ["x", "y", "o.q"] }, b: { by_y: ["y", "x"] } },
];

/** Ids that no insert made: malformed, with a wrong checksum, in capitals, and of a table that there is not. */
export const BAD_IDS = {
  empty: "",
  short: "abc",
  letters: "u".repeat(32),
  checksum: "00000000000000000000000000000001",
  capitals: "K57000000000000000000000000000000",
  foreign: "n130e1r70w3ge1r70w3ge1r70w3geqhe",
};
export const BAD_CURSORS = ["", "nonsense", Buffer.alloc(48).toString("base64url")];

const nested = (levels: number): Value => (levels === 0 ? null : [nested(levels - 1)]);

export const SPOILERS: { readonly [name: string]: () => Fields } = {
  loneHigh: () => ({ z: "\ud800" }),
  loneLow: () => ({ z: { deep: ["a\udc00b"] } }),
  reversedPair: () => ({ z: "\udc00\ud800" }),
  underscoreName: () => ({ _z: 1 }),
  dollarName: () => ({ z: { $z: 1, a: 1 } }),
  emptyName: () => ({ "": 1 }),
  oddName: () => ({ "z z": 1 }),
  longName: () => ({ ["z".repeat(65)]: 1 }),
  longKey: () => ({ z: { ["k".repeat(1025)]: 1 } }),
  foreignKey: () => ({ z: { schlüssel: 1 } }),
  controlKey: () => ({ z: { "a\u0000b": 1 } }),
  nested16: () => ({ z: nested(16) }),
  array: () => ({ z: Array.from({ length: 8193 }, () => null) }),
  object: () => ({ z: Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`k${i}`, null])) }),
  large: () => ({ z: "z".repeat(1024 * 1024) }),
  // Just inside the limits: these must be taken.
  nested15: () => ({ z: nested(15) }),
  fullArray: () => ({ z: Array.from({ length: 8192 }, () => null) }),
  longestName: () => ({ ["z".repeat(64)]: 1 }),
};

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 1 });

/** Values that meet each other often, with the neighbours of every border between types. */
const value: fc.Arbitrary<Value> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<Value[]>(null, 0, -0, 1, 2, Number.NaN, Infinity, 0n, 1n, -1n, "a", "b", true),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Value[]>(
      "a\0",
      "",
      "\ud83d\ude00",
      "\uffff",
      new ArrayBuffer(0),
      [],
      [[]],
      {},
      { "": null },
      { "": {} },
      [{}],
      [{ "": 1 }],
      { "9": 1, "10": 2 },
      { a: 1 },
    ),
  },
  { weight: 1, arbitrary: arbitraryValue() },
);
const optional = fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(undefined) });
const inner = fc.oneof(
  value,
  fc.record({ p: value, q: value }, { requiredKeys: [] }),
  fc.record({ p: fc.record({ q: value }, { requiredKeys: [] }) }),
);
const fields: fc.Arbitrary<{ [field: string]: Value }> = fc.record(
  { x: value, y: value, o: inner },
  { requiredKeys: [] },
);
const patch: fc.Arbitrary<Fields> = fc.record(
  { x: optional, y: optional, o: fc.oneof(inner, fc.constant(undefined)), z: optional },
  { requiredKeys: [] },
);

const slot = fc.nat(2);
/** Tables of the schema, and one that comes into being when it is first written to. */
const table = fc.constantFrom("a", "a", "a", "b", "loose");
const ref: fc.Arbitrary<Ref> = fc.oneof(
  { weight: 12, arbitrary: fc.nat(30).map((known) => ({ known })) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(BAD_IDS)).map((bad) => ({ bad })) },
);
const cursor: fc.Arbitrary<Cursor> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.nat(9).map((known) => ({ known })) },
  { weight: 1, arbitrary: fc.constantFrom(...BAD_CURSORS).map((bad) => ({ bad })) },
);
const spoil = fc.option(fc.constantFrom(...Object.keys(SPOILERS)), { freq: 24 }).map((name) => name);
const rarely = spoil.chain((name) => fc.boolean().map((keep) => (keep ? name : null)));

const path = fc.constantFrom("x", "y", "o", "o.p", "o.p.q", "z", "_creationTime");
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    path.map((field) => ({ field })),
    optional.map((literal) => ({ literal })),
    fc.record({
      two: fc.constantFrom(
        "$eq",
        "$neq",
        "$lt",
        "$lte",
        "$gt",
        "$gte",
        "$add",
        "$sub",
        "$mul",
        "$div",
        "$mod",
      ),
      left: tie("expression"),
      right: tie("expression"),
    }),
    fc.record({
      all: fc.constantFrom("$and", "$or"),
      parts: fc.array(tie("expression"), { maxLength: 3 }),
    }),
    fc.record({ one: fc.constantFrom("$not", "$neg"), part: tie("expression") }),
  ),
}));
/** Mostly one that has a truth value. */
const filter: fc.Arbitrary<Expression> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      two: fc.constantFrom("$eq", "$neq", "$lt", "$lte", "$gt", "$gte"),
      left: path.map((field) => ({ field })),
      right: optional.map((literal) => ({ literal })),
    }),
  },
  { weight: 1, arbitrary: expression },
);
const operators: fc.Arbitrary<Operator[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Operator[]>([]) },
  {
    weight: 2,
    arbitrary: fc.array(
      fc.oneof(
        filter.map((each) => ({ filter: each })),
        fc.nat(3).map((limit) => ({ limit })),
      ),
      { maxLength: 2 },
    ),
  },
);

const INDEXES = SCHEMAS.flatMap((schema) =>
  Object.entries(schema).flatMap(([of, indexes]) =>
    Object.entries(indexes).map(([index, names]) => ({ of, index, names })),
  ),
);
const index = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...INDEXES) },
  {
    weight: 2,
    arbitrary: table.chain((of) =>
      fc.constantFrom(
        { of, index: "by_creation_time", names: [] },
        { of, index: "by_id", names: [] },
        { of, index: "by_nothing", names: ["x"] },
      ),
    ),
  },
);

/** Conditions that name the first fields of an index, now and then with one too many. */
const range = (names: readonly string[]): fc.Arbitrary<Condition[]> => {
  const condition = (field: string, types: readonly Condition["type"][]): fc.Arbitrary<Condition> =>
    fc.record({ type: fc.constantFrom(...types), field: fc.constant(field), value: optional });
  const stray = fc
    .constantFrom("x", "y", "o.p", "_creationTime", "nowhere")
    .chain((field) => condition(field, ["Eq", "Gt", "Lte"]));
  return fc
    .record({
      equal: fc.tuple(...names.map((name) => condition(name, ["Eq"]))),
      count: fc.nat(names.length),
      low: maybe(fc.constantFrom<Condition["type"][]>("Gt", "Gte")),
      high: maybe(fc.constantFrom<Condition["type"][]>("Lt", "Lte")),
      ends: fc.tuple(optional, optional),
      stray: fc.option(stray, { freq: 12 }).chain((one) => fc.boolean().map((keep) => (keep ? one : null))),
    })
    .map(({ equal, count, low, high, ends, stray: odd }) => {
      const field = names[count];
      const bounds: Condition[] = [];
      if (field !== undefined && low !== null) bounds.push({ type: low, field, value: ends[0] });
      if (field !== undefined && high !== null) bounds.push({ type: high, field, value: ends[1] });
      return [...bounds, ...equal.slice(0, count), ...(odd === null ? [] : [odd])];
    });
};

const order = fc.constantFrom("asc" as const, "desc" as const, null);
const query: fc.Arbitrary<Query> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ table, index: fc.constant(null), range: fc.constant([]), order, operators }),
  },
  {
    weight: 4,
    arbitrary: index.chain(({ of, index: name, names }) =>
      fc.record({
        table: fc.constant(of),
        index: fc.constant(name),
        range: range(names),
        order,
        operators,
      }),
    ),
  },
);
/** Pages take filters, but no limits: the client offers none there. */
const pageQuery = query.map((each) => ({
  ...each,
  operators: each.operators.filter((operator) => "filter" in operator),
}));

const rows = fc.oneof(fc.constant(100), fc.nat(3));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("begin" as const),
      slot,
      kind: fc.constantFrom("mutation" as const, "mutation" as const, "query" as const),
      back: fc.oneof(fc.constant(0), fc.nat(4)),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant("insert" as const), slot, table, fields, spoil: rarely }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("patch" as const), slot, ref, fields: patch, spoil: rarely }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("replace" as const), slot, ref, fields, spoil: rarely }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), slot, ref }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("get" as const), slot, ref, table: maybe(table) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("count" as const), slot, table }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("query" as const), slot, query, rows }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("next" as const), slot, stream: fc.nat(2), rows }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("page" as const),
      slot,
      query: pageQuery,
      start: cursor,
      end: fc.oneof(fc.constant(null), cursor),
      size: fc.integer({ min: 1, max: 4 }),
      rowsMax: maybe(fc.integer({ min: 1, max: 5 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("again" as const),
      which: fc.nat(5),
      next: fc.boolean(),
      size: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("savepoint" as const), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rollback" as const), slot, depth: fc.nat(2) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      slots: fc.uniqueArray(slot, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("watch" as const), slot }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("tick" as const), ms: fc.integer({ min: -3000, max: 2000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      { weight: 3, arbitrary: fc.constant({ do: "tick" as const, ms: 1 }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("schema" as const),
          variant: fc.nat(SCHEMAS.length - 1),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
    ),
  },
);

/** Random programs: some rows to begin with, then up to `maxLength` steps. */
export const program = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc
    .tuple(
      fc.array(fc.record({ table, fields }), { maxLength: 6 }),
      fc.array(step, { minLength: 1, maxLength, size: "max" }),
    )
    .map(([rowsBefore, steps]) => [
      ...rowsBefore.map((row): Step => ({ do: "insert", slot: 0, ...row, spoil: null })),
      ...(rowsBefore.length > 0 ? [{ do: "commit" as const, slots: [0] }] : []),
      ...steps,
    ]);
