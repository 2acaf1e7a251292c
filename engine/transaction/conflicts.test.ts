import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../errors";
import type { JsonObject, Transaction } from "../types";
import {
  collect,
  fullScan,
  get,
  indexRange,
  insert,
  openTestDatabase,
  patch,
  remove,
  schemaOf,
  type TestDatabase,
} from "./test-database";

/** What one transaction of a random history does; the rows are the six accounts that each history starts with. */
type Deed =
  | { do: "transfer"; from: number; to: number; amount: number }
  /** Opens an account only while there are fewer than `below`: decides on a count of rows. */
  | { do: "open"; below: number }
  | { do: "close"; row: number }
  /** Writes the sum of a range into one account: decides on values elsewhere. */
  | { do: "sum"; low: number; row: number };

type State = Map<number, number>;
type Started = { transaction: Transaction; deed: Deed };

const ROWS = 6;
const row = fc.nat(ROWS - 1);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    do: fc.constant("transfer" as const),
    from: row,
    to: row,
    amount: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ do: fc.constant("open" as const), below: fc.integer({ min: 4, max: 9 }) }),
  fc.record({ do: fc.constant("close" as const), row }),
  fc.record({ do: fc.constant("sum" as const), low: fc.integer({ min: 0, max: 200 }), row }),
);

/** `open`s and commits of up to four transactions at once, in random order; commits of one turn share a batch. */
const history = fc.array(fc.record({ slot: fc.nat(3), deed, lingers: fc.boolean() }), { maxLength: 24 });

describe("concurrent transactions", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  // From what is on disk, and also from what is accepted and waits for it.
  it.each([{ ahead: false }, { ahead: true }])(
    "have the effect of running one after the other, in the order of their commits",
    async ({ ahead }) => {
      let round = 0;
      let conflicts = 0;
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          round += 1;
          const table = `accounts${round}`;
          await test.db.catalog.applySchema(
            "",
            schemaOf({ [table]: { indexes: { by_balance: ["balance"] } } }),
          );
          const serial: State = new Map();
          await test.mutate((t) => {
            for (let n = 0; n < ROWS; n += 1) {
              insert(t, table, { n, balance: 100 });
              serial.set(n, 100);
            }
          });
          const slots = new Map<number, Started>();
          const committed: { ts: bigint; deed: Deed }[] = [];
          const finish = async ({ transaction, deed: done }: Started) => {
            try {
              const before = transaction.hasWrites();
              const { ts } = await test.db.commit(transaction);
              if (before) {
                committed.push({ ts, deed: done });
              }
            } catch (error) {
              expect(error).toBeInstanceOf(EngineError);
              expect(error).toMatchObject({ kind: "conflict" });
              conflicts += 1;
            }
          };
          const running: Promise<void>[] = [];
          for (const { slot, deed: next, lingers } of steps) {
            const open = slots.get(slot);
            if (open === undefined) {
              const transaction = test.begin("mutation", { ahead });
              perform(transaction, table, next);
              slots.set(slot, { transaction, deed: next });
            } else {
              slots.delete(slot);
              const done = finish(open);
              running.push(done);
              if (!lingers) {
                await done;
              }
            }
          }
          await Promise.all([...running, ...[...slots.values()].map(finish)]);
          committed.sort((a, b) => (a.ts < b.ts ? -1 : 1));
          for (const { deed: done } of committed) {
            performOn(serial, done);
          }
          const rows = collect(test.begin("query"), fullScan(table));
          expect(new Map(rows.map((doc) => [Number(doc["n"]), Number(doc["balance"])]))).toEqual(serial);
        }),
        { numRuns: 150 },
      );
      expect(conflicts).toBeGreaterThan(100);
    },
  );

  it("lose no increment when each reruns until it commits", async () => {
    const id = await test.mutate((t) => insert(t, "counters", { n: 0 }));
    const increment = async (): Promise<void> => {
      for (;;) {
        const transaction = test.begin("mutation");
        patch(transaction, id, { n: Number(Object(get(transaction, id)).n) + 1 });
        await Promise.resolve();
        try {
          await test.db.commit(transaction);
          return;
        } catch (error) {
          expect(error).toMatchObject({ kind: "conflict" });
        }
      }
    };
    await Promise.all(Array.from({ length: 40 }, increment));
    expect(get(test.begin("query"), id)).toMatchObject({ n: 40 });
  });

  it("conflict where they share nothing but a range that one read and the other wrote into", async () => {
    await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const reader = test.begin("mutation");
    collect(reader, fullScan("notes"));
    insert(reader, "log", {});
    await test.mutate((t) => insert(t, "notes", { n: 2 }));
    await expect(test.db.commit(reader)).rejects.toThrow(
      'Documents read from or written to the "notes" table changed while this mutation was being run',
    );
  });

  it("do not conflict where they read and wrote apart", async () => {
    await test.db.catalog.applySchema("", schemaOf({ notes: { indexes: { by_n: ["n"] } } }));
    const ids = await test.mutate((t) => [insert(t, "notes", { n: 1 }), insert(t, "notes", { n: 2 })]);
    const equal = (value: number): JsonObject =>
      indexRange("notes.by_n", [{ type: "Eq", fieldPath: "n", value }]);
    const transactions = ids.map((id, i) => {
      const transaction = test.begin("mutation");
      collect(transaction, equal(i + 1));
      patch(transaction, id, { text: "x" });
      return transaction;
    });
    await Promise.all(transactions.map((transaction) => test.db.commit(transaction)));
  });

  it("never fail for what they read when they wrote nothing", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const reader = test.begin("mutation");
    get(reader, id);
    await test.mutate((t) => patch(t, id, { n: 2 }));
    await expect(test.db.commit(reader)).resolves.toEqual({ ts: reader.beginTs });
  });

  it("conflict on reads of a nested call that was undone", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const mutation = test.begin("mutation");
    const savepoint = mutation.savepoint();
    get(mutation, id);
    mutation.rollbackTo(savepoint);
    insert(mutation, "log", {});
    await test.mutate((t) => patch(t, id, { n: 2 }));
    await expect(test.db.commit(mutation)).rejects.toMatchObject({ kind: "conflict" });
  });
});

function rowOf(transaction: Transaction, table: string, n: number): JsonObject | undefined {
  return collect(transaction, fullScan(table)).find((doc) => doc["n"] === n);
}

function perform(transaction: Transaction, table: string, deed: Deed): void {
  const change = (n: number, by: (balance: number) => number): boolean => {
    const found = rowOf(transaction, table, n);
    if (found !== undefined) {
      patch(transaction, String(found["_id"]), { balance: by(Number(found["balance"])) });
    }
    return found !== undefined;
  };
  switch (deed.do) {
    case "transfer":
      if (rowOf(transaction, table, deed.to) !== undefined && change(deed.from, (b) => b - deed.amount)) {
        change(deed.to, (b) => b + deed.amount);
      }
      return;
    case "open": {
      const rows = collect(transaction, fullScan(table));
      if (rows.length < deed.below) {
        insert(transaction, table, { n: nextNumber(rows.map((doc) => Number(doc["n"]))), balance: 50 });
      }
      return;
    }
    case "close": {
      const found = rowOf(transaction, table, deed.row);
      if (found !== undefined) {
        remove(transaction, String(found["_id"]));
      }
      return;
    }
    case "sum": {
      const range = [{ type: "Gte", fieldPath: "balance", value: deed.low }];
      const rows = collect(transaction, indexRange(`${table}.by_balance`, range));
      change(deed.row, () => rows.reduce((sum, doc) => sum + Number(doc["balance"]), 0) % 250);
      return;
    }
  }
}

const nextNumber = (taken: number[]): number => Math.max(-1, ...taken) + 1;

/** The same deeds on a plain map: what a serial execution would do. */
function performOn(state: State, deed: Deed): void {
  const balance = (n: number): number => state.get(n) ?? 0;
  switch (deed.do) {
    case "transfer":
      if (state.has(deed.to) && state.has(deed.from)) {
        state.set(deed.from, balance(deed.from) - deed.amount);
        state.set(deed.to, balance(deed.to) + deed.amount);
      }
      return;
    case "open":
      if (state.size < deed.below) {
        state.set(nextNumber([...state.keys()]), 50);
      }
      return;
    case "close":
      state.delete(deed.row);
      return;
    case "sum": {
      const sum = [...state.values()].filter((value) => value >= deed.low).reduce((a, b) => a + b, 0);
      if (state.has(deed.row)) {
        state.set(deed.row, sum % 250);
      }
    }
  }
}
