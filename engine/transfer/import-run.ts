import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock";
import { developerError, EngineError } from "../errors";
import type { FileStore } from "../files/file-store";
import type { ComponentPath, Database, JsonObject, StagedRow, TableStage, Timestamp } from "../types";
import { importFiles } from "./import-files";
import { formatCount, type ImportPlan, type PlannedTable } from "./import-plan";
import type { ImportFormat, ImportSource } from "./import-source";
import { STORAGE } from "./layout";

/** Rows, and characters of them, that are written in one step: a few milliseconds. */
const ROWS_PER_STEP = 200;
const CHARS_PER_STEP = 512 * 1024;

const FILE_BLOBS = "_file_blobs";

export type ImportRun = {
  readonly database: Database;
  readonly files: FileStore;
  readonly clock: Clock;
  readonly source: ImportSource;
  readonly plan: ImportPlan;
  readonly format: ImportFormat["format"];
  /** What `Database.lastApplied` tells afterwards. */
  readonly label: string;
  readonly stopping: AbortSignal;
  /** Hears how far it is; `checkpoint` is told once per table, `progress` now and then. */
  progress(message: string): Promise<void>;
  checkpoint(message: string): Promise<void>;
};

/** Writes an import beside the live data and puts all of it in place in one step. Answers how many documents came. */
export async function runImport(run: ImportRun): Promise<{ rows: number; ts: Timestamp }> {
  const { database, files, plan } = run;
  const components = plan.tables.filter(({ name }) => name === STORAGE).map(({ component }) => component);
  const isKept = (row: JsonObject) => plan.mode === "append" || !components.includes(ownerOf(row));
  const stage = database.stage();
  const written: string[] = [];
  const replaced = new Set<string>();
  try {
    nameTables(stage, plan);
    if (components.length > 0) {
      const keeps = (row: JsonObject) => {
        const stays = isKept(row);
        if (!stays) {
          replaced.add(String(row["blob"]));
        }
        return stays;
      };
      const everything = plan.mode === "append";
      stage.add({ component: "", name: FILE_BLOBS, number: null, keeps: everything ? "all" : keeps });
    }
    stage.check();
    let rows = 0;
    for (const table of plan.tables) {
      rows += table.name === STORAGE ? 0 : await importRows(run, stage, table);
    }
    for (const component of components) {
      const onBlob = (name: string) => written.push(name);
      const count = await importFiles(
        {
          ...run,
          stage,
          isKept,
          onBlob,
          onProgress: (done) => step(run, `Importing "${STORAGE}" (${formatCount(done)} files)`),
        },
        component,
      );
      await run.checkpoint(`Imported "${STORAGE}"${inComponent(component)} (${formatCount(count)} files)`);
    }
    const ts = await stage.apply(run.label);
    for (const name of replaced) {
      files.discardBytes(name);
    }
    return { rows, ts };
  } catch (error) {
    await stage.discard();
    for (const name of written) {
      files.discardBytes(name);
    }
    throw error;
  }
}

const ownerOf = (row: JsonObject): ComponentPath =>
  typeof row["component"] === "string" ? row["component"] : "";

const inComponent = (component: ComponentPath): string =>
  component === "" ? "" : ` in component ${component}`;

function nameTables(stage: TableStage, { mode, tables, others }: ImportPlan): void {
  for (const { component, name, number } of tables) {
    stage.add({
      component,
      name,
      number,
      ...(mode === "append" ? { keeps: "all" } : {}),
      mustBeEmpty: mode === "requireEmpty",
    });
  }
  for (const { component, name } of others) {
    // A table of the schema is emptied and stays; any other one goes.
    if (stage.isDeclared(component, name)) {
      stage.add({ component, name, number: null });
    } else {
      stage.drop(component, name);
    }
  }
}

async function importRows(run: ImportRun, stage: TableStage, table: PlannedTable): Promise<number> {
  const { component, name } = table;
  const source = run.source.tables.find((each) => each.component === component && each.table === name);
  if (source === undefined) {
    return 0; // Only named: it comes empty.
  }
  // A cell of CSV cannot be missing: where the schema allows it, an empty one counts as that.
  const optional = run.format === "csv" ? stage.optionalFields(component, name) : new Set<string>();
  let rows = 0;
  let batch: StagedRow[] = [];
  let chars = 0;
  for await (const row of source.rows()) {
    rows += 1;
    batch.push(stagedRow(row, `Row ${rows} of table "${name}"${inComponent(component)}`, optional));
    chars += JSON.stringify(row).length;
    if (batch.length >= ROWS_PER_STEP || chars >= CHARS_PER_STEP) {
      stage.write(component, name, batch);
      batch = [];
      chars = 0;
      await step(run, `Importing "${name}"${inComponent(component)} (${formatCount(rows)} documents)`);
      await setImmediate();
    }
  }
  stage.write(component, name, batch);
  await run.checkpoint(`Imported "${name}"${inComponent(component)} (${formatCount(rows)} documents)`);
  return rows;
}

async function step({ stopping, progress }: ImportRun, message: string): Promise<void> {
  if (stopping.aborted) {
    throw new EngineError("overloaded", "ShuttingDown", "The engine is shutting down.");
  }
  await progress(message);
}

function stagedRow(row: JsonObject, label: string, optional: ReadonlySet<string>): StagedRow {
  const { _id: id, _creationTime: creationTime, ...rest } = row;
  if (id !== undefined && typeof id !== "string") {
    throw developerError("InvalidConvexValue", `${label}: its _id is not a string.`);
  }
  const isTime = typeof creationTime === "number" && creationTime > 0;
  if (creationTime !== undefined && !isTime) {
    throw developerError("InvalidConvexValue", `${label}: its _creationTime is not a time in milliseconds.`);
  }
  const fields = Object.fromEntries(
    Object.entries(rest).filter(([field, value]) => value !== "" || !optional.has(field)),
  );
  return { label, id: id ?? null, creationTime: isTime ? creationTime : null, fields };
}
