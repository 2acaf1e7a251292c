import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Harness, pushOf } from "../support/functions-harness";
import { ManualClock } from "../support/manual-clock";

const START_MS = Date.parse("2026-01-05T10:00:00Z");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let clock: ManualClock;
let harness: Harness;
beforeEach(async () => {
  clock = new ManualClock(START_MS);
  harness = await Harness.with("strict-app", { clock, isolation: "reuse" });
  await harness.functions.start();
});
afterEach(() => harness.discard());

type Job = {
  _id: string;
  _creationTime: number;
  name: string;
  args: unknown[];
  scheduledTime: number;
  completedTime?: number;
  state: { kind: string; error?: string };
};
const job = async (id: string) => (await harness.query("jobs:job", { id })) as Job | null;
const notes = async () => (await harness.query("jobs:notes")) as string[];
const start = async (name: string, args: object = {}) =>
  (await harness.mutation("jobs:start", { name, args: args as never })) as string;
const ends = (id: string) =>
  harness.until(async () => ["success", "failed", "canceled"].includes((await job(id))?.state.kind ?? ""));
const noted = (label: string) =>
  harness.until(async () => (await notes()).some((note) => note.startsWith(label)));

/** Lets everything that is due run. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a scheduled call", () => {
  test("is shown with Convex's fields, before and after", async () => {
    const [id = ""] = (await harness.mutation("jobs:noteAt", { delays: [1_000] })) as string[];
    expect(await job(id)).toEqual({
      _id: id,
      _creationTime: expect.any(Number),
      name: "jobs.js:note",
      args: [{ label: "after 1000" }],
      scheduledTime: START_MS + 1_000,
      state: { kind: "pending" },
    });
    clock.advance(1_000);
    await ends(id);
    expect(await job(id)).toMatchObject({ completedTime: START_MS + 1_000, state: { kind: "success" } });
    expect(await harness.query("jobs:jobs")).toHaveLength(1);
  });

  test("runs in the order of its time, not of its making", async () => {
    await harness.mutation("jobs:noteAt", { delays: [3_000, 1_000, 2_000] });
    for (const label of ["after 1000", "after 2000", "after 3000"]) {
      clock.advance(1_000);
      await noted(label);
    }
    expect(await notes()).toEqual(["after 1000", "after 2000", "after 3000"]);
  });

  test("runs as nobody", async () => {
    const ann = {
      kind: "user",
      attributes: { subject: "ann" },
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    } as const;
    await harness.mutation("jobs:start", { name: "jobs:whoami", args: {} }, ann);
    await noted("nobody");
  });

  test("may take what its validator refuses, and then fails", async () => {
    const id = await start("jobs:strict", { n: "not a number" });
    await ends(id);
    expect((await job(id))?.state).toMatchObject({
      kind: "failed",
      error: expect.stringContaining("ArgumentValidationError"),
    });
  });

  test("that is an action and throws has failed", async () => {
    const id = (await harness.action("jobs:scheduleInAction", { name: "jobs:fails" })) as string;
    await ends(id);
    expect((await job(id))?.state).toMatchObject({
      kind: "failed",
      error: expect.stringContaining("Uncaught Error: the action failed"),
    });
  });

  test("is at most five years away, in either direction", async () => {
    const at = (ms: number) => harness.mutation("jobs:noteAtTime", { ms });
    await expect(at(START_MS + 6 * 365 * DAY_MS)).rejects.toThrow("more than 5 years in the future");
    await expect(at(START_MS - 6 * 365 * DAY_MS)).rejects.toThrow("more than 5 years in the past");
    await at(START_MS + 4 * 365 * DAY_MS);
    await at(START_MS - 4 * 365 * DAY_MS);
    await noted("at");
  });

  test("is refused by Convex's sentence where there is no such function", async () => {
    await expect(start("nowhere:note")).rejects.toThrow(
      "Attempted to schedule function at nonexistent path: nowhere",
    );
    await expect(start("jobs:nothing")).rejects.toThrow(
      "Attempted to schedule function, but no exported function nothing found in the file: jobs. Did you forget to export it?",
    );
  });

  test("outlives the process", async () => {
    const [id = ""] = (await harness.mutation("jobs:noteAt", { delays: [1_000] })) as string[];
    harness = await harness.crash(clock);
    await harness.functions.start();
    await ends(id);
    expect(await notes()).toEqual(["after 1000"]);
  });

  test("is forgotten seven days after its end", async () => {
    const id = await start("jobs:note", { label: "old" });
    await ends(id);
    clock.advance(7 * DAY_MS - 2 * HOUR_MS);
    await settle();
    expect(await job(id)).not.toBeNull();
    clock.advance(3 * HOUR_MS);
    await harness.until(async () => (await job(id)) === null);
  });
});

describe("canceling", () => {
  test("a call that waits ends it for good", async () => {
    const [id = ""] = (await harness.mutation("jobs:noteAt", { delays: [1_000] })) as string[];
    await harness.mutation("jobs:cancel", { id });
    clock.advance(HOUR_MS);
    await settle();
    expect((await job(id))?.state).toEqual({ kind: "canceled" });
    expect(await notes()).toEqual([]);
  });

  test("an action that runs lets it go on, but all that it schedules from then on is born canceled", async () => {
    const id = await start("jobs:slow");
    await noted("began");
    await harness.mutation("jobs:cancel", { id });
    await harness.mutation("jobs:tell", { label: "go on" });
    await noted("ended with");
    const ended = (await notes()).find((note) => note.startsWith("ended with")) ?? "";
    const children = ended.split(" ").slice(2);
    expect(children).toHaveLength(2);
    for (const child of children) expect((await job(child))?.state).toEqual({ kind: "canceled" });
    clock.advance(HOUR_MS);
    await settle();
    expect(await notes()).toEqual(["began", "go on", ended]);
    expect((await job(id))?.state).toEqual({ kind: "canceled" });
  });

  test("is refused to a scheduled mutation that means itself", async () => {
    const id = await start("jobs:cancelSelf");
    await ends(id);
    expect((await job(id))?.state).toMatchObject({
      kind: "failed",
      error: expect.stringContaining("cannot cancel itself"),
    });
  });

  test("what has ended changes nothing", async () => {
    const id = await start("jobs:note", { label: "done" });
    await ends(id);
    await harness.mutation("jobs:cancel", { id });
    expect((await job(id))?.state).toEqual({ kind: "success" });
  });
});

describe("crons", () => {
  const cronsOf = (lines: string) => `
    import { cronJobs } from "convex/server";
    import { aMutation, aQuery } from "./server";
    const crons = cronJobs();
    const note = aMutation("jobs:note");
    ${lines}
    export default crons;`;
  const push = async (lines: string) =>
    await harness.deploy(await pushOf("strict-app", { "crons.ts": cronsOf(lines) }));
  const count = async (label: string) => (await notes()).filter((note) => note === label).length;
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };

  test("of all kinds run at their times, in UTC", async () => {
    await push(`
      crons.interval("interval", { hours: 7 }, note, { label: "interval" });
      crons.hourly("hourly", { minuteUTC: 15 }, note, { label: "hourly" });
      crons.daily("daily", { hourUTC: 4, minuteUTC: 30 }, note, { label: "daily" });
      crons.weekly("weekly", { dayOfWeek: "tuesday", hourUTC: 5, minuteUTC: 45 }, note, { label: "weekly" });
      crons.monthly("monthly", { day: 2, hourUTC: 6, minuteUTC: 0 }, note, { label: "monthly" });
      crons.cron("cron", "20 */6 * * 1-5", note, { label: "cron" });`);
    await noted("interval");
    // One week from Monday 10:00, a minute at a time where something is due.
    for (let hour = 0; hour < 24 * 7; hour++) {
      for (const ms of [15, 5, 10, 15, 15]) await pass(ms * 60_000);
    }
    await harness.until(async () => (await count("hourly")) === 24 * 7);
    const counts = Object.fromEntries(
      await Promise.all(
        ["interval", "daily", "weekly", "monthly", "cron"].map(async (label) => [label, await count(label)]),
      ),
    );
    // The first of the interval ran at once; of the expression, two remain on Monday and two come on the next.
    expect(counts).toEqual({ interval: 1 + 24, daily: 7, weekly: 1, monthly: 0, cron: 2 + 4 * 4 + 2 });
  });

  test("without a minute keep the one that they were given", async () => {
    const lines = `crons.hourly("open", {}, note, { label: "open" });`;
    await push(lines);
    const minutes = new Set<number>();
    for (let minute = 0; minute < 3 * 60; minute++) {
      const before = await count("open");
      await pass(60_000);
      if ((await count("open")) > before) minutes.add(new Date(clock.nowMs()).getUTCMinutes());
    }
    expect(await count("open")).toBe(3);
    expect(minutes.size).toBe(1);
  });

  test("that are late run once and skip the rest with a line in the log", async () => {
    await push(`crons.interval("often", { minutes: 1 }, note, { label: "often" });`);
    await noted("often");
    await pass(10 * 60_000);
    expect(await count("often")).toBe(2);
    expect(harness.log.some((line) => line.includes("often") && line.includes("skipped"))).toBe(true);
  });

  test("are compared at each push", async () => {
    const [keep, change] = [
      `crons.interval("keep", { hours: 1 }, note, { label: "keep" });`,
      `crons.interval("change", { hours: 1 }, note, { label: "change" });`,
    ];
    await push(keep + change);
    const answer = await push(`${keep}
      crons.interval("change", { hours: 2 }, note, { label: "changed" });
      crons.interval("new", { hours: 1 }, note, { label: "new" });`);
    expect(answer).toMatchObject({
      componentDiffs: { "": { cronDiff: { added: ["new"], updated: ["change"], deleted: [] } } },
    });
    expect(await push(keep)).toMatchObject({
      componentDiffs: { "": { cronDiff: { added: [], updated: [], deleted: ["change", "new"] } } },
    });
    await pass(60_000);
    expect(await count("keep")).toBe(1);
  });

  // What `convex/server` itself refuses while crons.ts loads, and what only the backend can know.
  test.each([
    [
      `crons.interval("a", { seconds: 0 }, note, { label: "a" });`,
      "Failed to analyze crons.js: Uncaught Error: Interval must be an integer greater than 0",
    ],
    [`crons.cron("a", "61 * * * *", note, { label: "a" });`, "61 * * * *"],
    [`crons.cron("a", "* * * *", note, { label: "a" });`, "* * * *"],
    [`crons.interval("a", { hours: 1 }, aMutation("jobs:nothing"), {});`, "jobs.js:nothing"],
    [`crons.interval("a", { hours: 1 }, aQuery("jobs:notes") as never, {});`, "jobs.js:notes"],
  ])("%s fails the push", async (lines, text) => {
    await expect(push(lines)).rejects.toThrow(text);
  });
});
