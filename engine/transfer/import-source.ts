import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { developerError } from "../errors";
import { isJsonObject, parseJson } from "../json";
import type { ComponentPath, JsonObject, JsonValue } from "../types";
import { readCsv } from "./csv";
import { GENERATED_SCHEMA, readEntryName, STORAGE, TABLES } from "./layout";
import { linesOf } from "./lines";
import { ZipReader } from "./zip-reader";

export type ImportFormat = { format: "zip" } | { format: "csv" | "jsonLines" | "jsonArray"; table: string };

/** The rows of one table, in the order of the file. They can be read again from the start. */
export type TableSource = {
  readonly component: ComponentPath;
  /** May be `_tables` or `_storage`. */
  readonly table: string;
  rows(): AsyncIterable<JsonObject>;
};

export type FileSource = {
  readonly component: ComponentPath;
  readonly storageId: string;
  bytes(): AsyncIterable<Uint8Array>;
};

export type ImportSource = {
  readonly tables: readonly TableSource[];
  readonly files: readonly FileSource[];
  close(): void;
};

/** A JSON array has to be read as a whole (Convex: as much as a transaction may write). */
const JSON_ARRAY_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Opens an uploaded file. What is wrong with it is told by developer errors, here or while rows are read.
 * @param component where the file's root belongs
 */
export async function openImportSource(
  file: string,
  format: ImportFormat,
  component: ComponentPath,
): Promise<ImportSource> {
  switch (format.format) {
    case "zip":
      return openZipSource(file, component);
    case "csv":
      return singleTable(component, format.table, () => readCsv(createReadStream(file)));
    case "jsonLines":
      return singleTable(component, format.table, () => readJsonLines(createReadStream(file)));
    case "jsonArray":
      return singleTable(component, format.table, () => readJsonArray(file));
  }
}

const singleTable = (
  component: ComponentPath,
  table: string,
  rows: () => AsyncIterable<JsonObject>,
): ImportSource => ({ tables: [{ component, table, rows }], files: [], close: () => undefined });

async function openZipSource(file: string, base: ComponentPath): Promise<ImportSource> {
  const zip = await ZipReader.open(file);
  try {
    const tables: TableSource[] = [];
    const files: FileSource[] = [];
    for (const name of zip.names) {
      const entry = readEntryName(name);
      if (entry.kind === "documents" && isImported(entry.table)) {
        await refuseOldFormat(zip, name);
        const component = joinPath(base, entry.component);
        tables.push({ component, table: entry.table, rows: () => readJsonLines(zip.read(name)) });
      } else if (entry.kind === "file") {
        const component = joinPath(base, entry.component);
        files.push({ component, storageId: entry.storageId, bytes: () => zip.read(name) });
      }
    }
    if (tables.length === 0 && files.length === 0) {
      throw developerError(
        "InvalidZip",
        "The ZIP file has no tables: it needs an entry <table>/documents.jsonl for each.",
      );
    }
    return { tables, files, close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** Other tables of the system describe the deployment that they come from. */
const isImported = (table: string): boolean =>
  !table.startsWith("_") || table === TABLES || table === STORAGE;

const joinPath = (base: ComponentPath, component: ComponentPath): ComponentPath =>
  base === "" || component === "" ? base + component : `${base}/${component}`;

/** Before 2024 exports wrote values in a form of their own, which a second file explained. */
async function refuseOldFormat(zip: ZipReader, documents: string): Promise<void> {
  const name = documents.replace(/[^/]+$/, GENERATED_SCHEMA.file);
  if (!zip.has(name)) {
    return;
  }
  for await (const line of linesOf(zip.read(name))) {
    if (`${line}\n` !== GENERATED_SCHEMA.text) {
      throw developerError(
        "OldExportFormat",
        `${name} says that the ZIP was exported in an old format. Export it again with a current version.`,
      );
    }
  }
}

async function* readJsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject> {
  let row = 0;
  for await (const line of linesOf(source)) {
    row += 1;
    yield asRow(parseRow(line, row), row);
  }
}

function parseRow(line: string, row: number): JsonValue {
  try {
    return parseJson(line, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*?JSON: /, "") : String(error);
    throw developerError("JsonInvalidRow", `Row ${row} wasn't valid JSON: ${reason}`);
  }
}

async function* readJsonArray(file: string): AsyncGenerator<JsonObject> {
  const { size } = await stat(file);
  if (size > JSON_ARRAY_BYTES_MAX) {
    throw developerError(
      "JsonArrayTooLarge",
      `Import is too large for JSON (${size} bytes > maximum ${JSON_ARRAY_BYTES_MAX}). Consider converting data to JSONLines`,
    );
  }
  let text = "";
  for await (const line of linesOf(createReadStream(file))) {
    text += `${line}\n`;
  }
  const json = parseJson(text, "The file");
  if (!Array.isArray(json)) {
    throw developerError("NotJsonArray", "Not a JSON array");
  }
  for (const [index, item] of json.entries()) {
    yield asRow(item, index + 1);
  }
}

function asRow(json: JsonValue, row: number): JsonObject {
  if (!isJsonObject(json)) {
    throw developerError("NotAnObject", `Row ${row} wasn't an object`);
  }
  return json;
}
