import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTestDatabase } from "../transaction/test-database";
import { openFileStore } from "./file-store";

test("files that are deleted keep their bytes for as long as somebody copies them", async () => {
  const { db, clock, dataDir, mutate, close } = await openTestDatabase();
  const files = await openFileStore({
    database: db,
    dataDir,
    clock,
    adminKey: "key",
    cloudOrigin: "http://localhost",
    log: () => undefined,
  });
  const blobs = () =>
    readdirSync(join(dataDir, "files"), { withFileTypes: true }).filter((f) => f.isFile()).length;
  const id = await files.store({ bytes: Buffer.from("held"), contentType: null });
  const [first, second] = [files.holdBytes(), files.holdBytes()];
  await mutate((transaction) => files.remove(transaction, id));
  first();
  first(); // A second call of the same holder does not count for another.
  expect(blobs()).toBe(1);
  second();
  await files.close();
  expect(blobs()).toBe(0);
  await close();
});
