import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFileStore } from "../files/file-store";
import { openTestDatabase } from "../transaction/test-database";
import { Imports } from "./imports";
import { JobRows } from "./job-rows";

test("an import that was applied right before a kill is known as completed afterwards, any other one as failed", async () => {
  const { db: database, clock, dataDir, close } = await openTestDatabase();
  const log = () => undefined;
  const files = await openFileStore({
    database,
    dataDir,
    clock,
    adminKey: "k",
    cloudOrigin: "http://x",
    log,
  });
  const rows = new JobRows(database, "_snapshot_imports");
  const planned = { planned_rows: { $integer: "AwAAAAAAAAA=" } };
  const applied = await rows.insert({ state: { state: "in_progress" }, ...planned });
  const lost = await rows.insert({ state: { state: "waiting_for_confirmation" } });
  const failed = await rows.insert({ state: { state: "failed", error_message: "as before" } });
  await database.stage().apply(applied);

  await new Imports({ database, files, clock, log, folder: join(dataDir, "imports") }).open();
  expect(rows.get(applied)?.["state"]).toEqual({
    state: "completed",
    num_rows_written: planned.planned_rows,
  });
  expect(rows.get(lost)?.["state"]).toMatchObject({
    state: "failed",
    error_message: expect.stringContaining("Nothing was imported"),
  });
  expect(rows.get(failed)?.["state"]).toEqual({ state: "failed", error_message: "as before" });
  await close();
  rmSync(dataDir, { recursive: true, force: true });
});

test("the newest twenty jobs are remembered", async () => {
  const { db, close } = await openTestDatabase();
  const rows = new JobRows(db, "_exports");
  for (let n = 0; n < 25; n += 1) await rows.insert({ state: "completed", n });
  expect(rows.list().map((job) => job["n"])).toEqual(Array.from({ length: 20 }, (_, n) => 24 - n));
  await close();
});
