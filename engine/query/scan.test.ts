import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  collect,
  fullScan,
  get,
  indexRange,
  insert,
  openTestDatabase,
  patch,
  remove,
  schemaOf,
  type TestDatabase,
} from "../transaction/test-database";
import type { JsonObject, JsonValue, Savepoint, Transaction } from "../types";
import { encodeKeys } from "../values/key";

/** One step of a program; rows are named by position among those that ever existed. */
type Step =
  | { do: "insert"; a: number; b: string }
  | { do: "patch"; row: number; a: number }
  | { do: "remove"; row: number }
  | { do: "savepoint" }
  | { do: "rollback" }
  /** Another transaction commits the same kind of step meanwhile; the open one must not see it. */
  | {
      do: "elsewhere";
      step:
        | { do: "insert"; a: number }
        | { do: "patch"; row: number; a: number }
        | { do: "remove"; row: number };
    };

const a = fc.integer({ min: 0, max: 4 });
const row = fc.nat(12);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("insert" as const), a, b: fc.constantFrom("x", "y") }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("patch" as const), row, a }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), row }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("savepoint" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rollback" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("elsewhere" as const),
      step: fc.oneof(
        fc.record({ do: fc.constant("insert" as const), a }),
        fc.record({ do: fc.constant("patch" as const), row, a }),
        fc.record({ do: fc.constant("remove" as const), row }),
      ),
    }),
  },
);

type Model = Map<string, JsonObject>;

function rangeOf(low: number, high: number): JsonObject[] {
  return [
    { type: "Gte", fieldPath: "a", value: low },
    { type: "Lt", fieldPath: "a", value: high },
  ];
}

function expected(
  model: Model,
  fields: string[],
  low: number,
  high: number,
  order: "asc" | "desc",
): JsonObject[] {
  const rows = [...model.values()].filter((doc) => {
    const value = doc["a"];
    return typeof value === "number" && value >= low && value < high;
  });
  const key = (doc: JsonObject): string =>
    encodeKeys([...fields, "_creationTime", "_id"].map((field) => doc[field]));
  rows.sort((left, right) => (key(left) < key(right) ? -1 : 1));
  return order === "asc" ? rows : rows.reverse();
}

describe("scans", () => {
  let open: TestDatabase | null = null;
  afterEach(async () => {
    await open?.close();
    open = null;
  });

  it("see the snapshot under the own writes, whatever is written, undone or committed elsewhere", async () => {
    const test = await openTestDatabase();
    open = test;
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 10 }),
        fc.array(step, { maxLength: 25 }),
        a,
        a,
        async (before, steps, low, width) => {
          round += 1;
          const table = `t${round}`;
          await test.db.catalog.applySchema(
            "",
            schemaOf({ [table]: { indexes: { by_a: ["a"], by_b_a: ["b", "a"] } } }),
          );
          const committed: Model = new Map();
          const names: string[] = [];
          await test.mutate((transaction) => {
            for (const each of before) {
              apply(transaction, table, each, committed, names);
            }
          });
          const model: Model = new Map(committed);
          const mutation = test.begin("mutation");
          const saved: { savepoint: Savepoint; model: Model }[] = [];
          for (const each of steps) {
            if (each.do === "savepoint") {
              saved.push({ savepoint: mutation.savepoint(), model: new Map(model) });
            } else if (each.do === "rollback") {
              const last = saved.pop();
              if (last !== undefined) {
                mutation.rollbackTo(last.savepoint);
                model.clear();
                for (const [id, doc] of last.model) {
                  model.set(id, doc);
                }
              }
            } else if (each.do === "elsewhere") {
              const { step: other } = each;
              await test.mutate((transaction) =>
                apply(
                  transaction,
                  table,
                  other.do === "insert" ? { ...other, b: "z" } : other,
                  committed,
                  names,
                ),
              );
            } else {
              apply(mutation, table, each, model, names);
            }
            compareAll(mutation, table, model, low, low + width);
          }
          for (const id of names) {
            expect(get(mutation, id)).toEqual(model.get(id) ?? null);
          }
          compareAll(test.begin("query"), table, committed, low, low + width);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("walk more rows than one fetch brings, in both directions and by id", async () => {
    const test = await openTestDatabase();
    open = test;
    const ids = await test.mutate((transaction) =>
      Array.from({ length: 700 }, (_, n) => insert(transaction, "rows", { n })),
    );
    const query = test.begin("query");
    expect(collect(query, fullScan("rows")).map((doc) => doc["_id"])).toEqual(ids);
    expect(collect(query, fullScan("rows", "desc")).map((doc) => doc["_id"])).toEqual([...ids].reverse());
    const sorted = [...ids].sort();
    expect(collect(query, indexRange("rows.by_id")).map((doc) => doc["_id"])).toEqual(sorted);
    const range = [
      { type: "Gt", fieldPath: "_id", value: sorted[10] ?? "" },
      { type: "Lte", fieldPath: "_id", value: sorted[20] ?? "" },
    ];
    expect(collect(query, indexRange("rows.by_id", range, "desc")).map((doc) => doc["_id"])).toEqual(
      sorted.slice(11, 21).reverse(),
    );
  });

  it("enter the read set only as far as they went", async () => {
    const test = await openTestDatabase();
    open = test;
    await test.db.catalog.applySchema("", schemaOf({ rows: { indexes: { by_n: ["n"] } } }));
    await test.mutate((transaction) => {
      for (const n of [10, 20, 30]) {
        insert(transaction, "rows", { n });
      }
    });
    const staleAfter = async (take: number, order: "asc" | "desc", n: number): Promise<boolean> => {
      const query = test.begin("query");
      collect(query, indexRange("rows.by_n", [], order), [{ limit: take }]);
      let stale = false;
      const watch = test.db.watch(query.reads, query.beginTs, () => {
        stale = true;
      });
      const id = await test.mutate((transaction) => insert(transaction, "rows", { n }));
      await test.mutate((transaction) => remove(transaction, id));
      watch.close();
      return stale;
    };
    expect(await staleAfter(1, "asc", 5)).toBe(true);
    expect(await staleAfter(1, "asc", 15)).toBe(false);
    expect(await staleAfter(1, "desc", 25)).toBe(false);
    expect(await staleAfter(1, "desc", 35)).toBe(true);
    expect(await staleAfter(3, "asc", 35)).toBe(false);
    expect(await staleAfter(4, "asc", 35)).toBe(true);
    expect(await staleAfter(4, "desc", 5)).toBe(true);
  });
});

function compareAll(transaction: Transaction, table: string, model: Model, low: number, high: number): void {
  for (const order of ["asc", "desc"] as const) {
    expect(collect(transaction, indexRange(`${table}.by_a`, rangeOf(low, high), order))).toEqual(
      expected(model, ["a"], low, high, order),
    );
    expect(collect(transaction, indexRange(`${table}.by_b_a`, [], order))).toEqual(
      expected(model, ["b", "a"], 0, 99, order),
    );
  }
  expect(collect(transaction, fullScan(table))).toEqual(expected(model, [], 0, 99, "asc"));
  expect(collect(transaction, indexRange(`${table}.by_id`))).toHaveLength(model.size);
}

/** Does a step in a transaction and in the model, if the row that it names is there. */
function apply(
  transaction: Transaction,
  table: string,
  each: Exclude<Step, { do: "savepoint" | "rollback" | "elsewhere" }> | Step,
  model: Model,
  names: string[],
): void {
  if (each.do === "insert") {
    const id = insert(transaction, table, { a: each.a, b: each.b });
    names.push(id);
    model.set(id, asObject(get(transaction, id)));
    return;
  }
  const id =
    each.do === "patch" || each.do === "remove" ? names[each.row % Math.max(1, names.length)] : undefined;
  if (id === undefined || !model.has(id)) {
    return;
  }
  if (each.do === "patch") {
    patch(transaction, id, { a: each.a });
    model.set(id, asObject(get(transaction, id)));
  } else if (each.do === "remove") {
    remove(transaction, id);
    model.delete(id);
  }
}

function asObject(value: JsonValue): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value;
  }
  throw new Error("not an object");
}
