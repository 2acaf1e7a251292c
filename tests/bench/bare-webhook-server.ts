import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import path from "node:path";
import * as z from "zod";
import { openSqlite, type Sqlite } from "../../engine/storage/driver";
import { migrate } from "../../engine/storage/layout";
import { groupCommit } from "./group-commit";
import { APP_SECRET } from "./webhook-bodies";

/**
 * The limits of an ingest on this machine, started as a process of its own with a folder and the file of the writes
 * that the product does for one webhook. `POST /log` verifies and keeps the raw body, `POST /docs` verifies, parses and
 * writes as many documents and index entries as the product does. Both answer when the disk has it. Prints its address.
 */
const [folder = "", writesFile = ""] = process.argv.slice(2);
/** Updated documents and moved entries belong to one of so many conversations. */
const CONVERSATIONS = 1_000;
const writesSchema = z.object({
  inserted: z.array(z.string()),
  updated: z.array(z.string()),
  entriesAdded: z.number(),
  entriesRemoved: z.number(),
});

const doors = new Map([
  ["/log", logDoor(open("log"))],
  ["/docs", docsDoor(open("docs"), writesSchema.parse(JSON.parse(fs.readFileSync(writesFile, "utf8"))))],
]);

const server = createServer((request, response) => {
  const door = doors.get(request.url ?? "");
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts);
    if (door === undefined || !isSigned(request, body)) {
      response.writeHead(401).end();
      return;
    }
    void door(body).then(() => response.end("ok"));
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new TypeError("The server has no port.");
  process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});

function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const header = String(request.headers["x-hub-signature-256"]);
  const given = Buffer.from(header.slice("sha256=".length), "hex");
  const expected = createHmac("sha256", APP_SECRET).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function open(name: string): Sqlite {
  const file = path.join(folder, `bare-${name}.sqlite3`);
  const sqlite = openSqlite(file);
  sqlite.exec(`
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -65536;
  `);
  migrate(sqlite, file);
  return sqlite;
}

function logDoor(sqlite: Sqlite): (body: Buffer) => Promise<void> {
  sqlite.exec("CREATE TABLE raw (rid INTEGER PRIMARY KEY, sha TEXT NOT NULL UNIQUE, body BLOB NOT NULL)");
  const insert = sqlite.prepare("INSERT INTO raw (sha, body) VALUES (?, ?)");
  return groupCommit(sqlite, (body) => insert.run(randomBytes(16).toString("hex"), body));
}

/** Keys are as long as the engine's: some field values, a time and an id. */
function docsDoor(sqlite: Sqlite, writes: z.infer<typeof writesSchema>): (body: Buffer) => Promise<void> {
  const insertDoc = sqlite.prepare("INSERT INTO docs (rid, tid, id, size, val) VALUES (?, ?, ?, ?, ?)");
  const updateDoc = sqlite.prepare("UPDATE docs SET size = ?, val = ? WHERE rid = ?");
  const insertEntry = sqlite.prepare("INSERT INTO idx (xid, key, rid) VALUES (?, ?, ?)");
  const removeEntry = sqlite.prepare("DELETE FROM idx WHERE xid = ? AND key = ?");
  let rid = 1;
  const newId = () => randomBytes(16).toString("hex");
  const standing = Array.from({ length: CONVERSATIONS }, () =>
    writes.updated.map((value) => {
      insertDoc.run(rid, 1, newId(), value.length, value);
      return rid++;
    }),
  );
  const moved = new Map<string, Buffer>();
  let n = 0;
  return groupCommit(sqlite, (body) => {
    JSON.parse(body.toString());
    const conversation = n++ % CONVERSATIONS;
    const firstRid = rid;
    for (const value of writes.inserted) insertDoc.run(rid++, 2, newId(), value.length, value);
    for (const [at, value] of writes.updated.entries()) {
      updateDoc.run(value.length, value, standing[conversation]?.[at] ?? firstRid);
    }
    for (let entry = 0; entry < writes.entriesAdded; entry++) {
      const key = Buffer.from(`account\0${conversation}\0${Date.now()}\0${newId()}`);
      insertEntry.run(entry, key, firstRid);
      if (entry >= writes.entriesRemoved) continue;
      const place = `${entry} ${conversation}`;
      const old = moved.get(place);
      if (old !== undefined) removeEntry.run(entry, old);
      moved.set(place, key);
    }
  });
}
