import { afterEach, expect, test } from "vitest";
import { VirtualClock } from "./clock";

const clock = new VirtualClock();
afterEach(() => clock.reset());

test("what falls due while time is pushed ahead happens in order, each at its own moment", async () => {
  const start = clock.now();
  const seen: [string, number][] = [];
  const note = (name: string) => () => void seen.push([name, Math.round((clock.now() - start) / 1000)]);
  clock.after(7_200_000, note("late"));
  clock.after(3_600_000, note("early"));
  clock.after(3_600_000, note("early too"));
  clock.after(90_000_000, note("not yet"));
  await clock.advance(86_400_000);
  expect(seen).toEqual([
    ["early", 3_600],
    ["early too", 3_600],
    ["late", 7_200],
  ]);
  expect(Math.round((clock.now() - start) / 1000)).toBe(86_400);
});

test("a task may plan the next one, which happens on the same way", async () => {
  // Standing still, no real millisecond passes between a task and the one that it plans.
  clock.freeze();
  let count = 0;
  const again = () => {
    count++;
    clock.after(60_000, again);
  };
  clock.after(60_000, again);
  await clock.advance(600_000);
  expect(count).toBe(10);
});

test("advancing waits for what takes its time", async () => {
  let done = false;
  clock.after(1_000, async () => {
    await new Promise(setImmediate);
    done = true;
  });
  await clock.advance(1_000);
  expect(done).toBe(true);
});

test("without being pushed it runs by itself", async () => {
  await new Promise<void>((resolve) => {
    // The clock does not keep a process alive, so the test does.
    const alive = setInterval(() => undefined, 1_000);
    clock.after(5, () => {
      clearInterval(alive);
      resolve();
    });
  });
});

test("a reset forgets what was planned and returns to real time", async () => {
  let happened = false;
  // Far enough ahead that a slow machine does not reach it by itself before the reset.
  clock.after(600_000, () => {
    happened = true;
  });
  await clock.advance(1_000);
  clock.reset();
  await clock.advance(1_000_000);
  clock.reset();
  expect(happened).toBe(false);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
});
