import { setImmediate as nextTurn } from "node:timers/promises";
import type { Sqlite } from "../../engine/storage/driver";

/** Rows that wait for the same turn share one commit, as in the engine; each promise resolves once its row is on disk. */
export function groupCommit<Row>(sqlite: Sqlite, write: (row: Row) => void): (row: Row) => Promise<void> {
  let batch: { row: Row; done: () => void }[] = [];
  const flush = async () => {
    await nextTurn();
    const rows = batch;
    batch = [];
    sqlite.transaction(() => {
      for (const { row } of rows) write(row);
    });
    for (const { done } of rows) done();
  };
  return (row) =>
    new Promise((done) => {
      batch.push({ row, done });
      if (batch.length === 1) void flush();
    });
}
