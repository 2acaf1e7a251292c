import { EngineError } from "../errors";
import type { Blobs } from "../files/blobs";
import { isJsonObject, parseJson, requireString } from "../json";
import type { ComponentPath, HeldSnapshot, HeldTable, JsonObject } from "../types";
import { DOCUMENTS, extensionFor, folderOf, GENERATED_SCHEMA, README, STORAGE, TABLES } from "./layout";
import type { ZipWriter } from "./zip-writer";

/** Lines that go to the ZIP in one piece: about a page of documents. */
const CHUNK_CHARS = 64 * 1024;

export type ExportParts = {
  readonly snapshot: HeldSnapshot;
  readonly blobs: Blobs;
  readonly includesFiles: boolean;
  /** Fires when the engine shuts down. */
  readonly stopping: AbortSignal;
};

/** Writes every table of the app and its components, and the stored files where asked, as of one moment. */
export async function writeExport(zip: ZipWriter, parts: ExportParts): Promise<void> {
  await zip.add("README.md", once(README));
  const byComponent = groupByComponent(parts.snapshot.tables);
  for (const [component, tables] of byComponent) {
    const lines = tables.map(({ name, number }) => JSON.stringify({ id: number, name }));
    await zip.add(
      `${folderOf(component)}${TABLES}/${DOCUMENTS}`,
      once(lines.map((line) => `${line}\n`).join("")),
    );
  }
  for (const [component, tables] of byComponent) {
    for (const { name } of tables) {
      const folder = `${folderOf(component)}${name}/`;
      await zip.add(folder + DOCUMENTS, documents(parts, component, name));
      await zip.add(folder + GENERATED_SCHEMA.file, once(GENERATED_SCHEMA.text));
    }
  }
  if (parts.includesFiles) {
    for (const component of componentsWithFiles(parts.snapshot.tables)) {
      await writeFiles(zip, parts, component);
    }
  }
}

/** The developer's own tables; a component without any is there all the same. */
function groupByComponent(tables: readonly HeldTable[]): Map<ComponentPath, HeldTable[]> {
  const groups = new Map<ComponentPath, HeldTable[]>([["", []]]);
  for (const table of tables) {
    const group = groups.get(table.component) ?? [];
    groups.set(table.component, group);
    if (!table.name.startsWith("_")) {
      group.push(table);
    }
  }
  return groups;
}

const componentsWithFiles = (tables: readonly HeldTable[]): ComponentPath[] =>
  tables.filter((table) => table.name === STORAGE).map((table) => table.component);

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

/** What is stored is the encoded JSON that the format asks for, one line per document. */
async function* documents(
  { snapshot, stopping }: ExportParts,
  component: ComponentPath,
  table: string,
): AsyncGenerator<string> {
  let chunk = "";
  for await (const page of snapshot.pages(component, table)) {
    stopIfAsked(stopping);
    for (const { text } of page) {
      chunk += `${text}\n`;
      if (chunk.length >= CHUNK_CHARS) {
        yield chunk;
        chunk = "";
      }
    }
  }
  yield chunk;
}

async function writeFiles(zip: ZipWriter, parts: ExportParts, component: ComponentPath): Promise<void> {
  const { snapshot, blobs, stopping } = parts;
  const stored = await readBlobRows(snapshot, component);
  const folder = `${folderOf(component)}${STORAGE}/`;
  await zip.add(folder + DOCUMENTS, fileLines(parts, component, stored));
  for await (const page of snapshot.pages(component, STORAGE)) {
    for (const { id, text } of page) {
      stopIfAsked(stopping);
      const { contentType } = parseRow(text);
      const extension = extensionFor(typeof contentType === "string" ? contentType : null);
      await zip.add(folder + id + extension, blobs.open(blobOf(stored, id).blob));
    }
  }
}

type BlobRow = { readonly blob: string; readonly token: string };

/** Where the bytes of a component's files are: its rows of `_file_blobs`, one table for all, by the file's id. */
async function readBlobRows(snapshot: HeldSnapshot, component: ComponentPath): Promise<Map<string, BlobRow>> {
  const rows = new Map<string, BlobRow>();
  for await (const page of snapshot.pages("", "_file_blobs")) {
    for (const { text } of page) {
      const row = parseRow(text);
      if ((row["component"] ?? "") !== component) continue;
      rows.set(requireString(row["storageId"], "storageId"), {
        blob: requireString(row["blob"], "blob"),
        token: requireString(row["token"], "token"),
      });
    }
  }
  return rows;
}

async function* fileLines(
  { snapshot, stopping }: ExportParts,
  component: ComponentPath,
  stored: ReadonlyMap<string, BlobRow>,
): AsyncGenerator<string> {
  for await (const page of snapshot.pages(component, STORAGE)) {
    stopIfAsked(stopping);
    yield page
      .map(({ id, text }) => {
        const { _id, _creationTime, contentType, sha256, size } = parseRow(text);
        const line = {
          _creationTime: _creationTime ?? null,
          _id: _id ?? null,
          contentType: contentType ?? null,
          internalId: blobOf(stored, id).token,
          sha256: sha256 ?? null,
          size: size ?? null,
        };
        return `${JSON.stringify(line)}\n`;
      })
      .join("");
  }
}

function blobOf(stored: ReadonlyMap<string, BlobRow>, id: string): BlobRow {
  const row = stored.get(id);
  if (row === undefined) {
    throw new EngineError("internal", "DatabaseDamaged", `The stored file ${id} has no bytes.`);
  }
  return row;
}

function parseRow(text: string): JsonObject {
  const row = parseJson(text, "A stored row");
  if (isJsonObject(row)) {
    return row;
  }
  throw new EngineError("internal", "DatabaseDamaged", "A stored row is not an object.");
}

function stopIfAsked(stopping: AbortSignal): void {
  if (stopping.aborted) {
    throw new EngineError("overloaded", "ShuttingDown", "The engine is shutting down.");
  }
}
