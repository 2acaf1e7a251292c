import { developerError, EngineError } from "../errors";
import type { Faults } from "../faults";
import { canonicalJson } from "../json";
import type { Store } from "../storage/store";
import type { Catalog, ComponentPath, JsonValue, SchemaProgress, Transaction } from "../types";
import type { CatalogState } from "./catalog-state";
import { addTable, type Committer, overloaded, writeFailure } from "./committer";
import { dropIndexes, IndexBuilder } from "./index-builder";
import { parseSchema, type TableSchema } from "./schema";
import { SchemaCheck } from "./schema-check";
import { isReady, neededIndexes, planTables, type TablePlan } from "./schema-plan";
import { indexRow, isSystemName, type TableInfo } from "./table";
import type { TableFactory } from "./table-factory";
import { EngineTransaction } from "./transaction";
import type { LogEntry } from "./write-log";

/** How often a change of schema starts over because tables appeared while it ran. */
const ATTEMPTS_MAX = 5;
/** Where the backfill of an index begins: before every document. */
const NOTHING_BUILT = "";

export type CatalogParts = {
  readonly store: Store;
  readonly factory: TableFactory;
  readonly committer: Committer;
  readonly faults: Faults | null;
  readonly log: (line: string) => void;
  state(): CatalogState;
  /** Puts a new state in place and ends all snapshots of the old one. */
  replace(state: CatalogState): void;
};

/** A schema whose rows were checked, waiting to be put in force; it goes on being held against what is written. */
type Prepared = { readonly schema: string; readonly check: SchemaCheck };

/** `json` is the canonical text of the schema; null takes a schema away. */
type SchemaChange = {
  readonly component: ComponentPath;
  readonly declared: readonly TableSchema[];
  readonly json: string | null;
};

type Preparation = {
  readonly component: ComponentPath;
  readonly schema: string;
  readonly declared: readonly TableSchema[];
  readonly onProgress: (progress: SchemaProgress) => void;
  readonly goOn: () => void;
};

/**
 * Tables, indexes and schemas. A change of schema has two parts: `prepare` builds the new indexes beside those in force
 * and checks the rows, in small steps, while functions go on; the switch puts all of it in force at once.
 */
export class EngineCatalog implements Catalog {
  readonly #parts: CatalogParts;
  readonly #builder: IndexBuilder;
  /** Changes of schema run one after the other. */
  #queue: Promise<void> = Promise.resolve();
  readonly #prepared = new Map<ComponentPath, Prepared>();
  readonly #checks = new Set<SchemaCheck>();
  /** Preparations asked for so far, by component: a later one ends an earlier one that still runs. */
  readonly #preparations = new Map<ComponentPath, number>();

  constructor(parts: CatalogParts) {
    this.#parts = parts;
    this.#builder = new IndexBuilder(parts);
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
    return this.#enqueue(() => this.#apply(new Map([[component, schema]]), null));
  }

  applySchemas(
    schemas: ReadonlyMap<ComponentPath, JsonValue | null>,
    along: () => Transaction,
  ): Promise<void> {
    return this.#enqueue(() => this.#apply(schemas, along));
  }

  prepareSchema(
    component: ComponentPath,
    schema: JsonValue | null,
    onProgress: (progress: SchemaProgress) => void = () => undefined,
  ): Promise<void> {
    const turn = (this.#preparations.get(component) ?? 0) + 1;
    this.#preparations.set(component, turn);
    const goOn = () => {
      this.#goOn();
      if (this.#preparations.get(component) !== turn) {
        throw developerError("RaceDetected", "Schema was overwritten by another push.");
      }
    };
    return this.#enqueue(async () => {
      if (!this.#isInForce(component, schema)) {
        const declared = parseSchema(schema);
        await this.#prepare({ component, schema: canonicalJson(schema), declared, onProgress, goOn });
      }
    });
  }

  checkSchema(component: ComponentPath, schema: JsonValue | null): Promise<void> {
    return this.#enqueue(async () => {
      const check = this.#newCheck(component, this.#plan(component, parseSchema(schema)));
      this.#checks.delete(check);
      await check.walk(() => this.#goOn());
    });
  }

  /** To be told of every commit. */
  observe(entry: LogEntry): void {
    for (const check of this.#checks) {
      check.observe(entry);
    }
  }

  /** Goes on in the background with what an earlier process left: staged indexes to build, dropped ones to sweep. */
  resume(): void {
    this.#inBackground(async () => {
      await this.#builder.sweep();
      for (const table of [...this.#parts.state().tables()]) {
        for (const { index, state } of table.unready) {
          if (state === "staged") {
            await this.#builder.build(table, index);
          }
        }
      }
    });
  }

  #inBackground(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.#parts.committer.isClosed) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#parts.log(`Indexes are not built on until the next push or start: ${reason}`);
      }
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const run = this.#queue.then(work).catch((error: unknown) => {
      throw writeFailure(error);
    });
    // The queue goes on whatever became of one change; its caller hears of the failure.
    this.#queue = run.catch(() => undefined);
    return run;
  }

  #goOn(): void {
    if (this.#parts.committer.isClosed) {
      throw overloaded("it is shutting down");
    }
  }

  async #apply(
    schemas: ReadonlyMap<ComponentPath, JsonValue | null>,
    along: (() => Transaction) | null,
  ): Promise<void> {
    const changes: SchemaChange[] = [];
    for (const [component, schema] of schemas) {
      const declared = parseSchema(schema);
      if (this.#isInForce(component, schema)) {
        this.#dropPending(component);
      } else {
        changes.push({ component, declared, json: schema === null ? null : canonicalJson(schema) });
      }
    }
    if (changes.length === 0 && along === null) {
      return;
    }
    const goOn = () => this.#goOn();
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      for (const { component, declared, json } of changes) {
        const schema = json ?? "null";
        await this.#prepare({ component, schema, declared, onProgress: () => undefined, goOn });
      }
      if (this.#switch(changes, along)) {
        if (changes.length > 0) {
          this.resume();
        }
        return;
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
    return stored === (schema === null ? null : canonicalJson(schema));
  }

  #plan(component: ComponentPath, declared: readonly TableSchema[]): TablePlan[] {
    return planTables(component, declared, this.#parts.state(), this.#parts.factory);
  }

  /** Checks the rows and completes the indexes that the schema needs. Leaves no trace where that fails. */
  async #prepare(preparation: Preparation): Promise<void> {
    const { component, schema, declared, goOn } = preparation;
    goOn();
    const known = this.#prepared.get(component);
    this.#install(this.#plan(component, declared));
    const plans = this.#plan(component, declared);
    const isKnown = known?.schema === schema && known.check.covers(plans);
    const check = isKnown ? known.check : this.#newCheck(component, plans);
    try {
      await this.#advance(preparation, plans, check, isKnown);
      this.#remember(component, { schema, check });
    } catch (error) {
      this.#giveUp(component, check);
      throw error;
    }
  }

  #giveUp(component: ComponentPath, check: SchemaCheck): void {
    this.#forget(component, check);
    if (!this.#parts.committer.isClosed) {
      this.#dropPending(component);
    }
  }

  async #advance(
    { component, onProgress, goOn }: Preparation,
    plans: readonly TablePlan[],
    check: SchemaCheck,
    isChecked: boolean,
  ): Promise<void> {
    const { store } = this.#parts;
    const toBuild = plans.flatMap((plan) =>
      plan.before === null
        ? []
        : neededIndexes(plan)
            .filter((index) => store.builtTo(index.xid) != null)
            .map((index) => ({ table: plan.after, index })),
    );
    const report = (checked: boolean, built: number) =>
      onProgress({ component, checked, indexesBuilt: built, indexesTotal: toBuild.length });
    report(isChecked, 0);
    if (!isChecked) {
      await check.walk(goOn);
    }
    report(true, 0);
    for (const [i, { table, index }] of toBuild.entries()) {
      await this.#builder.build(table, index);
      goOn();
      report(true, i + 1);
    }
    await check.catchUp(goOn);
  }

  #newCheck(component: ComponentPath, plans: readonly TablePlan[]): SchemaCheck {
    const after = this.#parts.state().with(plans.map((plan) => plan.after));
    const check = new SchemaCheck(this.#parts.store, plans, after.validatorTables(component));
    this.#checks.add(check);
    return check;
  }

  #remember(component: ComponentPath, prepared: Prepared): void {
    const before = this.#prepared.get(component);
    if (before !== undefined && before.check !== prepared.check) {
      this.#checks.delete(before.check);
    }
    this.#prepared.set(component, prepared);
  }

  #forget(component: ComponentPath, check: SchemaCheck): void {
    this.#checks.delete(check);
    const prepared = this.#prepared.get(component);
    if (prepared !== undefined) {
      this.#checks.delete(prepared.check);
      this.#prepared.delete(component);
    }
  }

  /** Makes commits keep the new indexes from now on, and no longer those of pushes that were given up. */
  #install(plans: readonly TablePlan[]): void {
    const { store } = this.#parts;
    const changed: TableInfo[] = [];
    const added: { table: TableInfo; index: TableInfo["unready"][number]["index"] }[] = [];
    const dropped: number[] = [];
    for (const plan of plans) {
      if (plan.before === null) {
        continue;
      }
      const isPending = new Set(
        plan.before.unready.filter(({ state }) => state === "pending").map(({ index }) => index),
      );
      const gone = plan.dropped.filter((index) => isPending.has(index));
      const fresh = plan.wanted.filter(({ isNew, isStaged }) => isNew && !isStaged).map(({ index }) => index);
      if (gone.length > 0 || fresh.length > 0) {
        const kept = plan.before.unready.filter(({ index }) => !gone.includes(index));
        const table: TableInfo = {
          ...plan.before,
          unready: [...kept, ...fresh.map((index) => ({ index, state: "pending" as const }))],
        };
        changed.push(table);
        added.push(...fresh.map((index) => ({ table, index })));
        dropped.push(...gone.map(({ xid }) => xid));
      }
    }
    if (changed.length === 0) {
      return;
    }
    this.#parts.committer.exclusively(() => {
      for (const { table, index } of added) {
        store.addIndex(indexRow(table.tid, index, "pending", NOTHING_BUILT));
      }
      dropIndexes(store, dropped);
    });
    this.#parts.replace(this.#parts.state().with(changed));
    if (dropped.length > 0) {
      this.#inBackground(() => this.#builder.sweep());
    }
  }

  /** Drops what a push that failed, or was never finished, had begun to build. */
  #dropPending(component: ComponentPath): void {
    const plans: TablePlan[] = [];
    for (const table of this.#parts.state().tables()) {
      const dropped = table.unready.filter(({ state }) => state === "pending").map(({ index }) => index);
      if (table.component === component && dropped.length > 0) {
        plans.push({ before: table, after: table, wanted: [], dropped, check: null });
      }
    }
    this.#install(plans);
  }

  /** Puts prepared schemas in force; false where something came in between that has to be prepared first. */
  #switch(changes: readonly SchemaChange[], along: (() => Transaction) | null): boolean {
    const { store, committer } = this.#parts;
    // Commits that are accepted belong to the old schemas; what they changed is looked at below.
    committer.flushAll();
    const ready: { change: SchemaChange; plans: readonly TablePlan[]; check: SchemaCheck }[] = [];
    for (const change of changes) {
      const plans = this.#plan(change.component, change.declared);
      const check = this.#prepared.get(change.component)?.check;
      if (check === undefined || !check.covers(plans) || !isReady(plans, store)) {
        return false;
      }
      ready.push({ change, plans, check });
    }
    try {
      committer.exclusively(
        () => {
          for (const each of ready) {
            each.check.recheck();
            for (const plan of each.plans) {
              settleTable(store, plan);
            }
            store.setSchema(each.change.component, each.change.json);
          }
        },
        along === null ? null : engineTransaction(along()),
      );
    } catch (error) {
      for (const { change, check } of ready) {
        this.#giveUp(change.component, check);
      }
      throw error;
    }
    for (const { change, check } of ready) {
      this.#forget(change.component, check);
    }
    if (ready.length > 0) {
      const after = ready.flatMap(({ plans }) => plans.map((plan) => plan.after));
      this.#parts.replace(this.#parts.state().with(after));
    }
    return true;
  }
}

function engineTransaction(transaction: Transaction): EngineTransaction {
  if (transaction instanceof EngineTransaction) {
    return transaction;
  }
  throw new EngineError("internal", "ForeignObject", "The transaction belongs to another database.");
}

function settleTable(store: Store, { before, after, wanted, dropped }: TablePlan): void {
  if (before === null) {
    addTable(store, after);
    return;
  }
  for (const { index, isStaged, isNew } of wanted) {
    const state = isStaged ? "staged" : "live";
    if (isNew) {
      store.addIndex(indexRow(after.tid, index, state, NOTHING_BUILT));
    } else {
      store.setIndexState(index.xid, state);
    }
  }
  dropIndexes(
    store,
    dropped.map(({ xid }) => xid),
  );
}
