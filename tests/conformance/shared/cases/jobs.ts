import { expect } from "vitest";
import { type Backend, rule } from "../backend";

type Job = {
  name: string;
  args: unknown[];
  scheduledTime: number;
  completedTime?: number;
  state: { kind: string; error?: string };
};

const schedule = (t: Backend, name: string, args: object, delayMs = 0) =>
  t.mutation<string>("jobs:schedule", { name, delayMs, args });
const job = (t: Backend, id: string) => t.query<Job>("jobs:job", { id });
const labels = (t: Backend) => t.query<string[]>("jobs:labels");

const HOUR_MS = 3_600_000;

export const jobRules = [
  rule("a scheduled mutation runs once, and its row says how it went", async (t) => {
    const id = await schedule(t, "note", { label: "ran" });
    await t.settle();
    expect(await labels(t)).toEqual(["ran"]);
    expect(await job(t, id)).toMatchObject({ args: [{ label: "ran" }], state: { kind: "success" } });
    expect((await job(t, id)).name.replace(".js:", ":")).toBe("jobs:note");
  }),

  rule("a scheduled call waits for its time, and can be seen before", async (t) => {
    const before = Date.now();
    const id = await schedule(t, "note", { label: "later" }, HOUR_MS);
    const row = await job(t, id);
    expect(row.state).toEqual({ kind: "pending" });
    expect(row.scheduledTime).toBeGreaterThanOrEqual(before + HOUR_MS);
    expect(row.scheduledTime).toBeLessThan(Date.now() + 2 * HOUR_MS);
    expect(await labels(t)).toEqual([]);
  }),

  rule("a call is scheduled for a moment, which may have passed", async (t) => {
    await t.mutation("jobs:scheduleAt", { inMs: -1000, label: "past" });
    await t.settle();
    expect(await labels(t)).toEqual(["past"]);
  }),

  rule("a scheduled mutation that throws has failed, keeps nothing and is not tried again", async (t) => {
    const id = await schedule(t, "noteThenFail", { label: "must not stay" });
    await t.settle();
    expect((await job(t, id)).state.kind).toBe("failed");
    expect(await labels(t)).toEqual([]);
  }),

  rule("the row of a failed call says why", async (t) => {
    const id = await schedule(t, "noteThenFail", { label: "x" });
    await t.settle();
    expect((await job(t, id)).state.error).toContain("the job failed");
  }),

  rule("the row of a call that ended says when", async (t) => {
    const id = await schedule(t, "note", { label: "x" });
    await t.settle();
    expect((await job(t, id)).completedTime).toEqual(expect.any(Number));
  }),

  rule("a scheduled action runs once, and has failed when it throws", async (t) => {
    const good = await schedule(t, "act", { label: "by an action" });
    const bad = await schedule(t, "actThenFail", {});
    await t.settle();
    expect(await labels(t)).toEqual(["by an action"]);
    expect((await job(t, good)).state.kind).toBe("success");
    expect((await job(t, bad)).state.kind).toBe("failed");
  }),

  rule("a mutation that throws has scheduled nothing", async (t) => {
    await expect(t.mutation("jobs:scheduleThenFail")).rejects.toThrow();
    await t.settle();
    expect(await labels(t)).toEqual([]);
  }),

  rule("an action schedules at once", async (t) => {
    await t.action("jobs:scheduleFromAction", { label: "from an action", cancel: false });
    await t.settle();
    expect(await labels(t)).toEqual(["from an action"]);
  }),

  rule("a canceled call never runs", async (t) => {
    const id = await schedule(t, "note", { label: "must not run" }, HOUR_MS);
    await t.mutation("jobs:cancel", { id });
    expect((await job(t, id)).state.kind).toBe("canceled");
    const other = await t.action<string>("jobs:scheduleFromAction", { label: "nor this", cancel: true });
    expect((await job(t, other)).state.kind).toBe("canceled");
    await t.settle();
    expect(await labels(t)).toEqual([]);
  }),

  rule("a call that has ended stays as it is when it is canceled", async (t) => {
    const id = await schedule(t, "note", { label: "ran" });
    await t.settle();
    await t.mutation("jobs:cancel", { id });
    expect((await job(t, id)).state.kind).toBe("success");
  }),

  rule("what is scheduled may schedule again", async (t) => {
    await schedule(t, "chain", { left: 3 });
    await t.settle();
    expect(await labels(t)).toEqual(["chain 3", "chain 2", "chain 1", "chain 0"]);
  }),

  rule("identities do not travel into scheduled calls", async (t) => {
    const user = await t.as("ana");
    await schedule(user, "note", { label: "nobody" });
    await schedule(user, "act", { label: "nobody either" });
    await t.settle();
    expect((await labels(t)).toSorted()).toEqual(["nobody", "nobody either"]);
  }),

  rule("a function that does not exist cannot be scheduled", async (t) => {
    expect(await t.mutation("jobs:scheduleMissing")).not.toBe("nothing was thrown");
  }),

  rule("a call cannot be scheduled more than five years ahead", async (t) => {
    expect(await t.mutation("jobs:scheduleFar")).not.toBe("nothing was thrown");
  }),
];
