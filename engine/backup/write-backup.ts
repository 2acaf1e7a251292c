import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../clock";
import { isMissing } from "../files/blobs";
import { openSqlite } from "../storage/driver";
import { DATABASE_FILE } from "../storage/open-store";
import { Store } from "../storage/store";
import type { ZipWriter } from "../transfer/zip-writer";
import { afterKey, encodeKey } from "../values/key";
import { ADMIN_KEY_FILE, FILES_FOLDER, MANIFEST, type ManifestEntry, writeManifest } from "./manifest";

/** Rows of the list of files that are read at a time. */
const ROWS_PER_PAGE = 500;

export type BackupParts = {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Copies the database into a new file. */
  copyDatabase(file: string, onProgress: (done: number, total: number) => void): Promise<void>;
  /** The bytes of a stored file; they must not go away while the backup runs. */
  openBlob(name: string): Readable;
  /** Hears a line now and then. */
  say(line: string): void;
};

/**
 * Writes a backup of a data directory: the database as it is when its copy begins, every file that it knows, the admin
 * key, and a list of all that with sizes and hashes.
 */
export async function writeBackup(zip: ZipWriter, parts: BackupParts): Promise<void> {
  const folder = path.join(parts.dataDir, "transfer", "backup");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const copy = path.join(folder, DATABASE_FILE);
    await parts.copyDatabase(copy, everyTenth(parts.say, "pages of the database copied"));
    const blobs = readBlobNames(copy);
    const entries: ManifestEntry[] = [];
    const add = async (name: string, content: Readable, compress: boolean) => {
      const hash = createHash("sha256");
      let size = 0;
      const measured = (async function* () {
        for await (const chunk of content) {
          const bytes = Buffer.from(chunk);
          hash.update(bytes);
          size += bytes.length;
          yield bytes;
        }
      })();
      await zip.add(name, measured, compress);
      entries.push({ name, size, sha256: hash.digest("hex") });
    };
    await add(DATABASE_FILE, createReadStream(copy), true);
    const tell = everyTenth(parts.say, "files packed");
    for (const [index, name] of blobs.entries()) {
      await add(FILES_FOLDER + name, parts.openBlob(name), false);
      tell(index + 1, blobs.length);
    }
    if (await exists(path.join(parts.dataDir, ADMIN_KEY_FILE))) {
      await add(ADMIN_KEY_FILE, createReadStream(path.join(parts.dataDir, ADMIN_KEY_FILE)), false);
    }
    await zip.add(MANIFEST, text(writeManifest(entries, parts.clock.nowMs())));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* text(content: string): AsyncGenerator<string> {
  yield content;
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) {
      return false;
    }
    throw error;
  }
}

/** The blobs that the copy refers to. */
function readBlobNames(file: string): string[] {
  const sqlite = openSqlite(file);
  try {
    const store = new Store(sqlite, () => undefined);
    const table = store.tables().find(({ component, name }) => component === "" && name === "_file_blobs");
    const names: string[] = [];
    let start = "";
    while (table !== undefined) {
      const rows = store.scanIds(table.tid, { start, end: null }, "asc", ROWS_PER_PAGE);
      for (const row of rows) {
        const { blob, _id: id }: { blob: string; _id: string } = JSON.parse(row.text);
        names.push(blob);
        start = afterKey(encodeKey(id));
      }
      if (rows.length < ROWS_PER_PAGE) {
        break;
      }
    }
    return names;
  } finally {
    sqlite.close();
  }
}

/** Speaks each time another tenth of the work is done. */
function everyTenth(say: (line: string) => void, what: string): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const tenth = Math.floor((done * 10) / Math.max(1, total));
    if (tenth > told) {
      told = tenth;
      say(`${done} of ${total} ${what}`);
    }
  };
}
