import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Chaos } from "../../engine/chaos";
import { ADMIN, callOf, Harness, pushOf } from "../support/functions-harness";
import { ManualClock } from "../support/manual-clock";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.with("strict-app", { isolation: "reuse", chaosSeed: 1 });
});
afterAll(() => harness.discard());

describe("a second run of the same fate", () => {
  test("gives a mutation the same ids, times, random numbers and job ids, nested calls included", async () => {
    await expect(harness.mutation("chaos:writeChance", { label: "chance" })).resolves.toBeNull();
  });

  test("finds a mutation whose writes depend on what lives in its module", async () => {
    await expect(harness.mutation("chaos:writeCalls")).rejects.toThrow(
      /^\[Request ID: \w+\] Server Error\nchaos\.js:writeCalls is not deterministic: run twice .* wrote different documents/,
    );
  });

  test("finds a query whose answer does", async () => {
    await expect(harness.query("chaos:readCalls")).rejects.toThrow(
      /chaos\.js:readCalls is not deterministic: .* answered two different values/,
    );
  });

  test("is no reproach to a query that asks for chance and data only", async () => {
    expect(await harness.query("chaos:steady")).toHaveProperty("random");
  });

  test("lets the same code pass where each call has its own modules, as on Convex", async () => {
    const fresh = await Harness.with("strict-app", { isolation: "fresh", chaosSeed: 1 });
    await expect(fresh.mutation("chaos:writeCalls")).resolves.toBeNull();
    expect(await fresh.query("chaos:readCalls")).toBe(1);
    await fresh.discard();
  });

  test("leaves nothing of the first run behind", async () => {
    const before = (await harness.query("chaos:steady")) as { all: number };
    await harness.mutation("chaos:writeMore", { label: "once" });
    expect(await harness.query("chaos:steady")).toMatchObject({ all: before.all + 1 });
  });
});

test("mutations that interleave and lose still count right, or fail with Convex's sentence", async () => {
  const calls = Array.from({ length: 6 }, () => harness.functions.mutation(callOf("chaos:increment")));
  const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
  const lost = outcomes.filter((outcome) => !outcome.ok);
  for (const outcome of lost) {
    expect(JSON.stringify(outcome)).toContain(
      "changed while this mutation was being run and on every subsequent retry",
    );
  }
  expect(await harness.query("chaos:counter")).toEqual([outcomes.length - lost.length]);
});

test("documents seem older than they are, but those of one mutation keep their order", async () => {
  const startMs = Date.now();
  for (let i = 0; i < 5; i++) await harness.mutation("chaos:writeChance", { label: "order" });
  const times = (await harness.query("chaos:times", { label: "order" })) as number[];
  expect(times).toHaveLength(15);
  expect(Math.min(...times)).toBeLessThan(startMs);
  // Three documents of each mutation lie one smallest step apart.
  const steps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
  expect(steps.filter((step) => step > 0 && step < 0.01)).toHaveLength(10);
});

test("workers of Node actions go away between calls", async () => {
  const threads = new Set<unknown>();
  for (let i = 0; i < 12; i++) threads.add(await harness.action("machine:thread", {}, ADMIN));
  expect(threads.size).toBeGreaterThan(1);
});

test("a cron starts up to a minute late", async () => {
  const crons = `
    import { cronJobs } from "convex/server";
    import { aMutation } from "./server";
    const crons = cronJobs();
    crons.hourly("hourly", { minuteUTC: 30 }, aMutation("limits:fill"), { count: 1 });
    export default crons;`;
  const clock = new ManualClock(Date.parse("2026-01-05T10:00:00Z"));
  const late = await Harness.open({ clock, chaosSeed: 3, isolation: "fresh" });
  await late.deploy(await pushOf("strict-app", { "crons.ts": crons }));
  await late.functions.start();
  const settle = async () => {
    for (let n = 0; n < 200; n++) await new Promise((resolve) => setImmediate(resolve));
  };
  await settle();
  clock.advance(30 * 60_000);
  await settle();
  expect(await late.query("chaos:counter")).toEqual([]);
  clock.advance(60_000);
  await late.until(async () => ((await late.query("chaos:counter")) as number[]).length === 1);
  await late.discard();
});

test("a seed fixes what is drawn", () => {
  const draw = (seed: number) => {
    const chaos = new Chaos(seed);
    return [
      chaos.loses(),
      chaos.creationLagMs(),
      chaos.shuffle([1, 2, 3, 4, 5, 6, 7, 8]),
      chaos.cronDelayMs("a"),
    ];
  };
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
  expect([...new Chaos(5).shuffle([1, 2, 3])].sort()).toEqual([1, 2, 3]);
});
