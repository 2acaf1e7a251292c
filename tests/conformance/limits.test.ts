import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callOf, Harness } from "../support/functions-harness";

const HELP =
  "Consider using smaller limits in your queries, paginating your queries, or using indexed queries with a selective index range expressions.";

let full: Harness;
/** All limits of transactions at a hundredth: 320 documents, 40 queries, 160 writes, 10 scheduled calls, 164 KB. */
let scaled: Harness;
beforeAll(async () => {
  full = await Harness.with("strict-app", { isolation: "reuse" });
  scaled = await Harness.with("strict-app", { isolation: "reuse", limitScale: 0.01 });
});
afterAll(async () => {
  await full.discard();
  await scaled.discard();
});

const warnings = async (harness: Harness, kind: "query" | "mutation", path: string, args: object) => {
  const { logLines } = await harness.functions[kind](callOf(path, args as never));
  return logLines.filter((line) => line.startsWith("[WARN]"));
};

describe("limits of a transaction, at a hundredth", () => {
  test("documents written", async () => {
    await expect(scaled.mutation("limits:fill", { count: 161 })).rejects.toThrow(
      "Too many writes in a single function execution (limit: 160)",
    );
    expect(await scaled.query("limits:collect")).toBe(0);
  });

  test("bytes written", async () => {
    await expect(scaled.mutation("limits:fill", { count: 2, bytes: 90_000 })).rejects.toThrow(
      "Too many bytes written in a single function execution (limit: 167772 bytes)",
    );
  });

  test("documents and bytes read, database queries", async () => {
    const reading = await Harness.with("strict-app", { isolation: "reuse", limitScale: 0.01 });
    await reading.mutation("limits:fill", { count: 160 });
    await reading.mutation("limits:fill", { count: 160, from: 160 });
    expect(await reading.query("limits:collect")).toBe(320);
    expect(await warnings(reading, "query", "limits:collect", {})).toEqual([
      `[WARN] Many documents read in a single function execution (actual: 320, limit: 320). ${HELP}`,
    ]);
    await reading.mutation("limits:fill", { count: 1, from: 320 });
    await expect(reading.query("limits:collect")).rejects.toThrow(
      `Too many documents read in a single function execution (limit: 320). ${HELP}`,
    );
    await expect(reading.query("limits:getMany", { times: 41 })).rejects.toThrow(
      `Too many reads in a single function execution (limit: 40). ${HELP}`,
    );
    expect(await warnings(reading, "query", "limits:getMany", { times: 33 })).toEqual([
      `[WARN] Many reads in a single function execution (actual: 33, limit: 40). ${HELP}`,
    ]);
    await reading.discard();

    const large = await Harness.with("strict-app", { isolation: "reuse", limitScale: 0.01 });
    await large.mutation("limits:fill", { count: 1, bytes: 100_000 });
    await large.mutation("limits:fill", { count: 1, bytes: 100_000 });
    await expect(large.query("limits:collect")).rejects.toThrow(
      `Too many bytes read in a single function execution (limit: 167772 bytes). ${HELP}`,
    );
    await large.discard();
  });

  test("scheduled calls and their arguments", async () => {
    await expect(scaled.mutation("limits:scheduleMany", { count: 11, bytes: 1 })).rejects.toThrow(
      "Too many functions scheduled by this mutation (limit: 10)",
    );
    await expect(scaled.mutation("limits:scheduleMany", { count: 3, bytes: 80_000 })).rejects.toThrow(
      "Too large total size of the arguments of scheduled functions from this mutation (limit: 167772 bytes)",
    );
    expect(await warnings(scaled, "mutation", "limits:scheduleMany", { count: 9, bytes: 1 })).toEqual([
      "[WARN] Many functions scheduled by this mutation (actual: 9, limit: 10).",
    ]);
  });

  test("a warning is written above 80 % of a limit, not at it", async () => {
    expect(await warnings(scaled, "mutation", "limits:fill", { count: 128 })).toEqual([]);
    expect(await warnings(scaled, "mutation", "limits:fill", { count: 129 })).toEqual([
      "[WARN] Many writes in a single function execution (actual: 129, limit: 160).",
    ]);
  });
});

describe("getTransactionMetrics", () => {
  type Metrics = Record<string, { used: number; remaining: number }>;

  test("has 11 fields, all of them unused at first", async () => {
    const metrics = (await full.query("limits:metricsNow")) as Metrics;
    expect(Object.keys(metrics).sort()).toEqual([
      "bytesRead",
      "bytesWritten",
      "databaseQueries",
      "documentsRead",
      "documentsWritten",
      "fileReadBytes",
      "fileWriteBytes",
      "filesRead",
      "filesWritten",
      "functionsScheduled",
      "scheduledFunctionArgsBytes",
    ]);
    expect(metrics).toMatchObject({
      bytesRead: { used: 0, remaining: 16_777_216 },
      bytesWritten: { used: 0, remaining: 16_777_216 },
      databaseQueries: { used: 0, remaining: 4096 },
      documentsRead: { used: 0, remaining: 32_000 },
      documentsWritten: { used: 0, remaining: 16_000 },
      functionsScheduled: { used: 0, remaining: 1000 },
      scheduledFunctionArgsBytes: { used: 0, remaining: 16_777_216 },
    });
  });

  test("counts reads, writes and scheduled calls, and no read of a system table", async () => {
    const { after } = (await full.mutation("limits:metrics")) as { after: Metrics };
    expect(after).toMatchObject({
      databaseQueries: { used: 1 },
      documentsRead: { used: 1 },
      documentsWritten: { used: 1 },
      functionsScheduled: { used: 1 },
      // An object of one field: 2, the name and its end 5, the text 2 + 3.
      scheduledFunctionArgsBytes: { used: 12 },
    });
    expect(after["bytesRead"]?.used).toBe(after["bytesWritten"]?.used);
  });

  test("a nested call that failed gives back its writes and keeps its reads", async () => {
    expect(await full.mutation("limits:metricsAfterFailedCall")).toMatchObject({
      databaseQueries: { used: 1 },
      documentsRead: { used: 1 },
      documentsWritten: { used: 0 },
      bytesWritten: { used: 0 },
      functionsScheduled: { used: 0 },
      scheduledFunctionArgsBytes: { used: 0 },
    });
  });
});

describe("limits of a nested call", () => {
  const run = (limits: object, times: number, readFirst = 0) =>
    full.mutation("limits:narrowed", { limits: limits as never, times, readFirst });

  test("end the call, not the caller, and count from where the caller stood", async () => {
    expect(await run({ databaseQueries: 3 }, 3, 5)).toEqual({ error: null, remaining: 4096 - 8 });
    const { error } = (await run({ databaseQueries: 3 }, 4, 5)) as { error: string };
    expect(error).toContain("Too many reads in a single function execution (limit: 8)");
  });

  test("are never raised", async () => {
    const { error } = (await run({ databaseQueries: 100_000 }, 4097)) as { error: string };
    expect(error).toContain("Too many reads in a single function execution (limit: 4096)");
  });
});

describe("values", () => {
  test.each([
    ["array", "Array length is too long (8193 > maximum length 8192)"],
    ["fields", "Object has too many fields (1025 > maximum number 1024)"],
    ["nesting", "Value is too nested (nested 65 levels deep > maximum nesting 64)"],
    ["surrogate", "unpaired surrogate"],
    ["dollar", "starts with a '$', which is reserved"],
    ["letter", "has invalid character"],
    ["longName", "1024"],
  ])("a result that breaks the rule of %s is refused", async (what, text) => {
    await expect(full.query("limits:answer", { what })).rejects.toThrow(text);
  });

  test.each(["longestArray", "deepest", "big"])("a result at the edge (%s) is answered", async (what) => {
    await expect(full.query("limits:answer", { what })).resolves.toBeDefined();
  });

  test.each([
    ["array", "Array length is too long (8193 > maximum length 8192)"],
    ["deepDocument", "(nested 17 levels deep > maximum nesting 16)"],
    ["big", "maximum size 1 MiB"],
  ])("a document that breaks the rule of %s is not written", async (what, text) => {
    await expect(full.mutation("limits:write", { what })).rejects.toThrow(text);
  });

  test("a document at the edge is written, with a warning", async () => {
    expect(await warnings(full, "mutation", "limits:write", { what: "deepestDocument" })).toEqual([
      expect.stringMatching(
        /^\[WARN\] Deeply nested document written with ID "\w+" \(actual: 16 levels, limit: 16 levels\)\.$/,
      ),
    ]);
  });

  test.each(["_mine", "1st", "with space", "x".repeat(65)])("a document has no field %s", async (name) => {
    await expect(full.mutation("limits:writeField", { name })).rejects.toThrow("ield");
  });
});

describe("arguments and results", () => {
  const MIB = 1024 * 1024;

  test("arguments have 16 MiB at most, and a warning before that", async () => {
    await expect(full.query("limits:echo", { text: "x".repeat(16 * MIB) })).rejects.toThrow(
      "Arguments for limits.js:echo are too large (actual: 16 MiB, limit: 16 MiB)",
    );
    expect(await warnings(full, "query", "limits:echo", { text: "x".repeat(15 * MIB) })).toEqual([
      "[WARN] Large size of the function arguments (actual: 15728649 bytes, limit: 16777216 bytes).",
      "[WARN] Large size of the function return value (actual: 15728642 bytes, limit: 16777216 bytes).",
    ]);
  });

  test("a result has 16 MiB at most", async () => {
    await expect(full.query("limits:long", { length: 17 * MIB })).rejects.toThrow(
      "Function limits.js:long return value is too large (actual: 17 MiB, limit: 16 MiB)",
    );
  });

  test("arguments of one scheduled call have 4 MiB at most", async () => {
    await expect(full.mutation("limits:scheduleMany", { count: 1, bytes: 4 * MIB })).rejects.toThrow(
      "Arguments for limits.js:take are too large (actual: 4 MiB, limit: 4 MiB)",
    );
  });

  test("functions call each other eight levels deep and no deeper", async () => {
    expect(await full.query("limits:depth", { levels: 8 })).toBe(8);
    await expect(full.query("limits:depth", { levels: 9 })).rejects.toThrow("8 levels deep at most");
  });
});

describe("the console", () => {
  test("ends at 256 lines, nested calls included, and cuts a line at 32 KiB", async () => {
    const many = (await full.functions.query(callOf("limits:chatter", { lines: 301 }))).logLines;
    expect(many).toHaveLength(256);
    expect(many.at(-1)).toBe("[ERROR] Log overflow (maximum 256). Remaining log lines omitted.");
    const [, line = ""] = (await full.functions.query(callOf("limits:chatter", { lines: 1 }))).logLines;
    expect(line).toHaveLength("[LOG] ".length + 32_768 + " (truncated due to length)".length);
  });
});

describe("environment variables", () => {
  const set = (name: string, value: string) => full.functions.deploy.env.update([{ name, value }]);

  test("have names of 40 characters and values of 8 KiB at most", async () => {
    await set("A".repeat(40), "x".repeat(8192));
    await expect(set("A".repeat(41), "x")).rejects.toThrow("40 characters at most");
    await expect(set("1A", "x")).rejects.toThrow("invalid");
    await expect(set("BIG", "x".repeat(8193))).rejects.toThrow("8192 bytes");
    await expect(set("CONVEX_CLOUD_URL", "x")).rejects.toThrow("cannot be changed");
    await full.functions.deploy.env.update([{ name: "A".repeat(40), value: null }]);
  });

  test("are 512 at most and 512 KiB together", async () => {
    const many = Array.from({ length: 513 }, (_, n) => ({ name: `V${n}`, value: "" }));
    await expect(full.functions.deploy.env.update(many)).rejects.toThrow("512 environment variables at most");
    const large = Array.from({ length: 65 }, (_, n) => ({ name: `V${n}`, value: "x".repeat(8192) }));
    await expect(full.functions.deploy.env.update(large)).rejects.toThrow("524288 bytes at most");
    expect(full.functions.deploy.env.list()).toEqual([]);
  });
});

describe("the commit timestamp", () => {
  test("is a placeholder until the commit, then the same integer everywhere, in the order of commits", async () => {
    type Recorded = { ts: { $integer: string }; isPlaceholder: boolean; isNewest: boolean };
    const first = (await full.mutation("commitTs:record", { label: "first" })) as Recorded;
    const second = (await full.mutation("commitTs:recordNested", { label: "second" })) as Recorded;
    expect(first).toMatchObject({ isPlaceholder: true, isNewest: true });
    expect(await full.query("commitTs:events")).toMatchObject([
      { label: "first", at: first.ts, copy: first.ts },
      { label: "second", at: second.ts, copy: second.ts },
    ]);
    const nanoseconds = Buffer.from(first.ts.$integer, "base64").readBigInt64LE(0);
    expect(Math.abs(Number(nanoseconds / 1_000_000n) - Date.now())).toBeLessThan(600_000);
    expect(await full.query("commitTs:since", { ts: first.ts })).toEqual(["second"]);
  });

  test("is the same for a client that asks for its result again", async () => {
    const once = { sessionId: "6f8b6d1c-0000-4000-8000-000000000001", requestId: 1 };
    const ask = () => full.functions.mutation(callOf("commitTs:record", { label: "once" }), { once });
    const [first, again] = [await ask(), await ask()];
    expect(again.outcome).toEqual(first.outcome);
    expect(JSON.stringify(first.outcome)).toContain("$integer");
  });

  test("goes into nested calls of the same transaction, and nowhere else", async () => {
    expect(await full.mutation("commitTs:passOn")).toHaveProperty("$integer");
    const text = "cannot hold `db.vars.commitTs`";
    await expect(full.mutation("commitTs:schedule")).rejects.toThrow(
      `Arguments of a scheduled function ${text}`,
    );
    await expect(full.query("commitTs:echo", { ts: { $commitTs: null } })).rejects.toThrow(text);
    await expect(full.query("commitTs:answer")).rejects.toThrow(`The result of a query ${text}`);
  });
});

describe("a stale snapshot", () => {
  test("is what was there when the mutation began, without its own writes", async () => {
    const harness = await Harness.with("strict-app", { isolation: "reuse" });
    await harness.mutation("limits:fill", { count: 1 });
    expect(await harness.mutation("stale:compare", { n: 7 })).toEqual({ stale: [0], fresh: [0, 7] });
    await harness.discard();
  });

  test("is not part of what a mutation depends on", async () => {
    const race = async (stale: boolean) => {
      const harness = await Harness.with("strict-app", { isolation: "reuse" });
      const add = (n: number) => harness.mutation("stale:countAndAdd", { n, stale });
      const seen = (await Promise.all([add(1), add(2), add(3)])) as number[];
      await harness.discard();
      return seen.sort();
    };
    expect(await race(false)).toEqual([0, 1, 2]);
    expect(await race(true)).toEqual([0, 0, 0]);
  });

  test("is refused in queries", async () => {
    await expect(full.query("stale:inQuery")).rejects.toThrow(
      "`useStaleSnapshot` is only supported in mutations, not queries.",
    );
  });
});
