import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, callOf, Harness, pushOf, REQUEST_ID } from "../support/functions-harness";
import { ManualClock } from "../support/manual-clock";

let clock: ManualClock;
let harness: Harness;
beforeAll(async () => {
  clock = new ManualClock();
  harness = await Harness.with("strict-app", { clock, isolation: "fresh" });
});
afterAll(() => harness.discard());

/** The globals of queries and mutations: those of the language, and those that Convex adds. No more, no fewer. */
const LANGUAGE = [
  "AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError",
  "FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map",
  "Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError",
  "TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI",
  "decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt",
  "undefined unescape",
]
  .flatMap((line) => line.split(" "))
  // Newer versions of Node bring newer versions of the language.
  .filter((name) => name in globalThis);
const ADDED = [
  "AbortController AbortSignal Blob Convex CryptoKey Event EventTarget FormData Headers ReadableStream Request",
  "Response TextDecoder TextEncoder TransformStream URL URLSearchParams WritableStream atob btoa clearInterval",
  "clearTimeout console crypto fetch performance process queueMicrotask setInterval setTimeout structuredClone",
].flatMap((line) => line.split(" "));

describe("the world of queries and mutations", () => {
  test("has exactly these globals", async () => {
    expect(await harness.query("world:globals")).toEqual([...LANGUAGE, ...ADDED].sort());
  });

  test("stands still in time, in UTC, and moves from call to call", async () => {
    type Chance = { stands: boolean; now: number; zone: unknown; random: number; uuid: string };
    const look = async () => (await harness.query("world:chance")) as Chance;
    const first = await look();
    expect(first).toMatchObject({
      stands: true,
      now: clock.nowMs(),
      zone: [0, "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"],
    });
    clock.advance(1234);
    const second = await look();
    expect(second.now).toBe(first.now + 1234);
    expect([second.random === first.random, second.uuid === first.uuid]).toEqual([false, false]);
  });

  test("is new for each call, and its modules load at the moment and with the dice of the push", async () => {
    const first = (await harness.query("world:load")) as { loadedAt: number; calls: number };
    clock.advance(60_000);
    expect(first.calls).toBe(1);
    expect(first.loadedAt).toBeLessThan(clock.nowMs());
    expect(await harness.query("world:load")).toEqual(first);
  });

  const SEE =
    "Please consider using an action. See https://docs.convex.dev/functions/actions for more details.";

  test.each([
    ["fetch", `Can't use fetch() in queries and mutations. ${SEE}`],
    ["setTimeout", `Can't use setTimeout in queries and mutations. ${SEE}`],
    ["setInterval", `Can't use setInterval in queries and mutations. ${SEE}`],
    ["generateKey", `Can't use cryptographic randomness in queries and mutations. ${SEE}`],
    ["sign", `Can't use cryptographic randomness in queries and mutations. ${SEE}`],
    ["encrypt", `Can't use cryptographic randomness in queries and mutations. ${SEE}`],
  ])("refuses %s in Convex's words", async (what, text) => {
    await expect(harness.query("world:forbidden", { what })).rejects.toThrow(text);
  });

  test("never tells when something was collected", async () => {
    expect(await harness.query("world:weak")).toEqual({ alive: true, told: [] });
  });
});

describe("modules", () => {
  test("may not wait at their top level", async () => {
    const waiting = `await Promise.resolve(1);\nexport const one = 1;`;
    await expect(harness.deploy(await pushOf("strict-app", { "waiting.ts": waiting }))).rejects.toThrow(
      "Failed to analyze waiting.js: Top-level awaits in source files are unsupported",
    );
  });

  test("may not call the database while they load", async () => {
    const calling = `
      Convex.syscall("1.0/queryStream", "{}");
      export const one = 1;`;
    await expect(harness.deploy(await pushOf("strict-app", { "calling.ts": calling }))).rejects.toThrow(
      "can only be made while a function runs",
    );
  });
});

describe("an action", () => {
  test("has the engine's clock", async () => {
    const now = clock.nowMs();
    const seen = [now, new Date(now).toISOString(), true];
    expect(await harness.action("world:timeOfAction")).toEqual(seen);
    clock.advance(5_000);
    expect(await harness.action("world:timeOfAction")).not.toEqual(seen);
  });
});

describe("calls of a newer backend", () => {
  test.each([
    "1.0/signJwt",
    "1.0/storageStore",
    "1.0/storageGet",
    "1.0/getServiceUrl",
    "1.0/createServiceToken",
    "1.0/auditLog",
  ])("%s is unknown, as it is to the 1.45 backend", async (op) => {
    await expect(harness.mutation("world:call", { op, args: {}, isSync: false })).rejects.toThrow(
      `Unknown async operation ${op}`,
    );
  });

  test("1.0/getSnapshotTs is unknown, as it is to the 1.45 backend", async () => {
    const args = { op: "1.0/getSnapshotTs", args: {}, isSync: true };
    await expect(harness.mutation("world:call", args)).rejects.toThrow("Unknown operation 1.0/getSnapshotTs");
  });

  test("a staged validator is refused at the push", async () => {
    const schema = `
      import { defineSchema, defineTable } from "convex/server";
      import { v } from "convex/values";
      export default defineSchema({ items: defineTable({ n: v.number() }).staged({ m: v.optional(v.string()) }) });`;
    const files = { "schema.ts": schema };
    await expect(pushOf("strict-app", files).then((push) => harness.deploy(push))).rejects.toThrow(
      "has a staged validator, which the 1.45 backend does not know",
    );
  });
});

describe("metadata", () => {
  const caller = { ip: "203.0.113.7", userAgent: "test/1.0" };
  const identity = {
    kind: "user",
    attributes: { subject: "ann" },
    expiresAtMs: Number.MAX_SAFE_INTEGER,
    token: "a.b.c",
  } as const;

  test.each(["metadata", "metadataOfAction"] as const)(
    "%s names the function and the request",
    async (name) => {
      const run = name === "metadata" ? harness.functions.mutation : harness.functions.action;
      const { outcome } = await run({ ...callOf(`world:${name}`, {}, identity), caller });
      const { request, name: named } = JSON.parse(outcome.ok ? outcome.value : "{}");
      expect(named).toMatchObject({ name: `world:${name}`, componentPath: "" });
      expect(request).toEqual({
        ...caller,
        requestId: REQUEST_ID,
        scheduledFunctionId: null,
        authToken: "a.b.c",
      });
    },
  );

  test("has no token of an administrator, and nothing where there was no request", async () => {
    const { request } = (await harness.mutation("world:metadata", {}, ADMIN)) as { request: object };
    expect(request).toMatchObject({ ip: null, userAgent: null, authToken: null });
  });

  test("does not tell a query about the request, nor an action about a transaction", async () => {
    await expect(harness.query("world:requestInQuery")).rejects.toThrow(
      "Unknown async operation 1.0/getRequestMetadata",
    );
    await expect(harness.action("world:metricsInAction")).rejects.toThrow();
  });
});

describe("one transaction", () => {
  test("answers calls in the order in which they were made", async () => {
    expect(await harness.mutation("world:order")).toEqual(["insert", "identity", "insert again", "count"]);
  });

  test("is lost with a promise that nobody listens to, or that never settles", async () => {
    const others = process.listeners("unhandledRejection").slice(0, -1);
    // The test runner would take the rejection for one of the test's own.
    for (const other of others) process.removeListener("unhandledRejection", other);
    const before = await harness.query("stale:labels");
    await expect(harness.mutation("world:unheard")).rejects.toThrow("Uncaught Error: nobody listens");
    await expect(harness.mutation("world:pending")).rejects.toThrow("Returned promise will never resolve");
    expect(await harness.query("stale:labels")).toEqual(before);
    for (const other of others) process.prependListener("unhandledRejection", other);
  });

  test("that writes what is there already commits nothing and wakes nobody", async () => {
    await harness.mutation("limits:fill", { count: 1 });
    const { reads, ts } = await harness.functions.query(callOf("stale:labels"));
    let woken = 0;
    const watch = harness.database.watch(reads, ts, () => {
      woken += 1;
    });
    const before = harness.database.latestTs;
    await harness.mutation("world:patchSame");
    expect(harness.database.latestTs).toBe(before);
    expect(woken).toBe(0);
    await harness.mutation("limits:fill", { count: 1 });
    expect(woken).toBe(1);
    watch.close();
  });
});

describe("redacted errors", () => {
  test("say nothing but the request, whatever failed", async () => {
    const redacting = await Harness.with("strict-app", { redactErrors: true, isolation: "reuse" });
    const title = `[Request ID: ${REQUEST_ID}] Server Error`;
    for (const [path, args] of [
      ["world:forbidden", { what: "fetch" }],
      ["world:forbidden", { what: 7 }],
      ["limits:getMany", { times: 4097 }],
      ["world:nothing", {}],
    ] as const) {
      const { outcome } = await redacting.functions.query(callOf(path, args));
      expect(outcome).toEqual({ ok: false, failure: { message: title } });
    }
    await redacting.discard();
  });
});
