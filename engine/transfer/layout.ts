import type { ComponentPath } from "../types";

/**
 * How Convex lays out a snapshot: `<table>/documents.jsonl` per table, `_tables/documents.jsonl` with their numbers,
 * `_storage/` with the files, and the same again under `_components/<name>/` for each component
 * (https://docs.convex.dev/database/import-export/export).
 */
export const TABLES = "_tables";
export const STORAGE = "_storage";
export const DOCUMENTS = "documents.jsonl";

/** Tells readers of the old format that no column was rewritten. */
export const GENERATED_SCHEMA = { file: "generated_schema.jsonl", text: '"uniform"\n' } as const;

export const README = `# Snapshot of a Convex deployment

Each folder is a table; its documents are the lines of \`documents.jsonl\`, in Convex's encoded JSON.
\`_tables\` holds the numbers that the ids of each table begin with, \`_storage\` the stored files.

Bring it into a deployment with \`npx convex import <this file>\`.
`;

/** The folder of a component inside the ZIP: empty for the app, else with a slash at its end. */
export const folderOf = (component: ComponentPath): string =>
  component === ""
    ? ""
    : component
        .split("/")
        .map((name) => `_components/${name}/`)
        .join("");

const COMPONENT_FOLDER = /^(.*\/)?_components\/([^/]+)\/$/;
const ENTRY = /^(?<folder>(?:.*\/)?)(?<table>[^/]+)\/(?<file>[^/]+)$/;

export type EntryName =
  | { kind: "documents"; component: ComponentPath; table: string }
  | { kind: "file"; component: ComponentPath; storageId: string }
  | { kind: "other" };

/** What an entry of a ZIP is. A folder around everything, as made by zipping an unpacked snapshot, is passed over. */
export function readEntryName(name: string): EntryName {
  const { folder = "", table = "", file = "" } = ENTRY.exec(name)?.groups ?? {};
  const component = componentOf(folder);
  if (file === DOCUMENTS) {
    return { kind: "documents", component, table };
  }
  const [storageId = ""] = file.split(".");
  if (table === STORAGE && storageId !== "") {
    return { kind: "file", component, storageId };
  }
  return { kind: "other" };
}

function componentOf(folder: string): ComponentPath {
  const names: string[] = [];
  let rest = folder;
  for (;;) {
    const match = COMPONENT_FOLDER.exec(rest);
    if (match === null) {
      return names.reverse().join("/");
    }
    names.push(match[2] ?? "");
    rest = match[1] ?? "";
  }
}

/** Endings of common types, so that a file of an unpacked snapshot opens with a click. They carry no meaning. */
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ["application/json", ".json"],
  ["application/msword", ".doc"],
  ["application/pdf", ".pdf"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"],
  ["application/xml", ".xml"],
  ["application/zip", ".zip"],
  ["audio/aac", ".aac"],
  ["audio/amr", ".amr"],
  ["audio/mp4", ".m4a"],
  ["audio/mpeg", ".mp3"],
  ["audio/ogg", ".ogg"],
  ["image/gif", ".gif"],
  ["image/jpeg", ".jpeg"],
  ["image/png", ".png"],
  ["image/svg+xml", ".svg"],
  ["image/webp", ".webp"],
  ["text/css", ".css"],
  ["text/csv", ".csv"],
  ["text/html", ".html"],
  ["text/javascript", ".js"],
  ["text/plain", ".txt"],
  ["video/3gpp", ".3gp"],
  ["video/mp4", ".mp4"],
  ["video/webm", ".webm"],
]);

export const extensionFor = (contentType: string | null): string =>
  EXTENSIONS.get((contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "") ?? "";
