import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
} from "../transaction/test-database";
import type { JsonObject, Timestamp, Transaction } from "../types";

type Subscription = { run(transaction: Transaction): unknown; result: string; woken: boolean };

describe("watches", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  it("are woken by a commit exactly when the result would change", async () => {
    const value = fc.integer({ min: 0, max: 6 });
    const query = fc.record({
      low: value,
      width: value,
      limit: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
      order: fc.constantFrom("asc" as const, "desc" as const),
    });
    const write = fc.oneof(
      fc.record({ do: fc.constant("insert" as const), n: value, row: fc.nat() }),
      fc.record({ do: fc.constant("move" as const), n: value, row: fc.nat() }),
      fc.record({ do: fc.constant("remove" as const), n: value, row: fc.nat() }),
    );
    let round = 0;
    let woken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(query, { minLength: 1, maxLength: 6 }),
        fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
        async (queries, commits) => {
          round += 1;
          const table = `rows${round}`;
          await test.db.catalog.applySchema("", schemaOf({ [table]: { indexes: { by_n: ["n"] } } }));
          const ids = await test.mutate((t) => [1, 3, 3, 5].map((n) => insert(t, table, { n })));
          const subscriptions = queries.map(({ low, width, limit, order }): Subscription => {
            const range: JsonObject[] = [
              { type: "Gte", fieldPath: "n", value: low },
              { type: "Lt", fieldPath: "n", value: low + width },
            ];
            const source = indexRange(`${table}.by_n`, range, order);
            return {
              run: (t) => collect(t, source, limit === null ? [] : [{ limit }]),
              result: "",
              woken: true,
            };
          });
          const refresh = (subscription: Subscription) => {
            const transaction = test.begin("query");
            const result = JSON.stringify(subscription.run(transaction));
            const changed = result !== subscription.result;
            subscription.result = result;
            if (subscription.woken) {
              subscription.woken = false;
              test.db.watch(transaction.reads, transaction.beginTs, () => {
                subscription.woken = true;
              });
            }
            return changed;
          };
          subscriptions.forEach(refresh);
          for (const writes of commits) {
            await test.mutate((t) => {
              for (const { do: deed, n, row } of writes) {
                const id = ids[row % Math.max(1, ids.length)];
                if (deed === "insert" || id === undefined) {
                  ids.push(insert(t, table, { n }));
                } else if (deed === "move") {
                  patch(t, id, { n });
                } else {
                  remove(t, id);
                  ids.splice(ids.indexOf(id), 1);
                }
              }
            });
            for (const subscription of subscriptions) {
              const wasWoken = subscription.woken;
              woken += wasWoken ? 1 : 0;
              expect(refresh(subscription)).toBe(wasWoken);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(woken).toBeGreaterThan(100);
  });

  it("hear of a commit that came between the read and the watch, and of the first one only", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const query = test.begin("query");
    get(query, id);
    await test.mutate((t) => insert(t, "notes", { n: 0 }));
    const first = test.begin("mutation");
    patch(first, id, { n: 2 });
    const { ts } = await test.db.commit(first);
    await test.mutate((t) => patch(t, id, { n: 3 }));
    const heard: Timestamp[] = [];
    await new Promise<void>((resolve) => {
      test.db.watch(query.reads, query.beginTs, (at) => {
        heard.push(at);
        resolve();
      });
      expect(heard).toEqual([]);
    });
    await test.mutate((t) => patch(t, id, { n: 4 }));
    expect(heard).toEqual([ts]);
  });

  it("are not called once they are closed", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const query = test.begin("query");
    get(query, id);
    const watch = test.db.watch(query.reads, query.beginTs, () => {
      throw new Error("called although it was closed");
    });
    watch.close();
    await test.mutate((t) => patch(t, id, { n: 2 }));
    const late = test.db.watch(query.reads, query.beginTs, () => {
      throw new Error("called although it was closed");
    });
    late.close();
    await test.mutate((t) => patch(t, id, { n: 3 }));
  });

  it("wake wherever the history since the read is no longer kept", async () => {
    const query = test.begin("query");
    collect(query, fullScan("none"));
    for (let n = 0; n < 3; n += 1) {
      await test.mutate((t) => insert(t, "notes", { n }));
      test.clock.ms += 61_000;
    }
    await new Promise((resolve) => test.db.watch(query.reads, query.beginTs, resolve));
  });

  it("of one failing listener do not keep the others from being called", async () => {
    const lines: string[] = [];
    await test.close();
    test = await openTestDatabase({ log: (line) => lines.push(line) });
    const query = test.begin("query");
    collect(query, fullScan("notes"));
    const heard: string[] = [];
    test.db.watch(query.reads, query.beginTs, () => {
      throw new Error("broken");
    });
    test.db.watch(query.reads, query.beginTs, () => heard.push("second"));
    test.db.onCommit(() => heard.push("listener"));
    await test.mutate((t) => insert(t, "notes", {}));
    expect(heard).toEqual(["second", "listener"]);
    expect(lines).toMatchObject([expect.stringContaining("A listener of commits failed: Error: broken")]);
  });
});
