import { developerError } from "../errors";
import type { ComponentPath, HeldSnapshot, JsonValue } from "../types";
import { tableNumberOf } from "../values/id";
import type { ImportSource, TableSource } from "./import-source";
import { STORAGE, TABLES } from "./layout";

export type ImportMode = "requireEmpty" | "append" | "replace" | "replaceAll";

export type PlannedTable = {
  readonly component: ComponentPath;
  /** `_storage` for the files of a component. */
  readonly name: string;
  /** What its ids begin with; null where nothing says so. */
  readonly number: number | null;
  /** Rows, or files, that come and rows that are there today. */
  readonly added: number;
  readonly existing: number;
};

export type ImportPlan = {
  readonly mode: ImportMode;
  readonly tables: readonly PlannedTable[];
  /** Tables of today that the import neither names nor keeps (`replaceAll`). */
  readonly others: readonly PlannedTable[];
};

/**
 * Reads an import once from end to end and says what it would do. Throws developer errors for what is wrong with the
 * file, and `TableExists` where it may only fill empty tables.
 */
export async function planImport(
  source: ImportSource,
  mode: ImportMode,
  snapshot: HeldSnapshot,
): Promise<ImportPlan> {
  const numbers = await readNumbers(source);
  const tables: PlannedTable[] = [];
  for (const table of source.tables.filter((each) => each.table !== TABLES)) {
    const { component, table: name } = table;
    const { rows, number } = await readRows(table);
    const isFiles = name === STORAGE;
    const files = filesOf(source, component);
    tables.push({
      component,
      name,
      number:
        (isFiles ? null : numbers.get(component)?.get(name)) ??
        number ??
        (isFiles ? numberOfFiles(files) : null),
      added: isFiles ? Math.max(rows, files.length) : rows,
      existing: await countRows(snapshot, component, name),
    });
  }
  for (const named of namedOnly(source, numbers, tables)) {
    tables.push({ ...named, existing: await countRows(snapshot, named.component, named.name) });
  }
  const occupied = tables.find(({ existing }) => mode === "requireEmpty" && existing > 0);
  if (occupied !== undefined) {
    throw developerError(
      "TableExists",
      `Table ${occupied.name} already exists. Please choose a new table name or use replace/append modes.`,
    );
  }
  return { mode, tables, others: mode === "replaceAll" ? await otherTables(snapshot, tables) : [] };
}

const filesOf = (source: ImportSource, component: ComponentPath) =>
  source.files.filter((file) => file.component === component);

/** Tables of `_tables` without documents, and files whose list is missing. */
function namedOnly(
  source: ImportSource,
  numbers: ReadonlyMap<ComponentPath, ReadonlyMap<string, number>>,
  tables: readonly PlannedTable[],
): { component: ComponentPath; name: string; number: number | null; added: number }[] {
  const isMissing = (component: ComponentPath, name: string) =>
    !tables.some((table) => table.component === component && table.name === name);
  const named = [...numbers].flatMap(([component, names]) =>
    [...names].map(([name, number]) => ({ component, name, number, added: 0 })),
  );
  const files = [...new Set(source.files.map((file) => file.component))].map((component) => {
    const own = filesOf(source, component);
    return { component, name: STORAGE, number: numberOfFiles(own), added: own.length };
  });
  return [...named, ...files].filter(({ component, name }) => isMissing(component, name));
}

/** The table numbers that the ZIP states, by component. */
async function readNumbers(source: ImportSource): Promise<Map<ComponentPath, Map<string, number>>> {
  const numbers = new Map<ComponentPath, Map<string, number>>();
  for (const table of source.tables.filter((each) => each.table === TABLES)) {
    const ofComponent = new Map<string, number>();
    numbers.set(table.component, ofComponent);
    let row = 0;
    for await (const { name, id } of table.rows()) {
      row += 1;
      if (typeof name !== "string" || name.startsWith("_")) {
        throw developerError("InvalidTables", `Row ${row} of ${TABLES} has no name of a table.`);
      }
      if (!isTableNumber(id)) {
        throw developerError("InvalidTables", `Row ${row} of ${TABLES} has no table number as its id.`);
      }
      ofComponent.set(name, id);
    }
  }
  return numbers;
}

/** Numbers are 32 bits wide, and 0 is none. */
const isTableNumber = (value: JsonValue | undefined): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 && value < 2 ** 32;

/** Counts the rows; the first one's id tells the number of the table. */
async function readRows(table: TableSource): Promise<{ rows: number; number: number | null }> {
  let rows = 0;
  let number: number | null = null;
  for await (const { _id: id } of table.rows()) {
    rows += 1;
    if (rows === 1 && typeof id === "string") {
      number = tableNumberOf(id);
    }
  }
  return { rows, number };
}

function numberOfFiles(files: readonly { storageId: string }[]): number | null {
  const [first] = files;
  return first === undefined ? null : tableNumberOf(first.storageId);
}

async function countRows(snapshot: HeldSnapshot, component: ComponentPath, name: string): Promise<number> {
  let rows = 0;
  for await (const page of snapshot.pages(component, name)) {
    rows += page.length;
  }
  return rows;
}

async function otherTables(snapshot: HeldSnapshot, tables: readonly PlannedTable[]): Promise<PlannedTable[]> {
  const others: PlannedTable[] = [];
  for (const { component, name } of snapshot.tables) {
    const isNamed = tables.some((table) => table.component === component && table.name === name);
    if (!name.startsWith("_") && !isNamed) {
      const existing = await countRows(snapshot, component, name);
      others.push({ component, name, number: null, added: 0, existing });
    }
  }
  return others;
}

/** What the CLI shows before it asks, and whether it has to ask. */
export function describePlan(plan: ImportPlan): { message: string; needsConfirmation: boolean } {
  const tables = [...plan.tables, ...plan.others];
  const deletes = plan.mode === "replace" || plan.mode === "replaceAll";
  const lines: string[] = [];
  for (const component of [...new Set(tables.map((table) => table.component))].sort()) {
    lines.push(...(component === "" ? [] : [`Component ${component}`]));
    lines.push(
      ...describeTables(
        tables.filter((table) => table.component === component),
        deletes,
      ),
    );
  }
  return {
    message: [
      "Import change summary:",
      ...lines,
      "Once the import has begun it goes on in the background, also when this command is interrupted.",
    ].join("\n"),
    needsConfirmation: deletes && tables.some(({ existing }) => existing > 0),
  };
}

function describeTables(tables: readonly PlannedTable[], deletes: boolean): string[] {
  const rows = tables
    .map(({ name, added, existing }) => [
      name,
      formatCount(added),
      `${formatCount(deletes ? existing : 0)} of ${formatCount(existing)}${name === STORAGE ? " files" : ""}`,
    ])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  const cells = [["table", "create", "delete"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const [head = "", ...body] = cells.map(
    (row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  return [head, "-".repeat(head.length), ...body];
}

/** With commas, as the CLI's readers are used to. */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
