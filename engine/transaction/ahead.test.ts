import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject, Transaction } from "../types";
import {
  collect,
  fullScan,
  get,
  indexRange,
  insert,
  openTestDatabase,
  paginate,
  patch,
  remove,
  schemaOf,
  search,
  type TestDatabase,
} from "./test-database";

const SCHEMA = schemaOf({
  notes: { indexes: { by_n: ["n"] }, searches: { search_text: ["text"] } },
});

const numbers = (rows: readonly JsonObject[]): number[] => rows.map((row) => Number(row["n"]));
const byN = (transaction: Transaction, order: "asc" | "desc" = "asc"): number[] =>
  numbers(collect(transaction, indexRange("notes.by_n", [], order)));

describe("a transaction that reads ahead of the disk", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
    await test.db.catalog.applySchema("", SCHEMA);
  });
  afterEach(() => test.close());

  /** A commit that is accepted and not on disk: nothing of this turn is. */
  function accept(body: (transaction: Transaction) => void): Promise<unknown> {
    const transaction = test.begin("mutation", { ahead: true });
    body(transaction);
    return test.db.commit(transaction);
  }

  it("sees what accepted commits leave, in every way of reading", async () => {
    const [kept, gone] = await test.mutate((t) => [
      insert(t, "notes", { n: 2, text: "kept" }),
      insert(t, "notes", { n: 4, text: "gone" }),
    ]);
    const first = accept((t) => {
      insert(t, "notes", { n: 3, text: "red apple" });
      patch(t, kept, { n: 5, text: "green apple" });
    });
    const second = accept((t) => {
      remove(t, gone);
      insert(t, "notes", { n: 1, text: "pear" });
    });
    const reader = test.begin("mutation", { ahead: true });
    expect(byN(reader)).toEqual([1, 3, 5]);
    expect(byN(reader, "desc")).toEqual([5, 3, 1]);
    expect(get(reader, kept)).toMatchObject({ n: 5 });
    expect(get(reader, gone)).toBeNull();
    expect(numbers(paginate(reader, indexRange("notes.by_n"), { pageSize: 2 }).rows)).toEqual([1, 3]);
    const found = collect(reader, search("notes.search_text", "text", "apple"));
    expect(numbers(found).sort()).toEqual([3, 5]);
    // Everybody else sees them when they are on disk, and not before.
    expect(byN(test.begin("query"))).toEqual([2, 4]);
    await Promise.all([first, second]);
    expect(byN(test.begin("query"))).toEqual([1, 3, 5]);
    expect(byN(reader)).toEqual([1, 3, 5]);
  });

  it("goes on with the same state while commits come to the disk and others follow", async () => {
    await test.mutate((t) => {
      for (let n = 0; n < 20; n += 1) insert(t, "notes", { n: n * 10 });
    });
    const before = accept((t) => insert(t, "notes", { n: 55 }));
    const reader = test.begin("mutation", { ahead: true });
    const rows = collect(reader, indexRange("notes.by_n"), [{ limit: 3 }]);
    await before;
    await test.mutate((t) => {
      insert(t, "notes", { n: 56 });
      patch(t, String(rows[1]?.["_id"]), { n: 1000 });
    });
    expect(byN(reader)).toEqual(
      [...Array(20).keys()]
        .map((n) => n * 10)
        .concat(55)
        .sort((a, b) => a - b),
    );
  });

  it("changes and deletes documents that are not on disk yet, in the same batch and in the next", async () => {
    const ids: string[] = [];
    const first = accept((t) => {
      for (const n of [1, 2, 3]) ids.push(insert(t, "notes", { n, text: `number ${n}` }));
    });
    const [a = "", b = "", c = ""] = ids;
    const second = accept((t) => {
      patch(t, a, { n: 10, text: "ten" });
      remove(t, b);
    });
    const third = test.begin("mutation", { ahead: true });
    patch(third, a, { n: 11, text: "eleven" });
    remove(third, c);
    await Promise.all([first, second]);
    await test.db.commit(third);
    const expected = [{ _id: a, n: 11, text: "eleven" }];
    test = await test.reopen();
    const reader = test.begin("query");
    expect(collect(reader, fullScan("notes"))).toMatchObject(expected);
    expect(collect(reader, indexRange("notes.by_n"))).toMatchObject(expected);
    expect(collect(reader, search("notes.search_text", "text", "eleven"))).toMatchObject(expected);
    expect(collect(reader, search("notes.search_text", "text", "number"))).toEqual([]);
  });

  it("does not lose to the commits that it saw", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 0 }));
    const commits = Array.from({ length: 50 }, () =>
      accept((t) => patch(t, id, { n: Number(Object(get(t, id)).n) + 1 })),
    );
    await Promise.all(commits);
    expect(get(test.begin("query"), id)).toMatchObject({ n: 50 });
  });

  it("is answered no earlier than the disk has what it saw, with and without writes", async () => {
    const answered: string[] = [];
    const first = accept((t) => insert(t, "notes", { n: 1 })).then(() => answered.push("first"));
    const reader = test.begin("mutation", { ahead: true });
    byN(reader);
    const read = test.db.commit(reader).then(() => answered.push("read"));
    const failed = test.begin("mutation", { ahead: true });
    const told = test.db.settled(failed).then(() => answered.push("told"));
    await Promise.resolve();
    expect(answered).toEqual([]);
    await Promise.all([first, read, told]);
    expect(answered[0]).toBe("first");
    expect(byN(test.begin("query"))).toEqual([1]);
  });

  it("learns of a table that an accepted commit creates by losing to it once", async () => {
    const first = accept((t) => insert(t, "fresh", { n: 1 }));
    const second = test.begin("mutation", { ahead: true });
    expect(collect(second, fullScan("fresh"))).toEqual([]);
    insert(second, "fresh", { n: 2 });
    await expect(test.db.commit(second)).rejects.toMatchObject({ kind: "conflict" });
    await first;
    const again = test.begin("mutation", { ahead: true });
    expect(numbers(collect(again, fullScan("fresh")))).toEqual([1]);
  });
});

describe("a transaction that saw a commit which the disk then refuses", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase({ pagesMax: 60 });
    await test.mutate((t) => insert(t, "notes", { n: 0 }));
  });
  afterEach(() => test.close());

  const tooMuch = (t: Transaction): void => {
    for (let n = 0; n < 40; n += 1) insert(t, "notes", { n: 1, text: "x".repeat(20_000) });
  };

  it("fails with it, reruns, or is not answered; nothing of either is left", async () => {
    const doomed = test.begin("mutation", { ahead: true });
    tooMuch(doomed);
    const refused = test.db.commit(doomed);
    const follower = test.begin("mutation", { ahead: true });
    const seen = numbers(collect(follower, fullScan("notes"))).length;
    insert(follower, "notes", { n: seen });
    const followed = test.db.commit(follower);
    const late = test.begin("mutation", { ahead: true });
    insert(late, "notes", { n: numbers(collect(late, fullScan("notes"))).length });
    const reader = test.begin("mutation", { ahead: true });
    collect(reader, fullScan("notes"));
    const read = test.db.commit(reader);
    await expect(refused).rejects.toMatchObject({ kind: "overloaded" });
    await expect(followed).rejects.toMatchObject({ kind: "overloaded" });
    await expect(read).rejects.toMatchObject({ kind: "conflict" });
    await expect(test.db.commit(late)).rejects.toMatchObject({ kind: "conflict" });
    expect(seen).toBe(41);
    expect(() => collect(late, fullScan("notes"))).toThrow("no longer kept");
    expect(numbers(collect(test.begin("query"), fullScan("notes")))).toEqual([0]);
    // The disk takes less: the next ones go on from what is there.
    const next = test.begin("mutation", { ahead: true });
    insert(next, "notes", { n: numbers(collect(next, fullScan("notes"))).length });
    await test.db.commit(next);
    expect(numbers(collect(test.begin("query"), fullScan("notes")))).toEqual([0, 1]);
  });
});
