import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, fullScan, insert, openTestDatabase } from "../transaction/test-database";
import { verifyDirectory } from "../verify";
import { openStore } from "./open-store";

const COMMITS = 30;
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

describe("the log of a killed process", () => {
  let killed: string;
  const copies: string[] = [];

  beforeAll(async () => {
    const test = await openTestDatabase();
    for (let n = 0; n < COMMITS; n += 1) {
      await test.mutate((transaction) => insert(transaction, "notes", { n }));
    }
    killed = mkdtempSync(path.join(tmpdir(), "killed-"));
    // What lies on disk while the engine runs is what a kill leaves.
    cpSync(test.dataDir, killed, { recursive: true });
    rmSync(path.join(killed, "engine.lock"));
    await test.close();
  });
  afterAll(() => {
    for (const dir of [killed, ...copies]) rmSync(dir, { recursive: true, force: true });
  });

  const copy = () => {
    const dir = mkdtempSync(path.join(tmpdir(), "killed-copy-"));
    copies.push(dir);
    cpSync(killed, dir, { recursive: true });
    return { dir, file: path.join(dir, "engine.sqlite3"), log: path.join(dir, "engine.sqlite3-wal") };
  };
  const notes = async (dataDir: string) => {
    const test = await openTestDatabase({ dataDir });
    const rows = collect(test.begin("query"), fullScan("notes"));
    await test.db.close();
    return rows.map((row) => row["n"]);
  };

  it("is read to its end", async () => {
    expect(await notes(copy().dir)).toEqual(Array.from({ length: COMMITS }, (_, n) => n));
  });

  it.each([
    ["in its header", 8],
    ["in the salts of an early frame", HEADER_BYTES + 9],
    ["in a page of an early frame", HEADER_BYTES + 24 + 100],
    ["in a page half way", HEADER_BYTES + FRAME_BYTES * 40 + 500],
  ])("with a flipped byte %s ends the start with a sentence, and is left as it is", (_where, at) => {
    const { dir, file, log } = copy();
    const bytes = readFileSync(log);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(log, bytes);
    const database = readFileSync(file);
    expect(() => openStore({ dataDir: dir, fsync: "full" })).toThrow(
      new RegExp(`^The database ${log} is damaged .* and was left as it is`),
    );
    expect(readFileSync(log).equals(bytes)).toBe(true);
    expect(readFileSync(file).equals(database)).toBe(true);
  });

  it("that ends early, as after a power cut, gives the commits before that place and nothing by halves", async () => {
    const size = readFileSync(path.join(killed, "engine.sqlite3-wal")).length;
    let before = -1;
    for (const share of [0.5, 0.7, 0.9, 0.999]) {
      const { dir, log } = copy();
      truncateSync(log, Math.floor(size * share));
      const rows = await notes(dir);
      expect(rows).toEqual(Array.from({ length: rows.length }, (_, n) => n));
      expect(rows.length).toBeGreaterThan(before);
      before = rows.length;
      expect((await verifyDirectory(dir)).problems).toEqual([]);
    }
  });
});
