import { canonicalJson } from "../json";
import type { Store } from "../storage/store";
import type { ComponentPath } from "../types";
import type { ValidatorJson } from "../values/validator";
import type { CatalogState } from "./catalog-state";
import type { TableSchema } from "./schema";
import type { DeclaredIndex } from "./schema-indexes";
import {
  type AnyIndex,
  type IndexInfo,
  indexFields,
  isSystemName,
  type SearchInfo,
  type TableInfo,
  type UnreadyIndex,
} from "./table";
import type { TableFactory } from "./table-factory";

/** An index as the new schema wants it: one that is there already, whatever its state, or a new one. */
export type WantedIndex = { readonly index: AnyIndex; readonly isStaged: boolean; readonly isNew: boolean };

/** One table as the new schema wants it. */
export type TablePlan = {
  /** As it is now; null where it does not exist. */
  readonly before: TableInfo | null;
  readonly after: TableInfo;
  readonly wanted: readonly WantedIndex[];
  /** Indexes that the new schema has no use for. */
  readonly dropped: readonly AnyIndex[];
  /** What rows have to be checked against; null where nothing changes for them. */
  readonly check: ValidatorJson | null;
};

/** What becomes of each table of a component. A table that is not declared any more keeps its rows, but no indexes. */
export function planTables(
  component: ComponentPath,
  declared: readonly TableSchema[],
  state: CatalogState,
  factory: TableFactory,
): TablePlan[] {
  const plans = declared.map((schema) => planTable(component, schema, state, factory));
  const names = new Set(declared.map((schema) => schema.name));
  for (const table of state.tables()) {
    if (table.component === component && !isSystemName(table.name) && !names.has(table.name)) {
      const undeclared = { name: table.name, indexes: [], validator: null };
      plans.push(planTable(component, undeclared, state, factory));
    }
  }
  return plans;
}

/** Indexes that must be complete before the schema can be in force. */
export const neededIndexes = (plan: TablePlan): AnyIndex[] =>
  plan.wanted.filter(({ isStaged }) => !isStaged).map(({ index }) => index);

/** Whether everything that the plan needs exists and is complete, so that the schema can be put in force at once. */
export function isReady(plans: readonly TablePlan[], store: Store): boolean {
  return plans.every(
    (plan) => plan.before === null || neededIndexes(plan).every((index) => store.builtTo(index.xid) === null),
  );
}

function planTable(
  component: ComponentPath,
  schema: TableSchema,
  state: CatalogState,
  factory: TableFactory,
): TablePlan {
  const before = state.table(component, schema.name);
  const known = before === null ? [] : declaredIndexes(before);
  const wanted = schema.indexes.map((declared): WantedIndex => {
    const existing = known.find((index) => isSame(index, declared));
    const index = existing ?? newIndex(factory, declared);
    return { index, isStaged: declared.isStaged, isNew: existing === undefined };
  });
  const kept = new Set(wanted.map(({ index }) => index));
  const changesRules = canonicalJson(schema.validator) !== canonicalJson(before?.validator ?? null);
  return {
    before,
    after: {
      ...(before ?? factory.reserve(component, schema.name)),
      ...arrange(wanted),
      validator: schema.validator,
    },
    wanted,
    dropped: known.filter((index) => !kept.has(index)),
    check: before !== null && changesRules ? schema.validator : null,
  };
}

const declaredIndexes = (table: TableInfo): AnyIndex[] => [
  ...table.indexes.values(),
  ...table.searches.values(),
  ...table.unready.map(({ index }) => index),
];

const isSame = (index: AnyIndex, declared: DeclaredIndex): boolean =>
  index.kind === declared.kind &&
  index.name === declared.name &&
  indexFields(index).join() === declared.fields.join();

function newIndex(factory: TableFactory, { kind, name, fields }: DeclaredIndex): AnyIndex {
  const [searchField = "", ...filterFields] = fields;
  return kind === "db" ? factory.index(name, fields) : factory.search(name, searchField, filterFields);
}

function arrange(wanted: readonly WantedIndex[]): Pick<TableInfo, "indexes" | "searches" | "unready"> {
  const indexes = new Map<string, IndexInfo>();
  const searches = new Map<string, SearchInfo>();
  const unready: UnreadyIndex[] = [];
  for (const { index, isStaged } of wanted) {
    if (isStaged) {
      unready.push({ index, state: "staged" });
    } else if (index.kind === "db") {
      indexes.set(index.name, index);
    } else {
      searches.set(index.name, index);
    }
  }
  return { indexes, searches, unready };
}
