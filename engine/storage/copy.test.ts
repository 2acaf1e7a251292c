import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { openSqlite } from "./driver";
import { openStore } from "./open-store";
import { Store } from "./store";

/** About ten megabytes: many steps of the copy. */
const ROWS = 5_000;
const ROW = { size: 2_000, text: JSON.stringify("x".repeat(2_000)) };

test("a copy under way lets others write, and holds each transaction wholly or not at all", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "engine-"));
  const store = openStore({ dataDir, fsync: "off" });
  try {
    const put = (tid: number, id: string) =>
      store.write({ tid, id, rid: null, next: ROW, entries: [], searches: [] });
    store.atomically(() => {
      for (let n = 0; n < ROWS; n += 1) put(1, `row ${n}`);
    });
    const file = path.join(dataDir, "copy.sqlite3");
    let isDone = false;
    const done = store
      .copyTo(file, () => undefined)
      .finally(() => {
        isDone = true;
      });
    let pairs = 0;
    while (!isDone) {
      store.atomically(() => {
        put(2, `${pairs} a`);
        put(2, `${pairs} b`);
      });
      pairs += 1;
      await setImmediate();
    }
    await done;
    const sqlite = openSqlite(file);
    const copy = new Store(sqlite, () => undefined);
    const everything = { start: "", end: null };
    expect(copy.scanIds(1, everything, "asc", ROWS * 2).length).toBe(ROWS);
    const found = copy.scanIds(2, everything, "asc", pairs * 2 + 1).length;
    expect([pairs > 1, found % 2, found <= pairs * 2]).toEqual([true, 0, true]);
    sqlite.close();
  } finally {
    store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
