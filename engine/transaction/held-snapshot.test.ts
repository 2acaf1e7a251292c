import { afterEach, beforeEach, expect, test } from "vitest";
import { isJsonObject, parseJson } from "../json";
import type { HeldSnapshot } from "../types";
import { call, insert, openTestDatabase, patch, type TestDatabase } from "./test-database";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

/** More than two pages, so that a walk gives others a turn in its middle. */
const ROWS = 450;

const fill = () =>
  database.mutate((transaction) =>
    Array.from({ length: ROWS }, (_, n) => insert(transaction, "rows", { n })).sort(),
  );

async function read(held: HeldSnapshot, between: (page: number) => Promise<void> = async () => undefined) {
  const rows = new Map<string, unknown>();
  let pages = 0;
  for await (const page of held.pages("", "rows")) {
    for (const { id, text } of page) {
      const row = parseJson(text, "A row");
      rows.set(id, isJsonObject(row) ? row["n"] : null);
    }
    pages += 1;
    await between(pages);
  }
  return rows;
}

test("a held snapshot shows every row once, in order of id, whatever is written during the walk", async () => {
  const ids = await fill();
  const held = database.db.hold();
  const before = await read(held);
  const rows = await read(held, (page) =>
    database.mutate((transaction) => {
      // Rows that were read already and rows that are ahead: changed, deleted, and new ones among them.
      for (const index of [page, ROWS - page]) {
        patch(transaction, ids[index] ?? "", { n: -1 });
        call(transaction, "1.0/remove", { id: ids[index + 10 * (index < 100 ? 1 : -1)] ?? "" });
        insert(transaction, "rows", { n: -2 });
      }
    }),
  );
  expect([...rows.keys()]).toEqual(ids);
  expect(rows).toEqual(before);
  expect([...(await read(held)).values()].every((n) => Number(n) >= 0)).toBe(true);
  held.close();
});

test("a held snapshot outlasts the minute that the write log remembers", async () => {
  const [first = ""] = await fill();
  const held = database.db.hold();
  await database.mutate((transaction) => patch(transaction, first, { n: -1 }));
  database.clock.ms += 120_000;
  await database.mutate((transaction) => insert(transaction, "rows", { n: -2 }));
  const rows = await read(held);
  expect([rows.size, Number(rows.get(first)) >= 0]).toEqual([ROWS, true]);
  held.close();
  await expect(read(held)).rejects.toMatchObject({ code: "SnapshotClosed" });
});

test("a table that came later is not part of a held snapshot", async () => {
  const held = database.db.hold();
  await fill();
  expect([held.tables.map((table) => table.name).includes("rows"), (await read(held)).size]).toEqual([
    false,
    0,
  ]);
  held.close();
});
