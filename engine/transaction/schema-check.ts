import { setImmediate as nextTurn } from "node:timers/promises";
import { developerError } from "../errors";
import { canonicalJson } from "../json";
import type { Store } from "../storage/store";
import { afterKey, idOfKey, type Key } from "../values/key";
import { type ValidatorTables, validateDocument } from "../values/validator";
import { parseStored } from "./document";
import type { TablePlan } from "./schema-plan";
import type { LogEntry } from "./write-log";

/** Rows that are checked without giving others a turn: a few milliseconds. */
const ROWS_PER_TURN = 200;
/** Rows written since the check began that are remembered; beyond it everything is checked anew. */
const CHANGED_ROWS_MAX = 100_000;

/**
 * Holds the rows of a component against a new schema while functions go on. What they write meanwhile is remembered,
 * and looked at again until nothing is left.
 */
export class SchemaCheck {
  readonly #store: Store;
  readonly #plans: readonly TablePlan[];
  readonly #tables: ValidatorTables;
  readonly #planOf: ReadonlyMap<number, TablePlan>;
  #changed: { readonly plan: TablePlan; readonly id: string }[] = [];
  #seen = new Set<string>();

  constructor(store: Store, plans: readonly TablePlan[], tables: ValidatorTables) {
    this.#store = store;
    this.#plans = plans.filter((plan) => plan.check !== null);
    this.#tables = tables;
    this.#planOf = new Map(this.#plans.map((plan) => [plan.after.tid, plan]));
  }

  /** Whether everything that `plans` ask for is looked at here: no table came to be, and not too much was written. */
  covers(plans: readonly TablePlan[]): boolean {
    return (
      !this.#isOverrun &&
      plans.every(
        ({ check, after }) =>
          check === null ||
          canonicalJson(this.#planOf.get(after.tid)?.check ?? null) === canonicalJson(check),
      )
    );
  }

  /** To be told of every commit. */
  observe(entry: LogEntry): void {
    if (this.#isOverrun) {
      return;
    }
    for (const { table, id } of entry.changes) {
      const plan = this.#planOf.get(table.tid);
      if (plan !== undefined && !this.#seen.has(id)) {
        this.#seen.add(id);
        this.#changed.push({ plan, id });
      }
    }
  }

  /**
   * Looks at every row. Throws the developer error of Convex, which names the first row that breaks a rule.
   *
   * @param goOn called after each part; throws to end the check
   */
  async walk(goOn: () => void): Promise<void> {
    for (const plan of this.#plans) {
      let start: Key | null = "";
      while (start !== null) {
        start = this.#walkPart(plan, start);
        await nextTurn();
        goOn();
      }
    }
  }

  /** Looks again at up to `limit` of the rows that were written meanwhile. */
  recheck(limit: number = this.#changed.length): void {
    for (const { plan, id } of this.#changed.splice(0, limit)) {
      this.#seen.delete(id);
      const row = this.#store.get(plan.after.tid, id);
      if (row !== null) {
        this.#visit(plan, id, row.text);
      }
    }
  }

  /** The same, part by part, until few are left. */
  async catchUp(goOn: () => void): Promise<void> {
    while (this.#changed.length > ROWS_PER_TURN) {
      this.recheck(ROWS_PER_TURN);
      await nextTurn();
      goOn();
    }
  }

  get #isOverrun(): boolean {
    return this.#changed.length > CHANGED_ROWS_MAX;
  }

  #walkPart(plan: TablePlan, start: Key): Key | null {
    const rows = this.#store.scanIds(plan.after.tid, { start, end: null }, "asc", ROWS_PER_TURN);
    for (const row of rows) {
      this.#visit(plan, idOfKey(row.key), row.text);
    }
    const last = rows.at(-1);
    return last === undefined || rows.length < ROWS_PER_TURN ? null : afterKey(last.key);
  }

  #visit({ check, after }: TablePlan, id: string, text: string): void {
    const failure = check === null ? null : validateDocument(check, parseStored(text), this.#tables);
    if (failure !== null) {
      throw developerError(
        "SchemaValidationError",
        `Document with ID "${id}" in table "${after.name}" does not match the schema: ${failure}`,
      );
    }
  }
}
