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

test.each(["off", "normal"] as const)(
  "with fsync %s a copy under way lets others write, and holds each transaction wholly or not at all",
  async (fsync) => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "engine-"));
    const store = openStore({ dataDir, fsync });
    try {
      const rowOf = (tid: number, id: string) => ({
        tid,
        id,
        rid: null,
        next: ROW,
        entries: [],
        searches: [],
      });
      store.atomically(() => {
        for (let n = 0; n < ROWS; n += 1) store.write(rowOf(1, `row ${n}`));
      });
      const putPair = (n: number) =>
        new Promise((resolve) => {
          const docs = ["a", "b"].map((half) => rowOf(2, `${n} ${half}`));
          store.commit({ tables: [], docs, mark: { name: "mark", value: `${n}` } }, { done: resolve });
        });
      // The writing thread is up from here on.
      await putPair(0);
      const file = path.join(dataDir, "copy.sqlite3");
      let isDone = false;
      const done = store
        .copyTo(file, () => undefined)
        .finally(() => {
          isDone = true;
        });
      let pairs = 1;
      while (!isDone) {
        await putPair(pairs);
        pairs += 1;
        await setImmediate();
      }
      await done;
      const sqlite = openSqlite(file);
      const copy = new Store(sqlite, () => undefined);
      const everything = { start: "", end: null };
      expect(copy.scanIds(1, everything, "asc", ROWS * 2).length).toBe(ROWS);
      const found = copy.scanIds(2, everything, "asc", pairs * 2 + 1).length;
      expect([pairs > 2, found % 2, found <= pairs * 2]).toEqual([true, 0, true]);
      sqlite.close();
    } finally {
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
);
