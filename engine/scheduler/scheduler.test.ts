import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ADMIN, Harness, pushOf } from "../../tests/support/functions-harness";
import { ManualClock } from "../../tests/support/manual-clock";

let clock: ManualClock;
let harness: Harness;

beforeEach(async () => {
  clock = new ManualClock();
  harness = await Harness.deployed({ clock, isolation: "reuse" }, { "crons.ts": null });
});
afterEach(() => harness.discard());

async function withoutCrons() {
  return await pushOf("convex-app", { "crons.ts": null });
}

const labels = async (): Promise<string[]> => (await harness.query("jobs:labels")) as string[];
const has = (label: string) => harness.until(async () => (await labels()).includes(label));
const schedule = async (what: string, delayMs: number, label: string): Promise<string> =>
  (await harness.mutation("jobs:schedule", { what, delayMs, label })) as string;

type Shown = {
  name: string;
  args: unknown[];
  scheduledTime: number;
  completedTime?: number;
  state: { kind: string; error?: string };
};
const job = async (id: string): Promise<Shown | null> =>
  (await harness.query("jobs:job", { id })) as Shown | null;
const ends = (id: string, kind: string) => harness.until(async () => (await job(id))?.state.kind === kind);

/** Lets everything that is due run: several turns of the event loop without anything new. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a scheduled mutation", () => {
  test("runs when it is due, once, and can be seen before and after", async () => {
    await harness.functions.start();
    const startMs = clock.nowMs();
    const id = await schedule("note", 1_000, "later");
    expect(await job(id)).toMatchObject({
      name: "jobs.js:note",
      args: [{ label: "later" }],
      scheduledTime: startMs + 1_000,
      state: { kind: "pending" },
    });
    clock.advance(999);
    await settle();
    expect(await labels()).toEqual([]);
    clock.advance(1);
    await ends(id, "success");
    expect(await labels()).toEqual(["later"]);
    expect((await job(id))?.completedTime).toBe(startMs + 1_000);
    clock.advance(60_000);
    await settle();
    expect(await labels()).toEqual(["later"]);
  });

  test("that throws has failed, writes nothing and is not repeated", async () => {
    await harness.functions.start();
    const id = await schedule("noteThenFail", 0, "undone");
    await ends(id, "failed");
    expect((await job(id))?.state.error).toContain("Uncaught Error: the job failed");
    clock.advance(3_600_000);
    await settle();
    expect(await labels()).toEqual([]);
  });

  test("survives a restart", async () => {
    await schedule("note", 60_000, "survivor");
    harness = await harness.reopen();
    await harness.functions.start();
    clock.advance(60_000);
    await has("survivor");
    harness = await harness.reopen();
    await harness.functions.start();
    await settle();
    expect(await labels()).toEqual(["survivor"]);
  });

  test("does not exist when the mutation that scheduled it failed", async () => {
    await harness.functions.start();
    await expect(harness.mutation("jobs:scheduleThenFail")).rejects.toThrow("after scheduling");
    clock.advance(1_000);
    await settle();
    expect(await labels()).toEqual([]);
  });

  test("many that are due together all run", async () => {
    await harness.functions.start();
    const names = Array.from({ length: 40 }, (_, n) => `job ${n}`);
    for (const name of names) await schedule("note", 1_000, name);
    clock.advance(1_000);
    await harness.until(async () => (await labels()).length === names.length);
    expect(new Set(await labels())).toEqual(new Set(names));
  });
});

describe("a scheduled action", () => {
  test("runs and is shown as a success", async () => {
    await harness.functions.start();
    const id = await schedule("act", 0, "acted");
    await ends(id, "success");
    expect(await labels()).toEqual(["acted"]);
  });

  test("that a crash interrupted has failed and never runs again", async () => {
    await harness.functions.start();
    const id = await schedule("hang", 0, "began");
    await has("began");
    expect((await job(id))?.state.kind).toBe("inProgress");
    harness = await harness.crash(clock);
    await harness.functions.start();
    expect((await job(id))?.state).toEqual({
      kind: "failed",
      error: "Transient error while executing action",
    });
    clock.advance(3_600_000);
    await settle();
    expect(await labels()).toEqual(["began"]);
  });

  test("may itself schedule", async () => {
    await harness.functions.start();
    await harness.action("jobs:scheduleFromAction", { label: "from an action" });
    await has("from an action");
  });
});

describe("canceling", () => {
  test("a pending call never runs", async () => {
    await harness.functions.start();
    const id = await schedule("note", 1_000, "canceled");
    await harness.mutation("jobs:cancel", { id });
    clock.advance(60_000);
    await settle();
    expect((await job(id))?.state).toEqual({ kind: "canceled" });
    expect(await labels()).toEqual([]);
  });

  test("a finished call changes nothing", async () => {
    await harness.functions.start();
    const id = await schedule("note", 0, "done");
    await ends(id, "success");
    await harness.mutation("jobs:cancel", { id });
    expect((await job(id))?.state).toEqual({ kind: "success" });
  });

  test("a running action goes on, but stays canceled", async () => {
    await harness.functions.start();
    const id = await schedule("hang", 0, "running");
    await has("running");
    await harness.mutation("jobs:cancel", { id });
    clock.advance(30 * 60_000);
    await settle();
    expect((await job(id))?.state).toEqual({ kind: "canceled" });
  });
});

test("scheduling a function that is not there names it", async () => {
  await expect(harness.mutation("jobs:scheduleMissing")).rejects.toThrow(
    "Attempted to schedule function at nonexistent path: nothing",
  );
  await expect(schedule("absent", 0, "x")).rejects.toThrow(
    "no exported function absent found in the file: jobs. Did",
  );
});

test("a time more than five years away is refused", async () => {
  await expect(schedule("note", 6 * 366 * 24 * 3_600_000, "x")).rejects.toThrow(
    "more than 5 years in the future",
  );
});

test("a finished call is forgotten after a week", async () => {
  await harness.functions.start();
  const id = await schedule("note", 0, "old");
  await ends(id, "success");
  clock.advance(6 * 24 * 3_600_000);
  await settle();
  expect(await job(id)).not.toBeNull();
  clock.advance(25 * 3_600_000);
  await harness.until(async () => (await job(id)) === null);
});

describe("crons", () => {
  const count = async (label: string) => (await labels()).filter((other) => other === label).length;
  const ran = (label: string, times: number) => harness.until(async () => (await count(label)) === times);

  test("run at their times, mutations and actions alike, and missed times are skipped", async () => {
    await harness.functions.start();
    await harness.deploy(await pushOf("convex-app"));
    await ran("interval", 1);
    clock.advance(60_000);
    await ran("interval", 2);
    // Ten minutes pass at once: one run is late, nine are skipped.
    clock.advance(10 * 60_000);
    await ran("interval", 3);
    clock.advance(59_999);
    await settle();
    expect(await count("interval")).toBe(3);
    clock.advance(1);
    await ran("interval", 4);
    expect(harness.log.some((line) => line.includes("every minute") && line.includes("skipped"))).toBe(true);
    clock.advance(24 * 3_600_000);
    await ran("daily", 1);
  });

  test("keep their times over a restart and a push that does not change them", async () => {
    await harness.deploy(await pushOf("convex-app"));
    await harness.functions.start();
    await ran("interval", 1);
    harness = await harness.reopen();
    await harness.functions.start();
    await harness.deploy(await pushOf("convex-app"));
    await settle();
    expect(await count("interval")).toBe(1);
    clock.advance(60_000);
    await ran("interval", 2);
  });

  test("end with the push that removes them", async () => {
    await harness.deploy(await pushOf("convex-app"));
    const answer = await harness.deploy(await withoutCrons());
    expect(answer).toMatchObject({
      componentDiffs: {
        "": { cronDiff: { added: [], updated: [], deleted: ["every day", "every minute"] } },
      },
    });
    await harness.functions.start();
    clock.advance(3_600_000);
    await settle();
    expect(await labels()).toEqual([]);
  });

  test("never run twice at once", async () => {
    const crons = `
      import { cronJobs } from "convex/server";
      import { aMutation } from "./server";
      const crons = cronJobs();
      crons.interval("slow", { seconds: 10 }, aMutation("jobs:hang"), { label: "slow" });
      export default crons;`;
    await harness.deploy(await pushOf("convex-app", { "crons.ts": crons }));
    await harness.functions.start();
    await ran("slow", 1);
    for (let n = 0; n < 5; n++) {
      clock.advance(10_000);
      await settle();
    }
    expect(await count("slow")).toBe(1);
    harness = await harness.crash(clock);
    await harness.functions.start();
    await ran("slow", 2);
    await expect(harness.query("notes:secret", {}, ADMIN)).resolves.toBe("for functions only");
    harness = await harness.crash(clock);
  });
});
