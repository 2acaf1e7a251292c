import { EngineError } from "../errors";
import { requireObject } from "../json";
import { schemaOf, type TestDatabase } from "../transaction/test-database";
import { call, nextOf, openQuery } from "./engine-calls";
import type { Change, State } from "./model";
import type { Query } from "./model-query";
import { defined, type Fields } from "./model-value";
import { Disagreement, expect, Known, type KnownCursor, PairedTransaction } from "./paired-transaction";
import { BAD_IDS, type Cursor, type Ref, SCHEMAS, SPOILERS, type Step } from "./program";

/** What became of the commits and watches of all programs so far. */
export type Tally = {
  steps: number;
  commits: number;
  /** Commits that lost, and those among them whose rerun would have answered the same. */
  conflicts: number;
  needless: number;
  wakes: number;
};

type Commit = { readonly ts: bigint; readonly state: State; readonly change: Change | null };
type Watched = { readonly slot: PairedTransaction; fired: boolean };

/**
 * Runs a program on a database and on the model, and throws at the first answer that differs. Answers the database,
 * which the program may have closed and opened again.
 */
export async function runProgram(
  test: TestDatabase,
  steps: readonly Step[],
  tally: Tally,
): Promise<TestDatabase> {
  const run = new ProgramRun(test, tally);
  await run.start();
  for (const step of steps) {
    tally.steps += 1;
    await run.step(step);
  }
  await run.end();
  return run.test;
}

let programs = 0;

class ProgramRun {
  test: TestDatabase;
  readonly #tally: Tally;
  /** The table that no schema declares has a new name in each run, so that it does not exist at first. */
  readonly #loose: string;
  readonly #known = new Known(BAD_IDS.foreign);
  #slots: (PairedTransaction | undefined)[] = [];
  #history: Commit[] = [];
  #variant = 0;
  #watched: Watched[] = [];

  constructor(test: TestDatabase, tally: Tally) {
    this.test = test;
    this.#tally = tally;
    programs += 1;
    this.#loose = `loose${programs}`;
  }

  /** Empties the declared tables and begins the history there. */
  async start(): Promise<void> {
    await this.test.mutate((transaction) => {
      for (const table of ["a", "b"]) {
        const query: Query = { table, index: null, range: [], order: null, operators: [] };
        const queryId = openQuery(transaction, query);
        for (let row = nextOf(transaction, queryId); row !== null; row = nextOf(transaction, queryId)) {
          call(transaction, "1.0/remove", { id: requireObject(row, "The row")["_id"] ?? null });
        }
      }
    });
    await this.#applySchema(0);
    this.#restart({ rows: [], tables: new Set(["a", "b"]), indexes: SCHEMAS[0] ?? {} });
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case "commit":
        return this.#commit(step.slots);
      case "schema":
        return this.#changeSchema(step.variant);
      case "reopen":
        return this.#reopen();
      case "tick":
        this.test.clock.ms += step.ms;
        return;
      case "begin":
        this.#slots[step.slot] = this.#begin(step.kind, step.back);
        return;
      case "again":
        return this.#pageAgain(step);
      case "watch":
        return this.#watch(step.slot);
      default: {
        const slot = this.#slots[step.slot] ?? this.#begin("mutation", 0);
        this.#slots[step.slot] = slot;
        this.#work(slot, step);
      }
    }
  }

  /** At the end every index of every table must hold what the model holds. */
  async end(): Promise<void> {
    const reader = this.#begin("query", 0);
    for (const table of ["a", "b", this.#loose]) {
      const indexes = Object.keys(this.#newest.indexes[table] ?? {});
      for (const index of [null, "by_id", ...indexes]) {
        reader.query({ table, index, range: [], order: null, operators: [] }, Number.POSITIVE_INFINITY);
      }
    }
    await this.#checkWatches();
  }

  #work(slot: PairedTransaction, step: Extract<Step, { slot: number }>): void {
    switch (step.do) {
      case "insert":
        slot.insert(this.#name(step.table), defined({ ...step.fields, ...spoiler(step.spoil) }));
        return;
      case "patch":
        slot.patch(this.#idOf(step.ref), { ...step.fields, ...spoiler(step.spoil) });
        return;
      case "replace":
        slot.replace(this.#idOf(step.ref), defined({ ...step.fields, ...spoiler(step.spoil) }));
        return;
      case "remove":
        slot.remove(this.#idOf(step.ref));
        return;
      case "get":
        slot.get(this.#idOf(step.ref), step.table === null ? null : this.#name(step.table));
        return;
      case "count":
        slot.count(this.#name(step.table));
        return;
      case "query":
        slot.query(this.#named(step.query), step.rows);
        return;
      case "next":
        slot.next(step.stream, step.rows);
        return;
      case "page": {
        const [start, end] = [this.#cursorOf(step.start), this.#cursorOf(step.end)];
        slot.page(this.#named(step.query), { ...step, start, end });
        return;
      }
      case "savepoint":
        slot.savepoint();
        return;
      case "rollback":
        slot.rollback(step.depth);
        return;
      default:
        return;
    }
  }

  /** A page that was shown before, as its subscription reads it again; or the one that follows it. */
  #pageAgain({ which, next, size }: Extract<Step, { do: "again" }>): void {
    const { pages } = this.#known;
    const page = pages[which % Math.max(1, pages.length)];
    if (page === undefined) return;
    const { start, end, query } = page;
    const reader = this.#begin("query", 0, next ? null : end.text);
    if (next) reader.page(query, { start: end, end: null, size, rowsMax: null });
    else reader.page(query, { start, end, size, rowsMax: null }, true);
  }

  async #commit(numbers: readonly number[]): Promise<void> {
    const tried: PairedTransaction[] = [];
    for (const number of numbers) {
      const slot = this.#slots[number];
      this.#slots[number] = undefined;
      if (slot !== undefined) tried.push(slot);
    }
    const { db } = this.test;
    const pending = Promise.allSettled(tried.map((slot) => db.commit(slot.engine)));
    // What waits for its fsync is not there for anybody.
    expect(db.latestTs === this.#history.at(-1)?.ts, "A commit is visible before it is on disk");
    const reader = this.#begin("query", 0);
    reader.query({ table: "a", index: "by_x", range: [], order: null, operators: [] }, 3);

    for (const [i, result] of (await pending).entries()) {
      const slot = tried[i];
      if (slot !== undefined) this.#settle(slot, result);
    }
    expect(db.latestTs === this.#history.at(-1)?.ts, "The newest commit is not the newest timestamp");
    await this.#checkWatches();
  }

  #settle(slot: PairedTransaction, result: PromiseSettledResult<{ ts: bigint }>): void {
    const change = slot.model.change();
    if (change === null) {
      expect(result.status === "fulfilled", "A transaction without writes has nothing to lose");
      return;
    }
    const difference = slot.differenceOn(this.#newest);
    this.#tally.commits += 1;
    if (result.status === "rejected") {
      const isConflict = result.reason instanceof EngineError && result.reason.kind === "conflict";
      if (!isConflict) throw result.reason;
      const mayFail = slot.isTouchedBy(this.#history);
      expect(mayFail, "A conflict although nothing that was read or written has changed");
      this.#tally.conflicts += 1;
      this.#tally.needless += difference === null ? 1 : 0;
      return;
    }
    expect(difference === null, `Committed although it would answer differently now: ${difference}`);
    const { ts } = result.value;
    expect(ts > (this.#history.at(-1)?.ts ?? 0n), "Timestamps must rise");
    this.#history.push({ ts, change, state: slot.model.applyTo(this.#newest) });
  }

  #watch(number: number): void {
    const slot = this.#slots[number];
    if (slot === undefined) return;
    this.#slots[number] = undefined;
    const watched: Watched = { slot, fired: false };
    this.test.db.watch(slot.engine.reads, slot.engine.beginTs, () => {
      expect(!watched.fired, "A watch fired twice");
      watched.fired = true;
    });
    this.#watched.push(watched);
  }

  async #checkWatches(): Promise<void> {
    if (this.#watched.length === 0) return;
    await nextTurn();
    for (const { slot, fired } of this.#watched) {
      const isStale = slot.differenceOn(this.#newest) !== null;
      expect(fired || !isStale, "A result went stale and its watch did not fire");
      expect(
        !fired || slot.isTouchedBy(this.#history),
        "A watch fired although nothing that was read has changed",
      );
      this.#tally.wakes += fired ? 1 : 0;
    }
    this.#watched = this.#watched.filter(({ fired }) => !fired);
  }

  async #changeSchema(variant: number): Promise<void> {
    if (variant === this.#variant) return this.#applySchema(variant);
    await this.#applySchema(variant);
    await nextTurn();
    expect(
      this.#watched.every(({ fired }) => fired),
      "A change of schema must wake everybody",
    );
    for (const slot of this.#slots) {
      if (slot === undefined) continue;
      await expectConflict(async () => call(slot.engine, "1.0/count", { table: "a" }));
      if (slot.model.change() !== null) await expectConflict(() => this.test.db.commit(slot.engine));
    }
    this.#restart({ ...this.#newest, indexes: SCHEMAS[variant] ?? {} });
  }

  async #reopen(): Promise<void> {
    const newest = this.#history.at(-1);
    this.test = await this.test.reopen();
    expect(this.test.db.latestTs === newest?.ts, "The newest timestamp is lost");
    this.#restart(this.#newest);
  }

  async #applySchema(variant: number): Promise<void> {
    const tables = Object.entries(SCHEMAS[variant] ?? {}).map(([name, indexes]) => [name, { indexes }]);
    await this.test.db.catalog.applySchema("", schemaOf(Object.fromEntries(tables)));
    this.#variant = variant;
  }

  /** Snapshots and transactions from before now are gone. */
  #restart(state: State): void {
    this.#history = [{ ts: this.test.db.latestTs, state, change: null }];
    this.#slots = [];
    this.#watched = [];
  }

  get #newest(): State {
    const newest = this.#history.at(-1);
    if (newest === undefined) throw new Disagreement("The history has not begun");
    return newest.state;
  }

  /** @param back how many commits the snapshot lies back, if as many are known */
  #begin(kind: "query" | "mutation", back: number, journal: string | null = null): PairedTransaction {
    const at = Math.max(0, this.#history.length - 1 - back);
    const commit = this.#history[at] ?? { ts: 0n, state: this.#newest };
    return new PairedTransaction(this.test, this.#known, kind, at, commit, journal);
  }

  #name(table: string): string {
    return table === "loose" ? this.#loose : table;
  }

  #named(query: Query): Query {
    return { ...query, table: this.#name(query.table) };
  }

  #idOf(ref: Ref): string {
    if ("bad" in ref) return ref.bad;
    const { ids } = this.#known;
    return ids[ref.known % Math.max(1, ids.length)]?.id ?? BAD_IDS.short;
  }

  #cursorOf(cursor: Cursor): KnownCursor | string | null {
    if (cursor === null) return null;
    if ("bad" in cursor) return cursor.bad;
    const { cursors } = this.#known;
    return cursors[cursor.known % Math.max(1, cursors.length)] ?? null;
  }
}

const spoiler = (name: string | null): Fields => (name === null ? {} : (SPOILERS[name]?.() ?? {}));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function expectConflict(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EngineError && error.kind === "conflict") return;
    throw error;
  }
  throw new Disagreement("A transaction from before a change of schema went on");
}
