import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Clock } from "../clock";
import { developerError, EngineError } from "../errors";
import type { Faults } from "../faults";
import { requireString } from "../json";
import type { ComponentPath, Database, Files, JsonObject, SystemRow, Transaction } from "../types";
import { type Blobs, isMissing, openBlobs, type StoredBlob } from "./blobs";
import { createMemoryBlobs } from "./memory-blobs";
import { createUploadTokens } from "./upload-token";

export type ServedFile = {
  size: number;
  contentType: string | null;
  sha256Base64: string;
  /** Bytes `start` to `end`, both included. */
  stream(start: number, end: number): Readable;
};

type Upload = {
  source: AsyncIterable<Uint8Array>;
  contentType: string | null;
  sha256?: string;
  component?: ComponentPath;
};

export interface FileStore extends Files {
  /** As `store`, for bytes that arrive over time. `sha256` is base64. */
  storeStream(upload: Upload): Promise<string>;
  /** As `store`, as part of `transaction`: where it is not committed, the file was never there. */
  storeIn(
    transaction: Transaction,
    blob: { bytes: Uint8Array; contentType: string | null },
    component?: ComponentPath,
  ): Promise<string>;
  /** As `read`, as `transaction` sees it. */
  readIn(
    transaction: Transaction,
    storageId: string,
    component?: ComponentPath,
  ): Promise<{ bytes: Uint8Array; contentType: string | null } | null>;
  /** The component that an upload URL stores files for; null where the token is not valid (any more). */
  uploadTarget(token: string): ComponentPath | null;
  /** The file behind the last part of a URL of `getUrl`, or null. */
  served(urlToken: string): ServedFile | null;
  /** The bytes themselves, for copies of whole tables. */
  readonly blobs: Blobs;
  /** Until the answer is called, files that are deleted keep their bytes on disk. */
  holdBytes(): () => void;
  /** Removes bytes that no row has any more. */
  discardBytes(blob: string): void;
  /** Waits for removals of blobs that are under way. */
  close(): Promise<void>;
}

export type FileStoreOptions = {
  database: Database;
  /** Null keeps the bytes in memory. */
  dataDir: string | null;
  clock: Clock;
  adminKey: string;
  /** Origin of the API port as browsers reach it. */
  cloudOrigin: string;
  log: (line: string) => void;
  faults?: Faults | null;
};

const BLOB_TABLE = "_file_blobs";
const SWEEP_PAGE_ROWS = 1_000;
/** Deletions whose outcome is awaited. Beyond that the plan is dropped, and the sweep at the next boot does the work. */
const PLANNED_REMOVALS_MAX = 10_000;

/**
 * File storage: bytes as blobs on disk, one row in `_storage` of the component that functions see, and one in
 * `_file_blobs`, for all components together, that says where the bytes are, under which unguessable name they are
 * served, and which component they belong to (missing for the app). Bytes come first and go last, so that a row
 * always has its bytes; blobs without a row are swept here, at boot.
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const { database, clock, log, faults = null } = options;
  const blobs =
    options.dataDir === null ? createMemoryBlobs(clock) : await openBlobs(options.dataDir, clock, faults);
  const tokens = createUploadTokens(options.adminKey, clock);
  const swept = await blobs.sweep(knownBlobs(database));
  if (swept > 0) {
    log(`Removed ${swept} stored file(s) that no transaction had kept.`);
  }
  const removal = removeAfterCommit(database, blobs, log, faults);

  const write = async (
    { source, sha256 }: Upload,
    keep: (blob: StoredBlob) => Promise<string> | string,
  ): Promise<string> => {
    const blob = await blobs.write(source);
    try {
      if (sha256 !== undefined && !sameDigest(sha256, blob.sha256Base64)) {
        throw developerError("DigestMismatch", "The sha-256 digest does not match the bytes that arrived.");
      }
      return await keep(blob);
    } catch (error) {
      await blobs.remove(blob.name);
      throw error;
    }
  };
  const storeStream: FileStore["storeStream"] = (upload) =>
    write(upload, async (blob) => {
      faults?.at("blob_before_row", null);
      const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs(), unlimited: true });
      const storageId = insertRows(transaction, clock, blob, upload);
      await database.commit(transaction);
      faults?.at("file_before_answer", null);
      return storageId;
    });

  const readIn: FileStore["readIn"] = async (transaction, storageId, component = "") => {
    const row = blobRow(transaction, storageId, component);
    if (row === null) {
      return null;
    }
    const file = transaction.system.get(storageId, component);
    const contentType = file?.["contentType"];
    try {
      const bytes = await blobs.read(text(row, "blob"));
      if (createHash("sha256").update(bytes).digest("base64") !== file?.["sha256"]) {
        throw new EngineError(
          "internal",
          "FileDamaged",
          `The bytes of file ${storageId} are not those stored.`,
        );
      }
      return { bytes, contentType: typeof contentType === "string" ? contentType : null };
    } catch (error) {
      if (isMissing(error)) {
        return null; // Deleted between the snapshot and the read.
      }
      throw error;
    }
  };

  return {
    generateUploadUrl: (component) =>
      `${options.cloudOrigin}/api/storage/upload?token=${tokens.issue(component)}`,
    uploadTarget: (token) => tokens.componentOf(token),
    getUrl(transaction, storageId, component = "") {
      const row = blobRow(transaction, storageId, component);
      return row === null ? null : `${options.cloudOrigin}/api/storage/${text(row, "token")}`;
    },
    getMetadata(transaction, storageId, component = "") {
      const known = blobRow(transaction, storageId, component) !== null;
      const row = known ? transaction.system.get(storageId, component) : null;
      if (row === null) {
        return null;
      }
      return {
        storageId,
        sha256: Buffer.from(text(row, "sha256"), "base64").toString("hex"),
        size: row["size"] ?? null,
        contentType: row["contentType"] ?? null,
      };
    },
    remove(transaction, storageId, component = "") {
      const row = blobRow(transaction, storageId, component);
      if (row === null) {
        throw developerError("StorageIdNotFound", `storage id ${storageId} not found`);
      }
      transaction.system.delete(storageId, component);
      transaction.system.delete(row._id);
      removal.plan(row._id, text(row, "blob"));
    },
    storeStream,
    store: ({ bytes, contentType, sha256 }, component = "") =>
      storeStream({
        source: Readable.from([bytes]),
        component,
        contentType,
        ...(sha256 === undefined ? {} : { sha256 }),
      }),
    storeIn: (transaction, { bytes, contentType }, component = "") =>
      write({ source: Readable.from([bytes]), contentType }, (blob) =>
        insertRows(transaction, clock, blob, { contentType, component }),
      ),
    read: (storageId, component) => readIn(beginRead(database), storageId, component),
    readIn,
    served(urlToken) {
      const transaction = beginRead(database);
      const [row] = transaction.system.list(BLOB_TABLE, "by_token", { equals: [urlToken], limit: 1 });
      const file = row === undefined ? null : transaction.system.get(text(row, "storageId"), ownerOf(row));
      if (row === undefined || file === null) {
        return null;
      }
      const contentType = file["contentType"];
      return {
        size: Number(file["size"]),
        contentType: typeof contentType === "string" ? contentType : null,
        sha256Base64: text(file, "sha256"),
        stream: (start, end) => blobs.stream(text(row, "blob"), start, end),
      };
    },
    blobs,
    holdBytes: () => removal.hold(),
    discardBytes: (blob) => removal.now(blob),
    close: () => removal.close(),
  };
}

const text = (row: SystemRow, field: string): string =>
  requireString(row[field], `${field} of a stored file`);

const beginRead = (database: Database): Transaction =>
  database.begin({ kind: "query", nowMs: database.clock.nowMs(), unlimited: true });

const ownerOf = ({ component }: SystemRow): ComponentPath => (typeof component === "string" ? component : "");

/** Where the bytes of a component's file are; null where that component has no such file. */
function blobRow(transaction: Transaction, storageId: string, component: ComponentPath): SystemRow | null {
  const [row] = transaction.system.list(BLOB_TABLE, "by_storageId", { equals: [storageId], limit: 1 });
  return row === undefined || ownerOf(row) !== component ? null : row;
}

/** Base64 in either alphabet, or hex: clients of Convex send all of them. */
function sameDigest(given: string, sha256Base64: string): boolean {
  const bytes = /^[0-9a-f]{64}$/i.test(given) ? Buffer.from(given, "hex") : Buffer.from(given, "base64");
  return bytes.equals(Buffer.from(sha256Base64, "base64"));
}

function insertRows(
  transaction: Transaction,
  clock: Clock,
  blob: StoredBlob,
  { contentType, component = "" }: Pick<Upload, "contentType" | "component">,
): string {
  const shown = {
    sha256: blob.sha256Base64,
    size: blob.size,
    ...(contentType === null ? {} : { contentType }),
  };
  const storageId = transaction.system.insert("_storage", shown, component);
  const owner: JsonObject = component === "" ? {} : { component };
  transaction.system.insert(BLOB_TABLE, { storageId, ...owner, blob: blob.name, token: newUrlToken(clock) });
  return storageId;
}

/** A random UUID (version 4), as the URLs of Convex have it. */
export function newUrlToken(clock: Clock): string {
  const bytes = Buffer.from(clock.randomBytes(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function knownBlobs(database: Database): (name: string) => boolean {
  const transaction = beginRead(database);
  const names = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const rows = transaction.system.list(BLOB_TABLE, "by_storageId", {
      ...(after === undefined ? {} : { after }),
      limit: SWEEP_PAGE_ROWS,
    });
    for (const row of rows) {
      names.add(text(row, "blob"));
      after = text(row, "storageId");
    }
    if (rows.length < SWEEP_PAGE_ROWS) {
      return (name) => names.has(name);
    }
  }
}

/**
 * A deleting transaction may still fail or rerun. So a blob is only planned for removal, and goes once a commit has
 * taken its row away.
 */
function removeAfterCommit(
  database: Database,
  blobs: Blobs,
  log: (line: string) => void,
  faults: Faults | null,
) {
  const planned = new Map<string, string>();
  const running = new Set<Promise<void>>();
  const held = new Set<string>();
  let holders = 0;

  const remove = (name: string) => {
    if (holders > 0) {
      held.add(name);
      return;
    }
    faults?.at("blob_before_removal", null);
    const removing: Promise<void> = blobs
      .remove(name)
      .catch((error: unknown) => log(`A deleted file could not be removed from disk: ${String(error)}`))
      .finally(() => running.delete(removing));
    running.add(removing);
  };

  const stopListening = database.onCommit(({ tables }) => {
    if (planned.size === 0 || !tables.has(`:${BLOB_TABLE}`)) {
      return;
    }
    const transaction = beginRead(database);
    for (const [rowId, name] of planned) {
      if (transaction.system.get(rowId) === null) {
        planned.delete(rowId);
        remove(name);
      }
    }
  });

  return {
    plan(rowId: string, name: string) {
      if (planned.size >= PLANNED_REMOVALS_MAX) {
        planned.clear();
      }
      planned.set(rowId, name);
    },
    now: remove,
    hold(): () => void {
      let isHeld = true;
      holders += 1;
      return () => {
        if (!isHeld) {
          return;
        }
        isHeld = false;
        holders -= 1;
        if (holders === 0) {
          for (const name of held) {
            remove(name);
          }
          held.clear();
        }
      };
    },
    async close() {
      stopListening();
      await Promise.all(running);
    },
  };
}
