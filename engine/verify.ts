import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "./errors";
import { isJsonObject, parseJson } from "./json";
import { openStore } from "./storage/open-store";
import type { Store } from "./storage/store";
import { loadCatalog } from "./transaction/load-catalog";
import { looseTables } from "./transaction/loose-tables";
import { documentKeys, indexesOf, LOOSE_INDEXES_META, type TableInfo } from "./transaction/table";
import type { JsonObject } from "./types";
import { checkValue } from "./values/encoded";
import { tableNumberOf } from "./values/id";
import { SearchVerifier } from "./verify-searches";

/** Rows of a table that are looked at between two looks at the other work of the process. */
const ROWS_PER_PAGE = 500;
/** Problems that are told; where there are more, a person needs a backup and not a list. */
const PROBLEMS_MAX = 100;

export type Verdict = {
  /** Sentences, each naming what is wrong and where; empty for a sound directory. */
  problems: string[];
  documents: number;
  indexEntries: number;
  files: number;
  /** Blobs that no row refers to. A kill leaves them; the next start removes them. */
  orphanBlobs: number;
};

/**
 * Looks through a whole data directory that no engine runs on: SQLite's own pages, each document, each entry of each
 * index, each stored file with its digest. Changes nothing but what every start does (journal, layout).
 * Throws EngineError `DataDirectoryInUse`, `DataDirectoryUnusable` or `DatabaseTooNew`; damage is an answer.
 */
export async function verifyDirectory(dataDir: string): Promise<Verdict> {
  const verdict: Verdict = { problems: [], documents: 0, indexEntries: 0, files: 0, orphanBlobs: 0 };
  let store: Store;
  try {
    store = openStore({ dataDir, fsync: "full" });
  } catch (error) {
    if (error instanceof EngineError && error.code === "DatabaseDamaged") {
      return { ...verdict, problems: [error.message] };
    }
    throw error;
  }
  try {
    verdict.problems.push(...store.integrityProblems(PROBLEMS_MAX));
    if (verdict.problems.length === 0) {
      await verifyRows(store, dataDir, verdict);
    }
  } finally {
    await store.close();
  }
  verdict.problems = verdict.problems.slice(0, PROBLEMS_MAX);
  return verdict;
}

async function verifyRows(store: Store, dataDir: string, verdict: Verdict): Promise<void> {
  const catalog = loadCatalog(store);
  const known = new Set<number>((store.meta(LOOSE_INDEXES_META) ?? "").split(",").map(Number));
  for (const { xids } of looseTables(store)) {
    for (const xid of xids) known.add(xid);
  }
  const files: JsonObject[] = [];
  const stored = new Map<string, JsonObject>();
  for (const table of catalog.tables()) {
    for (const { index } of indexesOf(table)) known.add(index.xid);
    verifyTable(store, table, verdict, (document) => {
      if (table.component === "" && table.name === "_file_blobs") files.push(document);
      if (table.name === "_storage") stored.set(String(document["_id"]), document);
    });
  }
  for (const xid of store.indexesWithEntries()) {
    if (!known.has(xid))
      verdict.problems.push(`There are entries of index ${xid}, which belongs to no table.`);
  }
  await verifyFiles(path.join(dataDir, "files"), files, stored, verdict);
}

function verifyTable(
  store: Store,
  table: TableInfo,
  verdict: Verdict,
  visit: (document: JsonObject) => void,
): void {
  const name = table.component === "" ? table.name : `${table.component}:${table.name}`;
  const searches = new SearchVerifier(store, table, name);
  let rows = 0;
  for (let afterRid = 0, isLast = false; !isLast; ) {
    const page = store.page(table.tid, afterRid, ROWS_PER_PAGE);
    for (const { id, rid, text, size } of page) {
      rows += 1;
      afterRid = rid;
      const where = `Document ${id} of table ${name}`;
      const document = readDocument(text);
      if (document === null || document["_id"] !== id || typeof document["_creationTime"] !== "number") {
        verdict.problems.push(`${where} cannot be read, or is not the one that it says it is.`);
        continue;
      }
      if (tableNumberOf(id) !== table.number) {
        verdict.problems.push(`${where} has an id of another table.`);
      }
      if (checkValue(document).size !== size) {
        verdict.problems.push(`${where} is noted with a size that it does not have.`);
      }
      searches.document(rid, document);
      for (const [xid, key] of documentKeys(table, id, document)) {
        // Indexes that are being built may lack entries.
        if (xid !== table.byId.xid && store.builtTo(xid) === null && store.entryRid(xid, key) !== rid) {
          verdict.problems.push(`${where} is missing from index ${xid}, or another one stands in its place.`);
        }
      }
      visit(document);
    }
    isLast = page.length < ROWS_PER_PAGE;
  }
  searches.finish();
  verdict.problems.push(...searches.problems);
  verdict.documents += rows;
  // Every document has its entry; where the numbers agree as well, there is no entry besides.
  for (const index of [table.byCreationTime, ...table.indexes.values()]) {
    const entries = store.countEntries(index.xid);
    verdict.indexEntries += entries;
    if (entries !== rows) {
      verdict.problems.push(`Index ${name}.${index.name} has ${entries} entries for ${rows} documents.`);
    }
  }
}

function readDocument(text: string): JsonObject | null {
  try {
    const json = parseJson(text, "A document");
    return isJsonObject(json) ? json : null;
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}

async function verifyFiles(
  folder: string,
  rows: readonly JsonObject[],
  stored: ReadonlyMap<string, JsonObject>,
  verdict: Verdict,
): Promise<void> {
  const kept = new Set<string>();
  for (const { blob, storageId } of rows) {
    const file = stored.get(String(storageId));
    const name = String(blob);
    kept.add(name);
    if (file === undefined) {
      verdict.problems.push(`Blob ${name} belongs to the file ${String(storageId)}, which there is not.`);
      continue;
    }
    verdict.files += 1;
    const problem = await blobProblem(path.join(folder, name), file);
    if (problem !== null) verdict.problems.push(`The bytes of file ${String(storageId)} ${problem}.`);
  }
  if (stored.size !== rows.length) {
    verdict.problems.push(
      `There are ${stored.size} files and ${rows.length} notes of where their bytes are.`,
    );
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch(noneIfMissing);
  verdict.orphanBlobs = entries.filter((entry) => entry.isFile() && !kept.has(entry.name)).length;
}

async function blobProblem(blob: string, file: JsonObject): Promise<string | null> {
  const size = await stat(blob).then(({ size: bytes }) => bytes, noneIfMissing);
  if (typeof size !== "number") return "are missing";
  if (size !== file["size"]) return `are ${size} instead of ${String(file["size"])} long`;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(blob)) hash.update(chunk);
  return hash.digest("base64") === file["sha256"] ? null : "are not those that were stored";
}

function noneIfMissing(error: unknown): [] {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
  throw error;
}

/** The verdict as lines for the person at the shell. */
export function describeVerdict({ problems, ...counts }: Verdict): string {
  const { documents, indexEntries, files, orphanBlobs } = counts;
  return [
    ...problems,
    `${documents} documents, ${indexEntries} index entries, ${files} files, ${orphanBlobs} blobs to be swept`,
    problems.length === 0 ? "sound" : `${problems.length} problem(s)`,
  ].join("\n");
}
