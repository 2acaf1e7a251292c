import { describe, expect, test } from "vitest";
import { WINDOW_SAFETY_MS } from "#shared/domain/window";
import { HOUR_MS, MINUTE_MS } from "#shared/time";
import { windowBadge } from "./window-badge";

const NOW = 1_800_000_000_000;
const left = (leftMs: number) => windowBadge(NOW + WINDOW_SAFETY_MS + leftMs, NOW);

describe("the badge of a reply window", () => {
  test.each([
    [23 * HOUR_MS + 59 * MINUTE_MS, "open", "23 h"],
    [4 * HOUR_MS + 1, "open", "4 h"],
    [4 * HOUR_MS, "soon", "4 h"],
    [4 * HOUR_MS - 1, "soon", "4 h"],
    [3 * HOUR_MS + 5 * MINUTE_MS, "soon", "3 h 05 min"],
    [30 * MINUTE_MS, "soon", "30 min"],
    [30 * MINUTE_MS - 1, "ending", "30 min"],
    [MINUTE_MS, "ending", "1 min"],
    [1, "ending", "1 min"],
    [0, "closed", "Closed"],
    [-1, "closed", "Closed"],
  ])("with %d ms left to send is %s and reads %j", (leftMs, tone, label) => {
    expect(left(leftMs)).toMatchObject({ tone, label });
  });

  test("is closed when the customer never wrote", () => {
    expect(windowBadge(undefined, NOW).tone).toBe("closed");
    expect(windowBadge(null, NOW).tone).toBe("closed");
  });

  test("says the same in a sentence", () => {
    expect(left(90 * MINUTE_MS).description).toBe("The reply window closes in 1 h 30 min.");
  });
});
