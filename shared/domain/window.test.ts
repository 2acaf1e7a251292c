import fc from "fast-check";
import { expect, test } from "vitest";
import { FUTURE_TOLERANCE_MS } from "../time";
import {
  isWindowOpen,
  mayStillSend,
  SERVICE_WINDOW_MS,
  WINDOW_SAFETY_MS,
  windowAfterMessage,
} from "./window";

const T = 1_750_000_000_000;

test("the window is open up to its end and closed at it", () => {
  const expiresAt = windowAfterMessage(null, T, T);
  expect(expiresAt).toBe(T + SERVICE_WINDOW_MS);
  expect(isWindowOpen(expiresAt, expiresAt - 1)).toBe(true);
  expect(isWindowOpen(expiresAt, expiresAt)).toBe(false);
  expect(isWindowOpen(null, T)).toBe(false);
});

test("sending stops at the safety margin, while the window is still open", () => {
  const expiresAt = T + SERVICE_WINDOW_MS;
  expect(mayStillSend(expiresAt, expiresAt - WINDOW_SAFETY_MS - 1)).toBe(true);
  expect(mayStillSend(expiresAt, expiresAt - WINDOW_SAFETY_MS)).toBe(false);
  expect(isWindowOpen(expiresAt, expiresAt - WINDOW_SAFETY_MS)).toBe(true);
  expect(mayStillSend(null, T)).toBe(false);
});

test("the order in which messages arrive does not matter, and the end never moves back", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: T - 1e9, max: T }), { minLength: 1 }), (times) => {
      let expiresAt: number | null = null;
      for (const at of times) {
        const next = windowAfterMessage(expiresAt, at, T);
        expect(next).toBeGreaterThanOrEqual(expiresAt ?? 0);
        expiresAt = next;
      }
      expect(expiresAt).toBe(Math.max(...times) + SERVICE_WINDOW_MS);
    }),
  );
});

test("a message from the far future does not hold the window open for ever", () => {
  expect(windowAfterMessage(null, T + 1e12, T)).toBe(T + FUTURE_TOLERANCE_MS + SERVICE_WINDOW_MS);
});
