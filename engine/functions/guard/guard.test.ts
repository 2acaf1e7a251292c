import { describe, expect, it } from "vitest";
import { type Guard, type Guarded, guardOfThisThread, TimeoutGuard } from "./guard";
import { ThreadGuard } from "./thread-guard";

const busy = (ms: number) => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};

const runOn = (guard: Guard, limitMs: number, run: () => void): Promise<boolean> =>
  new Promise((resolve) => guard.soon((): Guarded => ({ limitMs, run, ended: resolve })));

it("the main thread has a guard that needs no thread per stretch of code", () => {
  expect(guardOfThisThread()).toBeInstanceOf(ThreadGuard);
});

describe.each<[string, Guard]>([
  ["a thread", guardOfThisThread()],
  ["vm", new TimeoutGuard()],
])("code that is guarded by %s", (_name, guard) => {
  it("runs to its end within its limit", async () => {
    const ran: string[] = [];
    const struck = await runOn(guard, 1000, () => ran.push("ran"));
    expect([struck, ran]).toEqual([false, ["ran"]]);
  });

  it("is cut off beyond its limit, without a word, again and again", async () => {
    for (let n = 0; n < 3; n += 1) {
      const heard: string[] = [];
      const struck = await runOn(guard, 50, () => {
        try {
          for (;;);
        } catch {
          heard.push("caught");
        } finally {
          heard.push("finally");
        }
      });
      expect([struck, heard]).toEqual([true, []]);
    }
  });

  it("takes along nothing else that is due in the event loop", async () => {
    const due: string[] = [];
    const all = Promise.all([
      runOn(guard, 50, () => {
        setImmediate(() => due.push("immediate"));
        setTimeout(() => due.push("timer"), 0);
        void Promise.resolve().then(() => due.push("promise"));
        for (;;);
      }),
      new Promise<void>((resolve) => setImmediate(resolve)),
      new Promise<void>((resolve) => setTimeout(resolve, 0)),
      runOn(guard, 1000, () => due.push("stretch")),
    ]);
    expect((await all)[0]).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(due.sort()).toEqual(["immediate", "promise", "stretch", "timer"]);
  });

  it("that ends about when its limit does never takes along what comes after it", async () => {
    const seen: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      let ended = false;
      const struck = await runOn(guard, 20, () => {
        busy(20 + n * 2);
        ended = true;
      });
      // Struck behind its last line is struck as well; not struck means that it came there.
      seen.push(struck || ended ? "told" : "lost");
      busy(5);
      seen.push("went on");
    }
    expect(new Set(seen)).toEqual(new Set(["told", "went on"]));
  });
});
