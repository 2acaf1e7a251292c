import { EngineError } from "../errors";
import { requireObject } from "../json";
import type { TestDatabase } from "../transaction/test-database";
import type { JsonValue, Savepoint, Transaction } from "../types";
import { call, nextOf, openQuery, pageOf, queryJson } from "./engine-calls";
import { type Change, type Document, indexFields, ModelTransaction, type Place, type State } from "./model";
import { ModelError, type Query } from "./model-query";
import { canonical, type Fields, fieldsToJson, toJson } from "./model-value";

/** What a step answered: `shown` is compared, `kept` is for the steps after it. */
export type Answer<Kept> = { readonly shown: JsonValue; readonly kept: Kept };
/** A step of a transaction as the model does it, so that it can be done again on another state. */
type Deed = (transaction: ModelTransaction) => Answer<unknown>;
type OpenQuery = { readonly engine: JsonValue; readonly model: number };

export type KnownCursor = { readonly text: string; readonly place: Place; readonly fingerprint: string };
type KnownPage = { readonly query: Query; readonly start: KnownCursor | null; readonly end: KnownCursor };
/** A text instead of a cursor is one that no page gave out. */
type PageRequest = {
  readonly start: KnownCursor | string | null;
  readonly end: KnownCursor | string | null;
  readonly size: number;
  readonly rowsMax: number | null;
};

/** What the transactions of a program have made and given out, committed or not. */
export class Known {
  readonly ids: { id: string; table: string }[] = [];
  readonly cursors: KnownCursor[] = [];
  readonly pages: KnownPage[] = [];

  /** @param foreignId an id of a table that there is not */
  constructor(readonly foreignId: string) {}

  /** The table that an id names; null for what is no id. */
  readonly tableOf = (id: string): string | null =>
    this.ids.find((known) => known.id === id)?.table ?? (id === this.foreignId ? "nowhere" : null);
}

/** The engine and the model said different things. */
export class Disagreement extends Error {}

export function expect(holds: boolean, message: string): void {
  if (!holds) throw new Disagreement(message);
}

/** One transaction on both sides; each step throws `Disagreement` where they answer differently. */
export class PairedTransaction {
  readonly engine: Transaction;
  readonly model: ModelTransaction;
  readonly #known: Known;
  readonly #deeds: { readonly deed: Deed; readonly outcome: string }[] = [];
  #queries: OpenQuery[] = [];
  #savepoints: Savepoint[] = [];
  #hasPage = false;
  #lastCreationTime = 0;

  /**
   * @param at where it stands in the history of commits
   * @param journal end of the page that a subscription showed before
   */
  constructor(
    test: TestDatabase,
    known: Known,
    kind: "query" | "mutation",
    readonly at: number,
    { ts, state }: { ts: bigint; state: State },
    journal: string | null = null,
  ) {
    this.engine = test.begin(kind, { ts, journal });
    this.model = new ModelTransaction(state, kind);
    this.#known = known;
  }

  insert(table: string, fields: Document): void {
    const box: { made: { id: string; creationTime: number } | null } = { made: null };
    this.#compare(
      () => {
        const answer = call(this.engine, "1.0/insert", { table, value: fieldsToJson(fields) });
        const id = String(requireObject(answer, "The answer")["_id"]);
        const row = requireObject(call(this.engine, "1.0/get", { id, isSystem: false }), "The document");
        box.made = { id, creationTime: Number(row["_creationTime"]) };
        return done();
      },
      (model) => done(model.insert(table, fields, box.made)),
    );
    if (box.made === null) return;
    const { id, creationTime } = box.made;
    this.#known.ids.push({ id, table });
    expect(creationTime >= this.engine.nowMs, `${creationTime} is before the function began`);
    expect(creationTime > this.#lastCreationTime, `${creationTime} is not after ${this.#lastCreationTime}`);
    this.#lastCreationTime = creationTime;
  }

  patch(id: string, fields: Fields): void {
    this.#compare(
      () => done(call(this.engine, "1.0/shallowMerge", { id, value: fieldsToJson(fields) })),
      (model) => done(model.patch(id, this.#known.tableOf, fields)),
    );
  }

  replace(id: string, fields: Document): void {
    this.#compare(
      () => done(call(this.engine, "1.0/replace", { id, value: fieldsToJson(fields) })),
      (model) => done(model.replace(id, this.#known.tableOf, fields)),
    );
  }

  get(id: string, table: string | null): void {
    this.#compare(
      () => shown(call(this.engine, "1.0/get", { id, isSystem: false, ...(table !== null && { table }) })),
      (model) => shown(rowJson(model.get(id, this.#known.tableOf, table))),
    );
  }

  rollback(depth: number): void {
    const savepoint = this.#savepoints[depth];
    if (savepoint === undefined) return;
    this.#savepoints = this.#savepoints.slice(0, depth);
    this.engine.rollbackTo(savepoint);
    this.#note((model) => done(model.rollbackTo(depth)));
  }

  query(query: Query, rows: number): void {
    const opened = this.#compare(
      () => ({ shown: null, kept: openQuery(this.engine, query) }),
      (model) => ({ shown: null, kept: model.open(query) }),
    );
    if (opened === null) return;
    this.#queries.push(opened);
    this.#read(opened, rows);
  }

  #read(query: OpenQuery, rows: number): void {
    for (let read = 0; read < rows; read += 1) {
      const answer = this.#compare(
        () => {
          const row = nextOf(this.engine, query.engine);
          return { shown: row, kept: row === null };
        },
        (model) => shown(rowJson(model.next(query.model))),
      );
      if (answer === null) return;
      if (answer.engine) {
        // The engine forgets a query that has ended.
        this.#queries = this.#queries.filter((other) => other !== query);
        return;
      }
    }
  }

  /** @param byJournal whether the engine learns of the end from the journal that the transaction began with */
  page(query: Query, { start, end, size, rowsMax }: PageRequest, byJournal = false): void {
    const isSecond = this.#hasPage;
    // A query that leaves the order out is the same one as that which says "asc".
    const same = queryJson({ ...query, order: query.order ?? "asc" });
    const fingerprint = canonical([same, indexFields(this.model.base, query)]);
    const isForeign = [start, end].some(
      (cursor) => cursor !== null && (typeof cursor === "string" || cursor.fingerprint !== fingerprint),
    );
    const answer = this.#compare(
      () =>
        pageOf(this.engine, query, {
          start: textOf(start),
          end: byJournal ? null : textOf(end),
          size,
          rowsMax,
        }),
      (model) => {
        if (isSecond) throw new ModelError(new Set(["MultiplePaginatedDatabaseQueries"]));
        model.check(query);
        if (isForeign) throw new ModelError(new Set(["InvalidCursor"]));
        const page = model.page(query, placeOf(start), placeOf(end), size, rowsMax);
        return {
          shown: {
            rows: page.rows.map(rowJson),
            isDone: page.end === "end",
            splits: page.split !== null,
            status: page.status,
          },
          kept: page,
        };
      },
    );
    if (answer === null) return;
    this.#hasPage = true;
    const { split } = answer.engine;
    const known = { text: answer.engine.end, place: answer.model.end, fingerprint };
    this.#known.cursors.push(known);
    if (split !== null && answer.model.split !== null) {
      this.#known.cursors.push({ text: split, place: answer.model.split, fingerprint });
    }
    this.#known.pages.push({ query, start: typeof start === "string" ? null : start, end: known });
  }

  remove(id: string): void {
    this.#compare(
      () => done(call(this.engine, "1.0/remove", { id })),
      (model) => done(model.remove(id, this.#known.tableOf)),
    );
  }

  count(table: string): void {
    this.#compare(
      () => shown(call(this.engine, "1.0/count", { table })),
      (model) => shown(model.count(table)),
    );
  }

  savepoint(): void {
    this.#savepoints.push(this.engine.savepoint());
    this.#note((model) => done(model.savepoint()));
  }

  /** Reads on in the query that was opened as number `which`, if it has not ended. */
  next(which: number, rows: number): void {
    const query = this.#queries[which];
    if (query !== undefined) this.#read(query, rows);
  }

  /** What it would see if it ran on `state`, and does not see now; null where it would see the same. */
  differenceOn(state: State): string | null {
    const again = new ModelTransaction(state, this.model.kind);
    for (const { deed, outcome } of this.#deeds) {
      const { text } = attempt(() => deed(again));
      if (text !== outcome) return `${text} instead of ${outcome}`;
    }
    return null;
  }

  /** The rule of intervals, for the commits after its snapshot. */
  isTouchedBy(history: readonly { readonly change: Change | null }[]): boolean {
    return history.slice(this.at + 1).some(({ change }) => change !== null && this.model.isTouchedBy(change));
  }

  /** Does a step on both. Answers what they keep, or null where both refuse it. */
  #compare<E, M>(
    engine: () => Answer<E>,
    model: (transaction: ModelTransaction) => Answer<M>,
  ): { engine: E; model: M } | null {
    const got = attempt(engine);
    const meant = attempt(() => model(this.model));
    if (got.codes === null && meant.codes === null) {
      expect(got.text === meant.text, `The engine answers ${got.text}, the model ${meant.text}`);
    } else {
      const isMeant = got.codes?.every((code) => meant.codes?.includes(code)) === true;
      expect(isMeant, `The engine answers ${got.text}, the model ${meant.text}`);
    }
    this.#deeds.push({ deed: model, outcome: meant.text });
    return got.answer === null || meant.answer === null
      ? null
      : { engine: got.answer.kept, model: meant.answer.kept };
  }

  /** Does a step on the model that answers nothing. */
  #note(deed: Deed): void {
    deed(this.model);
    this.#deeds.push({ deed, outcome: attempt(() => done()).text });
  }
}

function attempt<Kept>(step: () => Answer<Kept>): {
  text: string;
  answer: Answer<Kept> | null;
  codes: string[] | null;
} {
  try {
    const answer = step();
    return { text: canonical(answer.shown), answer, codes: null };
  } catch (error) {
    if (error instanceof ModelError) {
      return { text: `refusal ${error.message}`, answer: null, codes: [...error.codes] };
    }
    if (error instanceof EngineError && error.kind === "developer") {
      return { text: `refusal ${error.code}`, answer: null, codes: [error.code] };
    }
    throw error;
  }
}

const rowJson = (row: Document | null): JsonValue => (row === null ? null : toJson({ ...row }));
const placeOf = (cursor: KnownCursor | string | null): Place | null =>
  cursor === null || typeof cursor === "string" ? null : cursor.place;
const textOf = (cursor: KnownCursor | string | null): string | null =>
  typeof cursor === "string" ? cursor : (cursor?.text ?? null);
const shown = (json: JsonValue): Answer<null> => ({ shown: json, kept: null });
const done = (_answer?: unknown): Answer<null> => shown(null);
