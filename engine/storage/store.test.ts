import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqlite } from "./driver";
import { idBounds } from "./id-bounds";
import { openStore } from "./open-store";
import type { Store } from "./store";

let dataDir: string;
let file: string;
let lock: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "store-"));
  file = path.join(dataDir, "engine.sqlite3");
  lock = path.join(dataDir, "engine.lock");
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const open = (): Store => openStore({ dataDir, fsync: "full" });

describe("a data directory", () => {
  it("is created with everything in it, and is free again after closing", async () => {
    const nested = path.join(dataDir, "a", "b");
    await openStore({ dataDir: nested, fsync: "off" }).close();
    expect(existsSync(path.join(nested, "engine.sqlite3"))).toBe(true);
    expect(existsSync(path.join(nested, "engine.lock"))).toBe(false);
    await openStore({ dataDir: nested, fsync: "off" }).close();
  });

  it("belongs to one opening at a time, and the second one says who has it", async () => {
    const store = open();
    expect(open).toThrow(
      `The data directory ${dataDir} is in use by process ${process.pid}: stop it first, or choose another directory.`,
    );
    await store.close();
    await open().close();
  });

  it("of a living process is refused by its number", async () => {
    const other = spawn(process.execPath, ["-e", "process.stdout.write('up'); setInterval(() => {}, 1000)"]);
    await once(other.stdout, "data");
    writeFileSync(lock, JSON.stringify({ pid: other.pid, token: "x", startedAt: null }));
    expect(open).toThrow(`in use by process ${other.pid}`);
    other.kill("SIGKILL");
    await once(other, "exit");
    await open().close();
  });

  it("is taken over from a process that is gone, or whose number another one got", async () => {
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, token: "x", startedAt: null }));
    await open().close();
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, token: "x", startedAt: "another boot/1" }));
    await open().close();
    writeFileSync(lock, JSON.stringify({ pid: process.pid, token: "of an earlier life", startedAt: null }));
    await open().close();
    writeFileSync(lock, "");
    await open().close();
  });

  it("is protected by SQLite itself where the lock file was lost", async () => {
    const store = open();
    rmSync(lock);
    expect(open).toThrow("in use by another process");
    await store.close();
  });

  it("that cannot be created is named, with the reason", () => {
    writeFileSync(path.join(dataDir, "taken"), "");
    expect(() => openStore({ dataDir: path.join(dataDir, "taken", "sub"), fsync: "off" })).toThrow(
      "cannot be used (ENOTDIR",
    );
  });
});

describe("a database file", () => {
  const damage = async (change: (bytes: Buffer) => Buffer): Promise<Buffer> => {
    const store = open();
    store.atomically(() => {
      for (let n = 0; n < 200; n += 1) {
        store.write({
          tid: 1,
          id: `id${n}`,
          rid: null,
          next: { size: 1, text: "x".repeat(500) },
          entries: [],
          searches: [],
        });
      }
    });
    await store.close();
    const bytes = change(readFileSync(file));
    writeFileSync(file, bytes);
    return bytes;
  };

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["is something else", () => Buffer.from("not a database at all".repeat(50))],
    ["lost its second half", (bytes) => bytes.subarray(0, bytes.length / 2)],
    [
      "has noise in the middle",
      (bytes) => Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(8192, 0xa5), bytes.subarray(16_384)]),
    ],
  ])("that %s is refused with advice and left as it is", async (_name, change) => {
    const bytes = await damage(change);
    expect(open).toThrow(expect.objectContaining({ code: "DatabaseDamaged" }));
    expect(open).toThrow("restore a backup, or move it away to start empty");
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it("of another program, or of a later version, is refused", async () => {
    const foreign = openSqlite(file);
    foreign.exec("CREATE TABLE theirs (a)");
    foreign.close();
    expect(open).toThrow("is a database of another program");
    rmSync(file);
    await open().close();
    const later = openSqlite(file);
    later.exec("PRAGMA user_version = 99");
    later.close();
    expect(open).toThrow("was written by a newer version (layout 99, this one knows 2): update first.");
  });

  it("keeps a write transaction wholly or not at all", async () => {
    const store = open();
    const write = (id: string) =>
      store.write({
        tid: 1,
        id,
        rid: null,
        next: { size: 1, text: "{}" },
        entries: [{ xid: 1, oldKey: null, newKey: id }],
        searches: [],
      });
    store.atomically(() => write("a"));
    expect(() =>
      store.atomically(() => {
        write("b");
        throw new Error("half way");
      }),
    ).toThrow("half way");
    store.atomically(() => write("c"));
    expect(["a", "b", "c"].map((id) => store.get(1, id)?.rid ?? null)).toEqual([1, null, 2]);
    expect(store.scan(1, { start: "", end: null }, "asc", 9).map((entry) => entry.key)).toEqual(["a", "c"]);
    await store.close();
  });

  it("is synced by every commit", async () => {
    await open().close();
    const store = open();
    expect(store.synchronous).toBe("full");
    await store.close();
  });
});

describe("ranges of ids", () => {
  const tag = "\x10";
  it.each<[string, { start: string; end: string | null }, ReturnType<typeof idBounds>]>([
    ["everything", { start: "", end: null }, { lower: null, upper: null }],
    [
      "from an id on",
      { start: `${tag}abc\0`, end: null },
      { lower: { id: "abc", inclusive: true }, upper: null },
    ],
    [
      "after an id",
      { start: `${tag}abc\0\0`, end: null },
      { lower: { id: "abc", inclusive: false }, upper: null },
    ],
    [
      "before an id",
      { start: "", end: `${tag}abc\0` },
      { lower: null, upper: { id: "abc", inclusive: false } },
    ],
    [
      "up to an id",
      { start: "", end: `${tag}abc\x01` },
      { lower: null, upper: { id: "abc\x01", inclusive: false } },
    ],
    ["numbers only", { start: "\x0d", end: "\x0e" }, null],
    ["bytes and more", { start: "\x11", end: null }, null],
  ])("%s", (_name, interval, bounds) => {
    expect(idBounds(interval)).toEqual(bounds);
  });
});
