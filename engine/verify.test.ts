import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "./clock";
import { openFileStore } from "./files/file-store";
import { openSqlite } from "./storage/driver";
import { insert, openTestDatabase, patch, schemaOf } from "./transaction/test-database";
import type { Database } from "./types";
import { verifyDirectory } from "./verify";

describe("the look through a data directory", () => {
  let dataDir: string;
  let fileId: string;

  beforeEach(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), "verify-"));
    const test = await openTestDatabase({ dataDir });
    await test.db.catalog.applySchema("", schemaOf({ notes: { indexes: { by_x: ["x"] } } }));
    await test.mutate((transaction) => {
      for (let x = 0; x < 20; x += 1) insert(transaction, "notes", { x });
    });
    await test.mutate((transaction) =>
      patch(transaction, insert(transaction, "notes", { x: "a" }), { x: "b" }),
    );
    const files = await openStoreOfFiles(test.db);
    fileId = await files.store({ bytes: Buffer.from("the bytes of a file"), contentType: "text/plain" });
    await files.close();
    await test.db.close();
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const openStoreOfFiles = (database: Database) =>
    openFileStore({
      database,
      dataDir,
      clock: systemClock,
      adminKey: "key",
      cloudOrigin: "http://127.0.0.1",
      log: () => undefined,
    });
  const sql = (text: string) => {
    const sqlite = openSqlite(path.join(dataDir, "engine.sqlite3"));
    sqlite.exec(text);
    sqlite.close();
  };
  const blob = () => {
    const folder = path.join(dataDir, "files");
    const name = readdirSync(folder).find((each) => each !== "incoming") ?? "";
    return path.join(folder, name);
  };
  const problems = async () => (await verifyDirectory(dataDir)).problems;

  it("finds nothing wrong with what the engine wrote", async () => {
    expect(await verifyDirectory(dataDir)).toMatchObject({ problems: [], files: 1, orphanBlobs: 0 });
  });

  it("finds an index entry that is lost", async () => {
    sql(
      "DELETE FROM idx WHERE xid = (SELECT xid FROM indexes WHERE name = 'by_x') AND key = (SELECT max(key) FROM idx WHERE xid = (SELECT xid FROM indexes WHERE name = 'by_x'))",
    );
    expect(await problems()).toEqual([
      expect.stringMatching(/^Document \w+ of table notes is missing from index/),
      "Index notes.by_x has 20 entries for 21 documents.",
    ]);
  });

  it("finds an entry of a document that is gone", async () => {
    sql(
      "DELETE FROM docs WHERE rid = (SELECT max(rid) FROM docs WHERE tid = (SELECT tid FROM tables WHERE name = 'notes'))",
    );
    expect(await problems()).toEqual([
      "Index notes.by_creation_time has 21 entries for 20 documents.",
      "Index notes.by_x has 21 entries for 20 documents.",
    ]);
  });

  it("finds a document whose value and entries disagree", async () => {
    sql(`UPDATE docs SET val = replace(val, '"x":3', '"x":4') WHERE val LIKE '%"x":3}%'`);
    expect(await problems()).toEqual([expect.stringMatching(/of table notes is missing from index/)]);
  });

  it("finds entries of an index that there is not", async () => {
    sql("INSERT INTO idx (xid, key, rid) VALUES (999999, x'00', 1)");
    expect(await problems()).toEqual(["There are entries of index 999999, which belongs to no table."]);
  });

  it("finds bytes of a file that are missing, cut or changed", async () => {
    const bytes = readFileSync(blob());
    writeFileSync(blob(), bytes.subarray(0, 5));
    expect(await problems()).toEqual([expect.stringMatching(/are 5 instead of 19 long/)]);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    writeFileSync(blob(), bytes);
    expect(await problems()).toEqual([expect.stringMatching(/are not those that were stored/)]);
    rmSync(blob());
    expect(await problems()).toEqual([expect.stringMatching(/are missing/)]);
  });

  it("finds no entries of the index by id, which is the table itself", () => {
    const sqlite = openSqlite(path.join(dataDir, "engine.sqlite3"));
    const byId = sqlite.prepare(
      "SELECT count(*) AS n FROM idx JOIN indexes USING (xid) WHERE name = 'by_id'",
    );
    expect(byId.get()).toEqual({ n: 0 });
    sqlite.close();
  });

  it("is not needed for functions to be kept from bytes that were changed: reading them fails", async () => {
    writeFileSync(blob(), "the bytes of a FILE");
    const test = await openTestDatabase({ dataDir });
    const files = await openStoreOfFiles(test.db);
    await expect(files.read(fileId)).rejects.toThrow(`The bytes of file ${fileId} are not those stored.`);
    await files.close();
    await test.db.close();
  });

  it("counts a blob without a row, which the next start removes", async () => {
    writeFileSync(path.join(dataDir, "files", "orphan"), "left by a kill");
    expect(await verifyDirectory(dataDir)).toMatchObject({ problems: [], orphanBlobs: 1 });
  });

  it("tells of a file that SQLite cannot read, and leaves it as it is", async () => {
    const file = path.join(dataDir, "engine.sqlite3");
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4096, 4096 * 3);
    writeFileSync(file, bytes);
    expect(await problems()).toEqual([expect.stringContaining("is damaged")]);
    expect(readFileSync(file)).toEqual(bytes);
  });

  it("finds a search index that does not say what its documents do", async () => {
    const test = await openTestDatabase({ dataDir });
    const searches = { by_text: ["text", "x"] };
    await test.db.catalog.applySchema("", schemaOf({ notes: { indexes: { by_x: ["x"] }, searches } }));
    await test.mutate((transaction) => {
      for (let x = 0; x < 20; x += 1) insert(transaction, "notes", { x, text: `word${x % 3} and more` });
      patch(transaction, insert(transaction, "notes", { x: 1, text: "passing" }), { text: "stayed" });
    });
    await test.db.close();
    expect(await problems()).toEqual([]);
    const word = (text: string) => `x'${Buffer.from(`w${text}`).toString("hex")}'`;
    const broken = async (change: string) => {
      sql(change);
      return (await problems()).join();
    };
    expect(await broken("UPDATE search_blocks SET words = words + 1")).toMatch(
      /notes\.by_text, block 0: it counts/,
    );
    sql("UPDATE search_blocks SET words = words - 1");
    expect(
      await broken(`UPDATE search_postings SET data = data || x'00000101' WHERE term = ${word("more")}`),
    ).toContain("a word stands in it that its documents do not have as often");
    expect(await broken(`DELETE FROM search_postings WHERE term = ${word("more")}`)).toContain(
      "a word of its documents is missing",
    );
  });
});
