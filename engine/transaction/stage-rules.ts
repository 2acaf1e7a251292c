import { developerError, type EngineError } from "../errors";
import { canonicalJson } from "../json";
import type { ValidatorJson } from "../values/validator";
import type { CatalogState } from "./catalog-state";
import { indexesOf, indexFields, isSystemName, type TableInfo } from "./table";

export const tableExists = (name: string): EngineError =>
  developerError(
    "TableExists",
    `Table ${name} already exists. Please choose a new table name or use replace/append modes.`,
  );

/**
 * Refuses tables whose number, which is part of every id, belongs to a table that stays, or to two of them.
 * @param isGone whether a table of today is replaced or dropped as well
 */
export function checkNumbers(
  staged: readonly TableInfo[],
  state: CatalogState,
  isGone: (table: TableInfo) => boolean,
): void {
  const taken = new Map<string, TableInfo>();
  for (const table of staged) {
    const slot = `${table.component}:${table.number}`;
    const owner = taken.get(slot) ?? state.tableByNumber(table.component, table.number);
    const isOther = owner !== null && owner.name !== table.name;
    if (isOther && (taken.has(slot) || !isGone(owner))) {
      throw developerError("TableConflict", conflictText(table, owner));
    }
    taken.set(slot, table);
  }
}

function conflictText({ name, component }: TableInfo, owner: TableInfo): string {
  const where = component === "" ? "" : ` in component ${component}`;
  const begin = `New table \`${name}\`${where} has IDs that conflict with existing`;
  return isSystemName(owner.name)
    ? `${begin} internal table. Consider importing this table without \`_id\` fields or import into a new deployment.`
    : `${begin} table \`${owner.name}\`. To delete all existing tables, import with \`npx convex import --replace-all\`.`;
}

/**
 * Refuses to change the number of a table to which rows refer that stay: their `v.id` would not hold any more.
 * @param isHarmless whether a table has no such rows
 */
export function checkReferences(
  staged: readonly TableInfo[],
  state: CatalogState,
  isHarmless: (table: TableInfo) => boolean,
): void {
  const renumbered = staged.filter(({ component, name, number }) => {
    const before = state.table(component, name);
    return before !== null && before.number !== number;
  });
  for (const table of state.tables()) {
    if (table.validator === null || isHarmless(table)) {
      continue;
    }
    const names = referencedTables(table.validator);
    const target = renumbered.find(({ component, name }) => component === table.component && names.has(name));
    if (target !== undefined) {
      throw developerError(
        "ImportForeignKey",
        `Import changes table '${target.name}' which is referenced by '${table.name}' in the schema`,
      );
    }
  }
}

/** Every table that a validator names in a `v.id`. */
function referencedTables(validator: ValidatorJson, names = new Set<string>()): Set<string> {
  switch (validator.type) {
    case "id":
      return names.add(validator.tableName);
    case "array":
      return referencedTables(validator.value, names);
    case "record":
      referencedTables(validator.keys, names);
      return referencedTables(validator.values.fieldType, names);
    case "object":
      for (const { fieldType } of Object.values(validator.value)) {
        referencedTables(fieldType, names);
      }
      return names;
    case "union":
      for (const member of validator.value) {
        referencedTables(member, names);
      }
      return names;
    default:
      return names;
  }
}

/** Whether rows that were checked and indexed for one table fit the other. */
export function sameShape(a: TableInfo, b: TableInfo): boolean {
  return canonicalJson(shapeOf(a)) === canonicalJson(shapeOf(b));
}

/** Indexes of a push that is not finished are no part of it: the push builds them anew where they are missing. */
const shapeOf = (table: TableInfo) => ({
  indexes: indexesOf(table)
    .filter(({ state }) => state !== "pending")
    .map(({ index, state }) => `${index.kind} ${state} ${index.name}(${indexFields(index).join()})`)
    .sort(),
  validator: table.validator ?? null,
});
