import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, fullScan, get, insert, openTestDatabase, remove, type TestDatabase } from "./test-database";

describe("limits of a transaction", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  /** `count` rows of about `bytes` each, written past the limits. */
  const fill = async (table: string, count: number, bytes = 0): Promise<string[]> => {
    const transaction = test.begin("mutation", { unlimited: true });
    const ids = Array.from({ length: count }, (_, n) =>
      insert(transaction, table, { n, pad: "x".repeat(bytes) }),
    );
    await test.db.commit(transaction);
    return ids;
  };

  it("ends reading after 32,000 documents", async () => {
    await fill("rows", 32_001);
    expect(collect(test.begin("query"), fullScan("rows"), [{ limit: 32_000 }])).toHaveLength(32_000);
    expect(() => collect(test.begin("query"), fullScan("rows"))).toThrow(
      "Too many documents read in a single function execution (limit: 32000). Consider using smaller limits",
    );
    expect(collect(test.begin("query", { unlimited: true }), fullScan("rows"))).toHaveLength(32_001);
  });

  it("ends reading after 16 MiB", async () => {
    await fill("rows", 17, 1_000_000);
    expect(() => collect(test.begin("query"), fullScan("rows"))).toThrow(
      "Too many bytes read in a single function execution (limit: 16777216 bytes).",
    );
  });

  it("charges a row that a filter drops, and no row that nobody asked for", async () => {
    await fill("rows", 20);
    const query = test.begin("query");
    collect(query, fullScan("rows"), [{ filter: { $eq: [{ $field: "n" }, { $literal: 3 }] } }, { limit: 1 }]);
    expect(query.metrics()["documentsRead"]).toEqual({ used: 4, remaining: 31_996 });
  });

  it("ends at 4,096 gets and queries", async () => {
    const [id = ""] = await fill("rows", 1);
    const query = test.begin("query");
    for (let n = 0; n < 4095; n += 1) {
      get(query, id);
    }
    collect(query, fullScan("rows"));
    expect(() => get(query, id)).toThrow("Too many reads in a single function execution (limit: 4096).");
  });

  it("ends writing after 16,000 documents, deleted ones included", async () => {
    const transaction = test.begin("mutation");
    for (let n = 0; n < 15_999; n += 1) {
      insert(transaction, "rows", { n });
    }
    const last = insert(transaction, "rows", {});
    expect(() => remove(transaction, last)).toThrow(
      "Too many writes in a single function execution (limit: 16000)",
    );
  });

  it("ends writing after 16 MiB", () => {
    const transaction = test.begin("mutation");
    const write = () => {
      for (let n = 0; n < 17; n += 1) {
        insert(transaction, "rows", { text: "x".repeat(1_000_000) });
      }
    };
    expect(write).toThrow("Too many bytes written in a single function execution (limit: 16777216 bytes)");
  });

  it("ends scheduling after 1,000 calls or 16 MiB of arguments, and gives back what a nested call undoes", () => {
    const transaction = test.begin("mutation");
    const savepoint = transaction.savepoint();
    for (let n = 0; n < 1000; n += 1) {
      transaction.chargeScheduled(10);
    }
    expect(() => transaction.chargeScheduled(10)).toThrow(
      "Too many functions scheduled by this mutation (limit: 1000)",
    );
    transaction.rollbackTo(savepoint);
    transaction.chargeScheduled(16 * 1024 * 1024);
    expect(() => transaction.chargeScheduled(1)).toThrow(
      "Too large total size of the arguments of scheduled functions",
    );
  });
});
