import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqlite } from "./driver";
import { openStore } from "./open-store";
import type { Batch, Store } from "./store";

let dataDir: string;
let store: Store;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "writer-"));
  store = openStore({ dataDir, fsync: "normal" });
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const batch = (id: string, text = "{}"): Batch => ({
  tables: [],
  docs: [
    {
      tid: 1,
      id,
      rid: null,
      next: { size: 1, text },
      entries: [{ xid: 1, oldKey: null, newKey: id }],
      searches: [],
    },
  ],
  mark: { name: "mark", value: id },
});

const write = (given: Batch): Promise<unknown> =>
  new Promise((resolve) => store.commit(given, { done: resolve }));

const isThere = (id: string): boolean => store.get(1, id) !== null;

describe("a batch in the writing thread", () => {
  it("shows to reads when its end is heard, and not before, although SQLite has it", async () => {
    const seen: boolean[] = [];
    await new Promise<void>((resolve) =>
      store.commit(batch("a"), {
        written: () => seen.push(isThere("a")),
        done: () => {
          seen.push(isThere("a"));
          resolve();
        },
      }),
    );
    expect(seen).toEqual([false, true]);
    const ended = write(batch("b"));
    const other = openSqlite(path.join(dataDir, "engine.sqlite3"));
    const onDisk = other.prepare("SELECT 1 AS found FROM docs WHERE id = 'b'");
    // Nothing is heard meanwhile: this test does not give up its turn.
    const deadlineMs = performance.now() + 15_000;
    while (onDisk.get() === undefined && performance.now() < deadlineMs);
    expect(isThere("b")).toBe(false);
    await ended;
    expect(isThere("b")).toBe(true);
    other.close();
  });

  it("is waited for by a change outside of batches, which sees it", async () => {
    const order: string[] = [];
    store.commit(batch("a"), { done: () => order.push("batch") });
    store.atomically(() => {
      order.push(`change sees ${isThere("a")}`);
      store.setMeta("mark", "changed");
    });
    expect(order).toEqual(["batch", "change sees true"]);
    expect(await write(batch("b"))).toBeNull();
    expect(store.meta("mark")).toBe("b");
  });

  it("that fails leaves nothing, says why, and does not stop the next", async () => {
    await write(batch("a"));
    const twice = { ...batch("b"), docs: [...batch("b").docs, ...batch("a").docs] };
    expect(await write(twice)).toMatchObject({ message: expect.stringContaining("UNIQUE"), errcode: 2067 });
    expect([isThere("b"), store.meta("mark")]).toEqual([false, "a"]);
    expect(await write(batch("c"))).toBeNull();
    expect(isThere("c")).toBe(true);
  });

  it("finds its place after rows that were written outside of batches, and the other way round", async () => {
    await write(batch("a"));
    store.atomically(() => batch("b").docs.map((doc) => store.write(doc)));
    await write(batch("c"));
    expect(["a", "b", "c"].map((id) => store.get(1, id)?.rid)).toEqual([1, 2, 3]);
  });

  it("does not let the log grow without end under steady writing and reading", async () => {
    const log = path.join(dataDir, "engine.sqlite3-wal");
    const sizes: number[] = [];
    for (let n = 0; n < 120; n += 1) {
      expect(await write(batch(`${n}`, "x".repeat(1_000_000)))).toBeNull();
      sizes.push(statSync(log).size);
    }
    // 4,000 pages are 16 MB; without moving the log there would be 120 MB.
    expect(Math.max(...sizes)).toBeLessThan(24_000_000);
    expect(store.page(1, 0, 1000)).toHaveLength(120);
  });
});

it("a store that was closed is one file, and another opening finds everything", async () => {
  await write(batch("a"));
  await store.close();
  expect(() => statSync(path.join(dataDir, "engine.sqlite3-wal"))).toThrow("ENOENT");
  store = openStore({ dataDir, fsync: "full" });
  expect(isThere("a")).toBe(true);
});
