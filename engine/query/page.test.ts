import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  fullScan,
  indexRange,
  insert,
  openTestDatabase,
  paginate,
  patch,
  remove,
  schemaOf,
  type TestDatabase,
} from "../transaction/test-database";
import type { JsonObject } from "../types";

const byN = (range: JsonObject[] = [], order: "asc" | "desc" | null = null) =>
  indexRange("rows.by_n", range, order);
const numbers = (rows: JsonObject[]) => rows.map((row) => row["n"]);

describe("pages", () => {
  let test: TestDatabase;
  const ids = new Map<number, string>();

  beforeEach(async () => {
    test = await openTestDatabase();
    await test.db.catalog.applySchema("", schemaOf({ rows: { indexes: { by_n: ["n"] } } }));
    await test.mutate((transaction) => {
      for (let n = 0; n < 10; n += 1) {
        ids.set(n, insert(transaction, "rows", { n }));
      }
    });
  });
  afterEach(() => test.close());

  const idOf = (n: number): string => ids.get(n) ?? "";

  it.each(["asc", "desc"] as const)("put together are the whole query, %s", (order) => {
    const seen: unknown[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < 4; page += 1) {
      const result = paginate(test.begin("query"), byN([], order), { cursor, pageSize: 3 });
      seen.push(...numbers(result.rows));
      expect(result.isDone).toBe(page === 3);
      cursor = result.cursor;
    }
    expect(seen).toEqual(order === "asc" ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    const after = paginate(test.begin("query"), byN([], order), { cursor, pageSize: 3 });
    expect([after.rows, after.isDone]).toEqual([[], true]);
  });

  it("count filtered rows as read, not as shown", () => {
    const even: JsonObject = {
      filter: { $eq: [{ $mod: [{ $field: "n" }, { $literal: 2 }] }, { $literal: 0 }] },
    };
    const first = paginate(test.begin("query"), byN(), { pageSize: 2 }, [even]);
    expect(numbers(first.rows)).toEqual([0, 2]);
    const second = paginate(test.begin("query"), byN(), { cursor: first.cursor, pageSize: 9 }, [even]);
    expect([numbers(second.rows), second.isDone]).toEqual([[4, 6, 8], true]);
  });

  it("read again with their journal have neither gap nor overlap, whatever came in between", async () => {
    const query = test.begin("query");
    const first = paginate(query, byN(), { pageSize: 3 });
    expect(query.nextJournal).toBe(first.cursor);
    await test.mutate((transaction) => {
      insert(transaction, "rows", { n: 1.5 });
      remove(transaction, idOf(2));
      insert(transaction, "rows", { n: 2.5 });
    });
    const again = test.begin("query", { journal: query.nextJournal });
    const reread = paginate(again, byN(), { pageSize: 3 });
    expect(numbers(reread.rows)).toEqual([0, 1, 1.5]);
    expect(again.nextJournal).toBe(query.nextJournal);
    const second = paginate(test.begin("query"), byN(), { cursor: first.cursor, pageSize: 3 });
    expect(numbers(second.rows)).toEqual([2.5, 3, 4]);
  });

  it("with an end cursor stop there and nowhere before", () => {
    const whole = paginate(test.begin("query"), byN(), { pageSize: 6 });
    const again = paginate(test.begin("query"), byN(), {
      pageSize: 1,
      endCursor: whole.cursor,
      maximumRowsRead: 1,
    });
    expect(numbers(again.rows)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(again.cursor).toBe(whole.cursor);
  });

  it("are split in the middle of what they read", () => {
    const page = paginate(test.begin("query"), byN(), { pageSize: 8 });
    const left = paginate(test.begin("query"), byN(), { pageSize: 8, endCursor: page.split });
    const right = paginate(test.begin("query"), byN(), {
      cursor: page.split,
      pageSize: 8,
      endCursor: page.cursor,
    });
    expect(numbers([...left.rows, ...right.rows])).toEqual(numbers(page.rows));
    expect(left.rows.length).toBeGreaterThan(2);
    expect(right.rows.length).toBeGreaterThan(2);
  });

  it("end early at maximumRowsRead and say that they must be split", () => {
    const page = paginate(test.begin("query"), byN(), { pageSize: 9, maximumRowsRead: 4 });
    expect([numbers(page.rows), page.status, page.isDone]).toEqual([[0, 1, 2, 3], "SplitRequired", false]);
    const rest = paginate(test.begin("query"), byN(), { cursor: page.cursor, pageSize: 9 });
    expect(numbers(rest.rows)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it("recommend a split from 75 % of a bound on", () => {
    const page = (rows: number) =>
      paginate(test.begin("query"), byN(), { pageSize: rows, maximumRowsRead: 8 }).status;
    expect([page(6), page(7)]).toEqual([null, "SplitRecommended"]);
  });

  it("see own writes", async () => {
    await test.mutate((transaction) => {
      insert(transaction, "rows", { n: 0.5 });
      patch(transaction, idOf(0), { n: 20 });
      expect(numbers(paginate(transaction, byN(), { pageSize: 2 }).rows)).toEqual([0.5, 1]);
    });
  });

  it("of another query refuse the cursor", () => {
    const { cursor } = paginate(test.begin("query"), byN(), { pageSize: 1 });
    const other = [{ type: "Gt", fieldPath: "n", value: 3 }];
    for (const source of [byN(other), byN([], "desc"), fullScan("rows")]) {
      expect(() => paginate(test.begin("query"), source, { cursor, pageSize: 1 })).toThrow("InvalidCursor");
    }
  });

  it("have at least one row and come once per function", () => {
    expect(() => paginate(test.begin("query"), byN(), { pageSize: 0 })).toThrow(
      "Must request at least 1 document",
    );
    expect(() => paginate(test.begin("query"), byN(), { pageSize: 40_000 })).toThrow("between 1 and 32000");
    expect(() => paginate(test.begin("query"), byN(), { pageSize: 1, maximumRowsRead: 0 })).toThrow(
      "maximumRowsRead and maximumBytesRead must be greater than 0",
    );
    const query = test.begin("query");
    paginate(query, byN(), { pageSize: 1 });
    expect(() => paginate(query, byN(), { pageSize: 1 })).toThrow("multiple paginated queries");
  });
});
