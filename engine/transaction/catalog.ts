import { setImmediate } from "node:timers";
import { developerError, EngineError } from "../errors";
import type { Faults } from "../faults";
import { canonicalJson } from "../json";
import type { Store } from "../storage/store";
import type { Catalog, ComponentPath, JsonValue } from "../types";
import { encodeKey, type Key } from "../values/key";
import { type ValidatorTables, validateDocument } from "../values/validator";
import type { CatalogState } from "./catalog-state";
import { addTable, type Committer, overloaded, writeFailure } from "./committer";
import { parseStored } from "./document";
import { parseSchema, type TableSchema } from "./schema";
import { entryKey, type IndexInfo, isSystemName, LOOSE_INDEXES_META, type TableInfo } from "./table";
import type { TableFactory } from "./table-factory";
import type { DocChange, LogEntry } from "./write-log";

/** Rows that are checked or indexed without giving others a turn: a few milliseconds. */
const ROWS_PER_TURN = 200;
/** How often a change of schema starts over because tables appeared while it ran. */
const ATTEMPTS_MAX = 5;

/** One table as the new schema wants it. */
type TablePlan = {
  /** As it is now; null where it does not exist. */
  readonly before: TableInfo | null;
  readonly after: TableInfo;
  readonly added: readonly IndexInfo[];
  readonly dropped: readonly IndexInfo[];
  readonly isChecked: boolean;
};

export type CatalogParts = {
  readonly store: Store;
  readonly factory: TableFactory;
  readonly committer: Committer;
  state(): CatalogState;
  readonly faults: Faults | null;
  /** Puts a new state in place and ends all snapshots of the old one. */
  replace(state: CatalogState): void;
};

/**
 * Tables, indexes and schemas. A change of schema walks the rows in small steps, while functions go on, and notes what
 * they change meanwhile; the last step looks at that again and switches, in one SQLite transaction.
 */
export class EngineCatalog implements Catalog {
  readonly #parts: CatalogParts;
  /** Changes of schema run one after the other. */
  #queue: Promise<void> = Promise.resolve();
  /** What commits changed since the walk began; null when nothing is being walked. */
  #changed: DocChange[] | null = null;

  constructor(parts: CatalogParts) {
    this.#parts = parts;
  }

  tableNames(component: ComponentPath): string[] {
    const names: string[] = [];
    for (const table of this.#parts.state().tables()) {
      if (table.component === component && !isSystemName(table.name)) {
        names.push(table.name);
      }
    }
    return names.sort();
  }

  tableNumber(component: ComponentPath, table: string): number | null {
    return this.#parts.state().tableNumber(component, table);
  }

  applySchema(component: ComponentPath, schema: JsonValue | null): Promise<void> {
    return this.#enqueue(() => this.#apply(component, schema));
  }

  checkSchema(component: ComponentPath, schema: JsonValue | null): Promise<void> {
    return this.#enqueue(async () => {
      const plans = this.#plan(component, parseSchema(schema));
      await this.#walk(plans, component, false);
      this.#changed = null;
    });
  }

  /** To be told of every commit. */
  observe(entry: LogEntry): void {
    this.#changed?.push(...entry.changes);
  }

  /** Removes what an interrupted change of schema left behind. */
  async sweep(): Promise<void> {
    const { store, committer } = this.#parts;
    for (const xid of this.#looseIndexes()) {
      while (!committer.isClosed && store.atomically(() => store.dropEntries(xid, ROWS_PER_TURN)) > 0) {
        await nextTurn();
      }
      if (committer.isClosed) {
        return;
      }
      store.atomically(() => this.#setLooseIndexes(this.#looseIndexes().filter((loose) => loose !== xid)));
    }
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const run = this.#queue.then(work).catch((error: unknown) => {
      throw writeFailure(error);
    });
    // The queue goes on whatever became of one change; its caller hears of the failure.
    this.#queue = run.catch(() => undefined);
    return run;
  }

  async #apply(component: ComponentPath, schema: JsonValue | null): Promise<void> {
    const declared = parseSchema(schema);
    if (this.#isInForce(component, schema)) {
      return;
    }
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const plans = this.#plan(component, declared);
      try {
        await this.#walk(plans, component, true);
        // Commits that are accepted belong to the old schema; what they changed is looked at in the switch.
        this.#parts.committer.flushAll();
        if (this.#isCurrent(plans)) {
          this.#switch(component, schema, plans);
          return;
        }
      } finally {
        this.#changed = null;
        await this.sweep();
      }
    }
    throw new EngineError(
      "conflict",
      "SchemaChangeConflict",
      "Tables were created again and again while the schema was being applied. Try again.",
    );
  }

  /** Pushing the same schema again, as development does all day, must not disturb anybody. */
  #isInForce(component: ComponentPath, schema: JsonValue | null): boolean {
    const stored = this.#parts.store.schemas().find((row) => row.component === component)?.json ?? null;
    return stored !== null && schema !== null && stored === canonicalJson(schema);
  }

  #plan(component: ComponentPath, declared: readonly TableSchema[]): TablePlan[] {
    const state = this.#parts.state();
    const plans = declared.map((schema) => this.#planTable(component, schema, state));
    const names = new Set(declared.map((schema) => schema.name));
    for (const table of state.tables()) {
      // A table that is no longer declared keeps its rows, but neither indexes nor rules.
      if (table.component === component && !isSystemName(table.name) && !names.has(table.name)) {
        plans.push(this.#planTable(component, { name: table.name, indexes: [], validator: null }, state));
      }
    }
    return plans;
  }

  #planTable(component: ComponentPath, schema: TableSchema, state: CatalogState): TablePlan {
    const { factory } = this.#parts;
    const before = state.table(component, schema.name);
    const base = before ?? factory.reserve(component, schema.name);
    const added: IndexInfo[] = [];
    const indexes = schema.indexes.map(({ name, fields }) => {
      const existing = before?.indexes.get(name);
      if (existing !== undefined && existing.fields.join() === fields.join()) {
        return existing;
      }
      const index = factory.index(name, fields);
      added.push(index);
      return index;
    });
    const kept = new Set(indexes);
    return {
      before,
      after: {
        ...base,
        indexes: new Map(indexes.map((index) => [index.name, index])),
        validator: schema.validator,
      },
      added,
      dropped: [...(before?.indexes.values() ?? [])].filter((index) => !kept.has(index)),
      isChecked:
        schema.validator !== null &&
        canonicalJson(schema.validator) !== canonicalJson(before?.validator ?? null),
    };
  }

  /** Checks every row against the new rules and, if asked to, gives it its entries in the new indexes. */
  async #walk(plans: readonly TablePlan[], component: ComponentPath, builds: boolean): Promise<void> {
    const { store } = this.#parts;
    this.#changed = [];
    const loose = plans.flatMap((plan) => plan.added.map((index) => index.xid));
    if (builds && loose.length > 0) {
      store.atomically(() => this.#setLooseIndexes([...this.#looseIndexes(), ...loose]));
    }
    const tables = this.#tablesAfter(plans, component);
    for (const plan of plans) {
      const adds = builds ? plan.added : [];
      if (plan.before === null || (!plan.isChecked && adds.length === 0)) {
        continue;
      }
      let afterRid = 0;
      for (;;) {
        if (this.#parts.committer.isClosed) {
          throw overloaded("it is shutting down");
        }
        const rows = store.page(plan.before.tid, afterRid, ROWS_PER_TURN);
        store.atomically(() => {
          for (const row of rows) {
            this.#visit(plan, adds, row, tables);
          }
        });
        const last = rows.at(-1);
        if (last === undefined || rows.length < ROWS_PER_TURN) {
          break;
        }
        if (adds.length > 0) {
          this.#parts.faults?.at("backfill_half_done", null);
        }
        afterRid = last.rid;
        await nextTurn();
      }
    }
  }

  #visit(
    plan: TablePlan,
    adds: readonly IndexInfo[],
    row: { readonly id: string; readonly rid: number; readonly text: string },
    tables: ValidatorTables,
  ): void {
    const document = parseStored(row.text);
    if (plan.isChecked && plan.after.validator !== null) {
      const failure = validateDocument(plan.after.validator, document, tables);
      if (failure !== null) {
        throw developerError(
          "SchemaValidationError",
          `Schema validation failed.\nDocument with ID "${row.id}" in table "${plan.after.name}" does not match the schema: ${failure}`,
        );
      }
    }
    for (const index of adds) {
      this.#parts.store.replaceEntry(index.xid, keyOf(index, row.id, row.text), row.rid);
    }
  }

  /** Whether no table appeared or changed since the plan was made. */
  #isCurrent(plans: readonly TablePlan[]): boolean {
    const state = this.#parts.state();
    const component = plans[0]?.after.component;
    const planned = new Set(plans.map((plan) => plan.after.name));
    for (const table of state.tables()) {
      if (table.component === component && !isSystemName(table.name) && !planned.has(table.name)) {
        return false;
      }
    }
    return plans.every((plan) => state.table(plan.after.component, plan.after.name) === plan.before);
  }

  #switch(component: ComponentPath, schema: JsonValue | null, plans: readonly TablePlan[]): void {
    const { store, committer } = this.#parts;
    const tables = this.#tablesAfter(plans, component);
    committer.exclusively(() => {
      this.#revisit(plans, tables);
      for (const { before, after, added, dropped } of plans) {
        if (before === null) {
          addTable(store, after);
          continue;
        }
        for (const index of dropped) {
          store.removeIndex(index.xid);
        }
        for (const index of added) {
          store.addIndex({ xid: index.xid, tid: after.tid, name: index.name, fields: index.fields });
        }
      }
      const settled = new Set(plans.flatMap((plan) => plan.added.map((index) => index.xid)));
      const dropped = plans.flatMap((plan) => plan.dropped.map((index) => index.xid));
      this.#setLooseIndexes([...this.#looseIndexes().filter((xid) => !settled.has(xid)), ...dropped]);
      store.setSchema(component, schema === null ? null : canonicalJson(schema));
    });
    this.#parts.replace(this.#parts.state().with(plans.map((plan) => plan.after)));
  }

  /** Looks again at the rows that commits changed during the walk. */
  #revisit(plans: readonly TablePlan[], tables: ValidatorTables): void {
    const { store } = this.#parts;
    const planOf = new Map(plans.map((plan) => [plan.after.tid, plan]));
    const revisited = new Set<string>();
    for (const change of this.#changed ?? []) {
      const plan = planOf.get(change.table.tid);
      if (plan === undefined) {
        continue;
      }
      if (change.old !== null) {
        for (const index of plan.added) {
          store.removeEntry(index.xid, keyOf(index, change.id, change.old.text));
        }
      }
      revisited.add(`${change.table.tid}:${change.id}`);
    }
    for (const change of this.#changed ?? []) {
      const plan = planOf.get(change.table.tid);
      const current = revisited.delete(`${change.table.tid}:${change.id}`)
        ? store.get(change.table.tid, change.id)
        : null;
      if (plan !== undefined && current !== null) {
        this.#visit(plan, plan.added, { ...current, id: change.id }, tables);
      }
    }
  }

  #tablesAfter(plans: readonly TablePlan[], component: ComponentPath): ValidatorTables {
    return this.#parts
      .state()
      .with(plans.map((plan) => plan.after))
      .validatorTables(component);
  }

  #looseIndexes(): number[] {
    const text = this.#parts.store.meta(LOOSE_INDEXES_META) ?? "";
    return text === "" ? [] : text.split(",").map(Number);
  }

  #setLooseIndexes(xids: readonly number[]): void {
    this.#parts.store.setMeta(LOOSE_INDEXES_META, [...new Set(xids)].join(","));
  }
}

function keyOf(index: IndexInfo, id: string, text: string): Key {
  const document = parseStored(text);
  return entryKey(index, document, encodeKey(document["_creationTime"]) + encodeKey(id));
}

/** Lets everything else that is due run first. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
