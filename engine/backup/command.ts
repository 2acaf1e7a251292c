import { createReadStream, createWriteStream, existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../clock";
import { USAGE, UsageError } from "../command-line";
import { EngineError } from "../errors";
import { lockDirectory } from "../storage/directory-lock";
import { openSqlite } from "../storage/driver";
import { DATABASE_FILE } from "../storage/open-store";
import { placeFile, ZipWriter } from "../transfer/zip-writer";
import { checkBackup } from "./check-backup";
import { downloadBackup } from "./download-backup";
import { ADMIN_KEY_FILE, FILES_FOLDER } from "./manifest";
import { restoreBackup } from "./restore";
import { writeBackup } from "./write-backup";

/** Where an engine listens that was started without flags. */
const DEFAULT_URL = "http://127.0.0.1:3210";

type BackupFlags = { file: string; dataDir: string; url: string | undefined; adminKey: string | undefined };

/** Where a command's lines go: what it did, and how far it is. */
export type Output = { print(line: string): void; say(line: string): void };

/**
 * `backup FILE` and `restore FILE`. Throws UsageError and EngineError with a sentence for the person at the shell.
 */
export async function runBackupCommand(
  verb: "backup" | "restore",
  args: string[],
  { print, say }: Output,
): Promise<void> {
  const flags = readFlags(verb, args);
  if (verb === "restore") {
    const { files, createdAt } = await restoreBackup(flags.file, flags.dataDir, say);
    print(`Restored the backup of ${createdAt} with ${files} stored file(s) to ${flags.dataDir}.`);
    return;
  }
  const files = await backup(flags, say);
  print(`Backed up the database and ${files} stored file(s) to ${flags.file}, and checked it.`);
}

function readFlags(verb: string, args: string[]): BackupFlags {
  try {
    const { values, positionals } = parseArgs({
      args,
      strict: true,
      allowPositionals: true,
      options: {
        data: { type: "string", default: ".pons" },
        ...(verb === "backup" ? { url: { type: "string" }, "admin-key": { type: "string" } } : {}),
      },
    });
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) {
      throw new Error(`${verb} needs the name of one file.`);
    }
    const { url, "admin-key": adminKey } = values;
    return {
      file: resolve(file),
      dataDir: resolve(String(values.data)),
      url: typeof url === "string" ? url : undefined,
      adminKey: typeof adminKey === "string" ? adminKey : undefined,
    };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** Writes beside the file and checks every byte before it gets its name. Answers how many files it holds. */
async function backup(flags: BackupFlags, say: Output["say"]): Promise<number> {
  if (existsSync(flags.file)) {
    throw new UsageError(`The file ${flags.file} exists already: a backup never overwrites another one.`);
  }
  const partial = `${flags.file}.partial`;
  try {
    if (flags.url !== undefined) {
      await online(flags, partial, say);
    } else if (!existsSync(join(flags.dataDir, DATABASE_FILE))) {
      throw new UsageError(`There is no database in ${flags.dataDir}: name the data directory with --data.`);
    } else if (!(await offline(flags.dataDir, partial, say))) {
      say(`The engine of ${flags.dataDir} is running and makes the backup itself.`);
      await online(flags, partial, say);
    }
    const { files } = await checkBackup(partial);
    await placeFile(partial, flags.file);
    return files;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Answers false, having done nothing, while an engine owns the directory. */
async function offline(dataDir: string, partial: string, say: Output["say"]): Promise<boolean> {
  let unlock: () => void;
  try {
    unlock = lockDirectory(dataDir);
  } catch (error) {
    if (error instanceof EngineError && error.code === "DataDirectoryInUse") {
      return false;
    }
    throw error;
  }
  const sqlite = openSqlite(join(dataDir, DATABASE_FILE));
  const zip = new ZipWriter(createWriteStream(partial, { mode: 0o600 }), systemClock.nowMs());
  try {
    await writeBackup(zip, {
      dataDir,
      clock: systemClock,
      copyDatabase: (file, onProgress) => sqlite.copyTo(file, onProgress),
      openBlob: (name) => createReadStream(join(dataDir, FILES_FOLDER, name)),
      say,
    });
    await zip.end();
  } catch (error) {
    await zip.abort();
    throw error;
  } finally {
    sqlite.close();
    unlock();
  }
  return true;
}

function online({ dataDir, url, adminKey }: BackupFlags, partial: string, say: Output["say"]): Promise<void> {
  const keyFile = join(dataDir, ADMIN_KEY_FILE);
  const key = adminKey ?? (existsSync(keyFile) ? readFileSync(keyFile, "utf8").trim() : null);
  if (key === null) {
    throw new UsageError("The engine is running and wants its admin key: give it with --admin-key.");
  }
  return downloadBackup(url ?? DEFAULT_URL, key, partial, say);
}
