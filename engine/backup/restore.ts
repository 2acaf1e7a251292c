import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../errors";
import { isMissing } from "../files/blobs";
import { lockDirectory } from "../storage/directory-lock";
import { openStore } from "../storage/open-store";
import { syncPath } from "../transfer/zip-writer";
import { checkBackup } from "./check-backup";
import { FILES_FOLDER } from "./manifest";

/**
 * Makes a data directory out of a backup. Everything is unpacked and checked beside it and gets its name at the end:
 * a restore that was cut short leaves no directory that looks like one.
 *
 * Throws EngineError: `DataDirectoryNotEmpty`, `DataDirectoryInUse`, and what `checkBackup` and `openStore` throw.
 */
export async function restoreBackup(
  file: string,
  dataDir: string,
  say: (line: string) => void,
): Promise<{ files: number; createdAt: string }> {
  await refuseUsed(dataDir);
  const draft = `${dataDir}.restoring`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const unlock = lockDirectory(draft);
  try {
    await clearDraft(draft);
    await mkdir(path.join(draft, "files"), { mode: 0o700 });
    let unpacked = 0;
    const found = await checkBackup(file, async (name, bytes) => {
      const target = path.join(draft, name);
      await pipeline(bytes, createWriteStream(target, { flags: "wx", mode: 0o600 }));
      await syncPath(target);
      unpacked += 1;
      if (unpacked % 500 === 0) {
        say(`${unpacked} files unpacked`);
      }
    });
    unlock();
    // Opens it as the engine would: the database is checked, and brought to the layout of this version.
    await openStore({ dataDir: draft, fsync: "full" }).close();
    for (const folder of [path.join(draft, FILES_FOLDER), draft]) {
      await syncPath(folder);
    }
    await place(draft, dataDir);
    return found;
  } catch (error) {
    unlock();
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function refuseUsed(dataDir: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(dataDir);
  } catch (error) {
    if (isMissing(error)) {
      return;
    }
    throw error;
  }
  if (entries.length > 0) {
    throw notEmpty(dataDir);
  }
}

/** What an earlier restore left when it was cut short. */
async function clearDraft(draft: string): Promise<void> {
  for (const name of await readdir(draft)) {
    if (name !== "engine.lock") {
      await rm(path.join(draft, name), { recursive: true, force: true });
    }
  }
}

async function place(draft: string, dataDir: string): Promise<void> {
  try {
    await rmdir(dataDir);
  } catch (error) {
    if (!isMissing(error)) {
      throw notEmpty(dataDir, error);
    }
  }
  await rename(draft, dataDir);
  await syncPath(path.dirname(dataDir));
}

const notEmpty = (dataDir: string, cause?: unknown) =>
  new EngineError(
    "developer",
    "DataDirectoryNotEmpty",
    `The data directory ${dataDir} is not empty: a backup is only restored into a new one. Move it away, or name another with --data.`,
    { cause },
  );
