import { createHash } from "node:crypto";
import { EngineError } from "../errors";
import { DATABASE_FILE } from "../storage/open-store";
import { ZipReader } from "../transfer/zip-reader";
import {
  ADMIN_KEY_FILE,
  FILES_FOLDER,
  MANIFEST,
  type ManifestEntry,
  notABackup,
  readManifest,
} from "./manifest";

/** A stored file is named by 32 hex digits; nothing else may come out of a backup. */
const ENTRY_NAME = new RegExp(`^(?:${FILES_FOLDER}[0-9a-f]{32}|${DATABASE_FILE}|${ADMIN_KEY_FILE})$`);

/**
 * Reads a backup from end to end and holds every byte against its manifest; `keep` gets each entry's bytes on the way.
 * Throws EngineError `NotABackup`, `BackupDamaged` or `BackupTooNew`. Answers how many files it holds.
 */
export async function checkBackup(
  file: string,
  keep: (name: string, bytes: AsyncIterable<Uint8Array>) => Promise<void> = drain,
): Promise<{ files: number; createdAt: string }> {
  const zip = await openBackup(file);
  try {
    const { entries, createdAt } = readManifest(await readText(zip, file), file);
    const listed = new Set(entries.map(({ name }) => name));
    const extra = zip.names.find((name) => name !== MANIFEST && !listed.has(name));
    const isWhole = listed.has(DATABASE_FILE) && listed.size === entries.length && extra === undefined;
    if (!isWhole) {
      throw notABackup(file, "its list and its contents differ");
    }
    for (const entry of entries) {
      await checkEntry(zip, file, entry, keep);
    }
    return { files: entries.filter(({ name }) => name.startsWith(FILES_FOLDER)).length, createdAt };
  } finally {
    zip.close();
  }
}

async function openBackup(file: string): Promise<ZipReader> {
  try {
    return await ZipReader.open(file);
  } catch (error) {
    throw error instanceof EngineError ? notABackup(file, reasonOf(error), error) : error;
  }
}

async function readText(zip: ZipReader, file: string): Promise<string> {
  if (!zip.has(MANIFEST)) {
    throw notABackup(file, `it has no ${MANIFEST}`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of zip.read(MANIFEST)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function checkEntry(
  zip: ZipReader,
  file: string,
  { name, size, sha256 }: ManifestEntry,
  keep: (name: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  if (!ENTRY_NAME.test(name) || !zip.has(name)) {
    throw notABackup(file, `its list names ${name}`);
  }
  const hash = createHash("sha256");
  let read = 0;
  const measured = (async function* () {
    for await (const bytes of zip.read(name)) {
      hash.update(bytes);
      read += bytes.length;
      yield bytes;
    }
  })();
  try {
    await keep(name, measured);
  } catch (error) {
    throw error instanceof EngineError ? damaged(file, `${name}: ${reasonOf(error)}`) : error;
  }
  if (read !== size || hash.digest("hex") !== sha256) {
    throw damaged(file, `${name} is not what its list says`);
  }
}

const damaged = (file: string, reason: string) =>
  new EngineError("developer", "BackupDamaged", `The backup ${file} is damaged: ${reason}.`);

const reasonOf = (error: EngineError): string => error.message.replace(/^The ZIP file is damaged: |\.$/g, "");

async function drain(_name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) {
    // Only read, to be counted and hashed.
  }
}
