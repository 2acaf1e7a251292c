import { describe, expect, it } from "vitest";
import { Places } from "./places";

describe("waiting for those who have a place", () => {
  it("does not wait for those who come after, however many there are", async () => {
    const places = new Places("calls", 2, 10);
    const first = await places.take();
    const second = await places.take();
    let over = false;
    const waited = places.whenTheseLeft().then(() => {
      over = true;
    });
    // The next one has its place before the last of the first two gives it back, so that nobody is ever idle.
    const third = places.take();
    first();
    const leaveThird = await third;
    expect([over, places.busy]).toEqual([false, 2]);
    second();
    await waited;
    expect([over, places.busy]).toEqual([true, 1]);
    leaveThird();
    await places.whenIdle();
  });

  it("waits for nobody where all places are free", async () => {
    await new Places("calls", 1, 1).whenTheseLeft();
  });
});
