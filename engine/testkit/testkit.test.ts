import {
  actionGeneric,
  defineSchema,
  defineTable,
  internalMutationGeneric,
  makeFunctionReference,
  mutationGeneric,
  queryGeneric,
} from "convex/server";
import { ConvexError, v } from "convex/values";
import { convexTest as theirs } from "convex-test";
import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { convexTest, type TestConvex } from "./index";

const query = (name: string) => makeFunctionReference<"query">(`notes:${name}`);
const mutation = (name: string) => makeFunctionReference<"mutation">(`notes:${name}`);
const action = (name: string) => makeFunctionReference<"action">(`notes:${name}`);

const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
  counters: defineTable({ n: v.number() }),
});

const functions = {
  add: mutationGeneric({
    args: { text: v.string() },
    handler: (ctx, { text }) => ctx.db.insert("notes", { text }),
  }),
  later: mutationGeneric({
    args: { delayMs: v.number() },
    handler: (ctx, { delayMs }) => ctx.scheduler.runAfter(delayMs, mutation("add"), { text: "late" }),
  }),
  again: internalMutationGeneric({
    handler: async (ctx) => {
      await ctx.db.insert("notes", { text: "again" });
      await ctx.scheduler.runAfter(1000, mutation("again"), {});
    },
  }),
  increment: mutationGeneric({
    handler: async (ctx) => {
      const counter = await ctx.db.query("counters").first();
      if (counter === null) await ctx.db.insert("counters", { n: 1 });
      else await ctx.db.patch(counter._id, { n: counter["n"] + 1 });
    },
  }),
  list: queryGeneric({ handler: (ctx) => ctx.db.query("notes").collect() }),
  clock: queryGeneric({
    handler: async (ctx) => {
      const before = [Date.now(), Date.parse(new Date().toISOString())];
      await ctx.db.query("notes").collect();
      const startMs = performance.now();
      while (performance.now() < startMs + 5) await new Promise((resolve) => setImmediate(resolve));
      return [...before, Date.now(), Date.parse(new Date().toISOString())];
    },
  }),
  fetches: queryGeneric({ handler: async () => void (await fetch("http://127.0.0.1:9")) }),
  waits: mutationGeneric({ handler: async () => void setTimeout(() => undefined, 1) }),
  fails: mutationGeneric({
    handler: async (ctx) => {
      await ctx.db.insert("notes", { text: "gone" });
      throw new ConvexError({ code: "no", at: 1n });
    },
  }),
  asks: actionGeneric({ handler: async () => (await fetch("http://stub.test/")).status }),
  request: mutationGeneric({ handler: (ctx) => ctx.meta.getRequestMetadata() }),
  dangles: mutationGeneric({
    handler: async (ctx) => {
      void ctx.db.insert("notes", { text: "not awaited" });
    },
  }),
};
const modules = { "./_generated/api.js": async () => ({}), "./notes.ts": async () => functions };
const open = () => convexTest(schema, modules);
const texts = async (t: ReturnType<typeof open>) =>
  t.run(async (ctx) => (await ctx.db.query("notes").collect()).map((note) => note.text));

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the engine under convex-test's interface", () => {
  test("takes and gives the same types as the package", () => {
    type Schema = typeof schema;
    expectTypeOf<ReturnType<TestConvex<Schema>["finishInProgressScheduledFunctions"]>>().toEqualTypeOf<
      Promise<void>
    >();
    expectTypeOf(convexTest<Schema["tables"]>).toBeCallableWith({ schema, modules, transactionLimits: true });
    expectTypeOf(theirs<Schema["tables"]>).toBeCallableWith({ schema, modules, transactionLimits: true });
    expectTypeOf(open().run(async (ctx) => ctx.db.query("notes").first())).toEqualTypeOf(
      theirs(schema, modules).run(async (ctx) => ctx.db.query("notes").first()),
    );
  });

  test("gives ids of the engine, which name their table", async () => {
    const t = open();
    const id = await t.run(async (ctx) => ctx.db.insert("notes", { text: "a" }));
    expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{31,32}$/);
    await t.run(async (ctx) => {
      expect(ctx.db.normalizeId("notes", id)).toBe(id);
      expect(ctx.db.normalizeId("counters", id)).toBeNull();
    });
  });

  test("reruns mutations that lose against each other, so that no step is lost", async () => {
    const t = open();
    await Promise.all(Array.from({ length: 20 }, () => t.mutation(mutation("increment"), {})));
    expect(await t.run(async (ctx) => (await ctx.db.query("counters").first())?.n)).toBe(20);
  });

  test("throws what a function threw, with its data, and keeps nothing of what it wrote", async () => {
    const t = open();
    const failure: unknown = await t.mutation(mutation("fails"), {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConvexError);
    expect(failure).toHaveProperty("data", { code: "no", at: 1n });
    expect(await texts(t)).toEqual([]);
  });

  test("keeps what a function started and did not wait for", async () => {
    const t = open();
    await t.mutation(mutation("dangles"), {});
    expect(await texts(t)).toEqual(["not awaited"]);
  });

  test("makes up what is missing of an identity, and a token for it", async () => {
    const user = open().withIdentity({ name: "Ana" }).withRequestMetadata({ ip: "192.0.2.1" });
    const identity = await user.query(async (ctx) => ctx.auth.getUserIdentity());
    expect(identity).toMatchObject({ name: "Ana", issuer: "https://convex.test" });
    expect(identity?.tokenIdentifier).toBe(`https://convex.test|${identity?.subject}`);
    const request: unknown = await user.mutation(mutation("request"), {});
    expect(request).toMatchObject({ ip: "192.0.2.1", userAgent: null, scheduledFunctionId: null });
    const [, claims = ""] = String(Object(request).authToken).split(".");
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      iss: "https://convex.test",
      sub: identity?.subject,
      name: "Ana",
    });
  });

  test("keeps two tests apart", async () => {
    const [one, two] = [open(), open()];
    await Promise.all([
      one.mutation(mutation("add"), { text: "one" }),
      two.mutation(mutation("add"), { text: "two" }),
    ]);
    expect([await texts(one), await texts(two)]).toEqual([["one"], ["two"]]);
  });

  test("says what is wrong with modules that cannot be found", async () => {
    await expect(convexTest(schema).query(query("list"), {})).rejects.toThrow("import.meta.glob");
    const bare = convexTest(schema, { "./notes.ts": async () => functions });
    await expect(bare.query(query("list"), {})).rejects.toThrow('no "_generated" folder');
  });

  test("narrows the limits of a transaction", async () => {
    const t = convexTest({ schema, modules, transactionLimits: { documentsWritten: 1 } });
    await expect(
      t.run(async (ctx) => {
        await ctx.db.insert("notes", { text: "a" });
        await ctx.db.insert("notes", { text: "b" });
      }),
    ).rejects.toThrow("Too many writes in a single function execution (limit: 1)");
  });
});

describe("the globals of a query or mutation", () => {
  test("have a clock that stands still, also while time goes on outside", async () => {
    const times: unknown = await open().query(query("clock"), {});
    expect(new Set(times as number[]).size).toBe(1);
  });

  test("refuse the network and timers, which the test and actions have", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
    const t = open();
    await expect(t.query(query("fetches"), {})).rejects.toThrow(
      "Can't use fetch() in queries and mutations.",
    );
    await expect(t.mutation(mutation("waits"), {})).rejects.toThrow(
      "Can't use setTimeout in queries and mutations.",
    );
    expect(await t.action(action("asks"), {})).toBe(204);
    expect((await fetch("http://stub.test/")).status).toBe(204);
  });
});

describe("scheduled functions", () => {
  test("run when fake timers reach them, not before, and can be waited for", async () => {
    vi.useFakeTimers();
    const t = open();
    await t.mutation(mutation("later"), { delayMs: 5000 });
    vi.advanceTimersByTime(4999);
    await t.finishInProgressScheduledFunctions();
    expect(await texts(t)).toEqual([]);
    vi.advanceTimersByTime(1);
    await t.finishInProgressScheduledFunctions();
    expect(await texts(t)).toEqual(["late"]);
    const [job] = await t.run(async (ctx) => ctx.db.system.query("_scheduled_functions").collect());
    expect(job?.state).toEqual({ kind: "success" });
  });

  test("that are due run on real timers, too", async () => {
    const t = open();
    await t.mutation(mutation("later"), { delayMs: 0 });
    vi.useFakeTimers();
    await t.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await texts(t)).toEqual(["late"]);
  });

  test("that schedule themselves forever are given up", async () => {
    vi.useFakeTimers();
    const t = open();
    await t.mutation(mutation("again"), {});
    await expect(t.finishAllScheduledFunctions(vi.runAllTimers, 5)).rejects.toThrow("too many iterations");
  });
});
