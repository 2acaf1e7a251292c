import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ANYONE, callOf, Harness, pushOf } from "../support/functions-harness";
import { type JumpingClock, jumpingClock } from "../support/jumping-clock";

const TIMED_OUT = "Function execution timed out (maximum duration: 1s)";

let harness: Harness;
let clock: JumpingClock;
beforeAll(async () => {
  clock = jumpingClock();
  harness = await Harness.with("strict-app", { isolation: "reuse", clock });
});
afterAll(() => harness.discard());

/** Calls `run` beside others, which must be answered all the same. */
async function amongOthers(run: () => Promise<unknown>): Promise<void> {
  const runaway = run();
  const others = Array.from({ length: 5 }, () => harness.query("runaway:fine"));
  expect(new Set(await Promise.all(others)).size).toBe(1);
  await runaway;
}

describe("a query that does not end", () => {
  test.each(["loop", "regex", "microtasks", "arrays", "catching"])("by %s is stopped", async (way) => {
    await amongOthers(() => expect(harness.query("runaway:aQuery", { way })).rejects.toThrow(TIMED_OUT));
  });

  test("by calling itself without end fails as an error of its own", async () => {
    await expect(harness.query("runaway:aQuery", { way: "stack" })).rejects.toThrow(
      "Uncaught RangeError: Maximum call stack size exceeded",
    );
  });
});

test("a mutation that does not end is stopped and writes nothing", async () => {
  const before = await harness.query("runaway:fine");
  for (const way of ["loop", "regex"]) {
    await amongOthers(() =>
      expect(harness.mutation("runaway:aMutation", { way })).rejects.toThrow(TIMED_OUT),
    );
  }
  expect(await harness.query("runaway:fine")).toBe(before);
});

describe("a module that does not end while it loads", () => {
  const module = (head: string) => `
    ${head}
    import { internalAction } from "./server";
    for (;;);
    export const never = internalAction({ args: {}, handler: async () => null });`;

  test("fails the push", async () => {
    const push = await pushOf("strict-app", { "endless.ts": module("") });
    await amongOthers(() =>
      expect(harness.deploy(push)).rejects.toThrow("Evaluating endless.js took longer than 5 seconds."),
    );
  });

  test("fails the push when it is one for Node", async () => {
    const push = await pushOf("strict-app", { "endlessNode.ts": module('"use node";') });
    const pushed = expect(harness.deploy(push)).rejects.toThrow(
      "Evaluating endlessNode.js took longer than 5 seconds.",
    );
    await amongOthers(() => pushed);
  });
});

describe("an action that does not end", () => {
  /** Lets time pass in steps until `done` has come about; between two steps a new worker has time to start. */
  async function passTimeUntil(done: () => boolean, stepMs: number): Promise<void> {
    while (!done()) {
      clock.jump(stepMs);
      for (let n = 0; n < 100 && !done(); n++) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const watched = <T>(promise: Promise<T>) => {
    const state = { done: false };
    const end = promise.finally(() => {
      state.done = true;
    });
    return { end, isDone: () => state.done };
  };

  test("holds up no other action or HTTP action, and is stopped when its time is over", async () => {
    const loop = watched(harness.functions.action(callOf("runaway:anAction", { way: "loop" })));
    const request = (path: string) => harness.functions.http(new Request(`http://site${path}`), ANYONE);
    const httpLoop = watched(request("/loop"));
    const fine = watched(harness.action("runaway:fineAction"));
    const httpFine = watched(request("/fine"));
    await passTimeUntil(() => fine.isDone() && httpFine.isDone(), 5_000);
    expect(await fine.end).toBe("fine");
    expect(await (await httpFine.end).text()).toBe("fine");
    expect(loop.isDone()).toBe(false);

    await passTimeUntil(() => loop.isDone() && httpLoop.isDone(), 31 * 60_000);
    expect(JSON.stringify((await loop.end).outcome)).toContain(
      "Function execution timed out (maximum duration: 1800s)",
    );
    const response = await httpLoop.end;
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("Function execution timed out");
  });

  test("because it takes all memory ends with its worker, and the next one gets another worker", async () => {
    await expect(harness.action("runaway:anAction", { way: "arrays" })).rejects.toThrow(
      "JavaScript execution ran out of memory (maximum memory usage: 512 MB)",
    );
    expect(await harness.action("runaway:fineAction")).toBe("fine");
  });
});
