import type { Clock } from "../clock";
import { developerError } from "../errors";
import { type FileStore, newUrlToken } from "../files/file-store";
import { optionalString } from "../json";
import type { ComponentPath, Database, JsonObject, StagedRow, SystemRow, TableStage } from "../types";
import type { FileSource, ImportSource } from "./import-source";
import { STORAGE } from "./layout";

/** Files whose rows are written in one step. */
const FILES_PER_STEP = 20;
const URL_TOKEN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export type FileImport = {
  readonly stage: TableStage;
  readonly source: ImportSource;
  readonly files: FileStore;
  readonly database: Database;
  readonly clock: Clock;
  /** Whether a row of `_file_blobs` outlives the import. */
  readonly isKept: (row: JsonObject) => boolean;
  /** Hears of every blob that was written, to be able to remove it. */
  readonly onBlob: (name: string) => void;
  /** Called between files; throws to give up. */
  readonly onProgress: (files: number) => Promise<void>;
};

type Metadata = {
  readonly creationTime: number | null;
  readonly contentType: string | null;
  readonly sha256: string | null;
  readonly size: number | null;
  readonly token: string | null;
};

/** Stores the files of one component: bytes first, then the rows of `_storage` and `_file_blobs`. Answers how many. */
export async function importFiles(parts: FileImport, component: ComponentPath): Promise<number> {
  const metadata = await readMetadata(parts.source, component);
  let rows: { storage: StagedRow; blob: StagedRow }[] = [];
  const write = () => {
    parts.stage.write(
      component,
      STORAGE,
      rows.map(({ storage }) => storage),
    );
    parts.stage.write(
      "",
      "_file_blobs",
      rows.map(({ blob }) => blob),
    );
    rows = [];
  };
  let count = 0;
  for (const file of parts.source.files) {
    if (file.component === component) {
      rows.push(await importFile(parts, file, metadata.get(file.storageId) ?? null));
      metadata.delete(file.storageId);
      count += 1;
      if (rows.length >= FILES_PER_STEP) {
        write();
      }
      await parts.onProgress(count);
    }
  }
  write();
  const [missing] = metadata.keys();
  if (missing !== undefined) {
    throw developerError(
      "FileMissing",
      `The ZIP file lists the file "${missing}" in ${STORAGE}/documents.jsonl, but its bytes are not there.`,
    );
  }
  return count;
}

async function readMetadata(source: ImportSource, component: ComponentPath): Promise<Map<string, Metadata>> {
  const metadata = new Map<string, Metadata>();
  const table = source.tables.find((each) => each.table === STORAGE && each.component === component);
  let row = 0;
  for await (const line of table?.rows() ?? []) {
    row += 1;
    const where = `of row ${row} of ${STORAGE}`;
    const { _id: id, _creationTime: creationTime, size } = line;
    if (typeof id !== "string") {
      throw developerError("InvalidConvexValue", `Row ${row} of ${STORAGE} has no _id.`);
    }
    metadata.set(id, {
      creationTime: typeof creationTime === "number" ? creationTime : null,
      contentType: optionalString(line["contentType"], `The contentType ${where}`) ?? null,
      sha256: optionalString(line["sha256"], `The sha256 ${where}`) ?? null,
      size: typeof size === "number" ? size : null,
      token: optionalString(line["internalId"], `The internalId ${where}`) ?? null,
    });
  }
  return metadata;
}

async function importFile(
  parts: FileImport,
  { component, storageId, bytes }: FileSource,
  metadata: Metadata | null,
): Promise<{ storage: StagedRow; blob: StagedRow }> {
  const stored = await parts.files.blobs.write(bytes());
  parts.onBlob(stored.name);
  const isOther =
    (metadata?.size ?? stored.size) !== stored.size ||
    !sameBytes(metadata?.sha256 ?? stored.sha256Base64, stored.sha256Base64);
  if (isOther) {
    throw developerError(
      "FileMismatch",
      `The file "${storageId}" is not what ${STORAGE}/documents.jsonl says: its size or its sha256 differs.`,
    );
  }
  const { contentType = null, creationTime = null } = metadata ?? {};
  const label = `File "${storageId}"`;
  return {
    storage: {
      label,
      id: storageId,
      creationTime,
      fields: {
        sha256: stored.sha256Base64,
        size: stored.size,
        ...(contentType === null ? {} : { contentType }),
      },
    },
    blob: {
      label,
      id: null,
      creationTime: null,
      fields: {
        storageId,
        ...(component === "" ? {} : { component }),
        blob: stored.name,
        token: tokenFor(parts, storageId, metadata?.token ?? null),
      },
    },
  };
}

/** The URL of a file stays what it was, unless another file here has it. */
function tokenFor({ database, clock, isKept }: FileImport, storageId: string, token: string | null): string {
  const transaction = database.begin({ kind: "query", nowMs: clock.nowMs(), unlimited: true });
  const keptRow = (index: string, value: string): SystemRow | undefined =>
    transaction.system.list("_file_blobs", index, { equals: [value], limit: 2 }).find(isKept);
  if (keptRow("by_storageId", storageId) !== undefined) {
    throw developerError("DuplicateId", `There is already a file with the _id "${storageId}".`);
  }
  const isFree = token !== null && URL_TOKEN.test(token) && keptRow("by_token", token) === undefined;
  return isFree ? token : newUrlToken(clock);
}

const sameBytes = (a: string, b: string): boolean =>
  Buffer.from(a, "base64").equals(Buffer.from(b, "base64"));
