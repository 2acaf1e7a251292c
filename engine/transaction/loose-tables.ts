import { setImmediate } from "node:timers/promises";
import { isJsonObject, parseJson, requireArray, requireCount } from "../json";
import type { Store } from "../storage/store";
import { indexesOf, type TableInfo } from "./table";

/** Tables that have rows on disk but are in no catalog: being filled, or replaced and not yet swept. */
const META_LOOSE_TABLES = "loose_tables";
/** Rows that are removed without giving others a turn: a few milliseconds. */
const ROWS_PER_TURN = 500;

/** What a stage was filling when its process ended, or what was replaced and not yet swept. */
export function looseTables(store: Store): LooseTable[] {
  const text = store.meta(META_LOOSE_TABLES) ?? "[]";
  return requireArray(parseJson(text, "The list of loose tables"), "The list of loose tables").map(
    (json) => ({
      tid: requireCount(isJsonObject(json) ? json["tid"] : undefined, "The number of a loose table"),
      xids: requireArray(isJsonObject(json) ? json["xids"] : undefined, "The indexes of a loose table").map(
        (xid) => requireCount(xid, "The number of a loose index"),
      ),
    }),
  );
}

type LooseTable = { readonly tid: number; readonly xids: readonly number[] };

/**
 * Keeps account, on disk, of the tables that nobody can see, so that what a kill leaves behind is found and removed at
 * the next start.
 */
export class LooseTables {
  readonly #store: Store;
  /** Whether the sweep must stop or wait: the engine shuts down, or somebody still reads old tables. */
  readonly #isBlocked: () => boolean;
  /** Being filled by this process. */
  readonly #inUse = new Set<number>();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(store: Store, isBlocked: () => boolean) {
    this.#store = store;
    this.#isBlocked = isBlocked;
  }

  /** Notes a table that is about to be filled, before its first row. */
  begin(table: TableInfo): void {
    this.#inUse.add(table.tid);
    this.#store.atomically(() => this.change([], [table]));
  }

  /** Gives the tables up to the sweep. */
  abandon(tables: Iterable<TableInfo>): void {
    for (const table of tables) {
      this.#inUse.delete(table.tid);
    }
  }

  /** Notes that some tables became visible and others were cut off; call inside a SQLite transaction. */
  change(settled: readonly TableInfo[], loose: readonly TableInfo[]): void {
    const gone = new Set(settled.map((table) => table.tid));
    const kept = looseTables(this.#store).filter(({ tid }) => !gone.has(tid));
    const added = loose.map((table) => ({
      tid: table.tid,
      xids: indexesOf(table).map(({ index }) => index.xid),
    }));
    this.#store.setMeta(META_LOOSE_TABLES, JSON.stringify([...kept, ...added]));
  }

  /** Removes the rows of tables that nobody fills or reads any more, a little at a time. */
  sweep(): Promise<void> {
    const afterLast = this.#sweeping.catch(() => undefined);
    this.#sweeping = afterLast.then(async () => {
      if (this.#isBlocked()) {
        return;
      }
      for (const { tid, xids } of looseTables(this.#store)) {
        if (this.#inUse.has(tid)) {
          continue;
        }
        if (!(await this.#drop((limit) => this.#store.dropRows(tid, limit)))) {
          return;
        }
        for (const xid of xids) {
          if (!(await this.#drop((limit) => this.#store.dropEntries(xid, limit)))) {
            return;
          }
        }
        this.#store.atomically(() => {
          const rest = looseTables(this.#store).filter((table) => table.tid !== tid);
          this.#store.setMeta(META_LOOSE_TABLES, JSON.stringify(rest));
        });
      }
    });
    return this.#sweeping;
  }

  /** Whether everything went; a later sweep goes on where this one stopped. */
  async #drop(remove: (limit: number) => number): Promise<boolean> {
    for (;;) {
      if (this.#isBlocked()) {
        return false;
      }
      if (this.#store.atomically(() => remove(ROWS_PER_TURN)) === 0) {
        return true;
      }
      await setImmediate();
    }
  }
}
