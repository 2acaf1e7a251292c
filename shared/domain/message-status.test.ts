import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addStatus,
  currentStatus,
  isMetaStatus,
  META_STATUSES,
  type StatusHistory,
  type StatusReport,
} from "./message-status";

const after = (reports: readonly StatusReport[]): StatusHistory => reports.reduce(addStatus, {});
const report = (status: StatusReport["status"], at = 1): StatusReport => ({ status, at });

describe("what is shown after two statuses, in either order", () => {
  const shown = {
    sent: { sent: "sent", delivered: "delivered", read: "read", played: "played", failed: "failed" },
    delivered: {
      sent: "delivered",
      delivered: "delivered",
      read: "read",
      played: "played",
      failed: "delivered",
    },
    read: { sent: "read", delivered: "read", read: "read", played: "played", failed: "read" },
    played: { sent: "played", delivered: "played", read: "played", played: "played", failed: "played" },
    failed: { sent: "failed", delivered: "delivered", read: "read", played: "played", failed: "failed" },
  } as const;
  const cells = META_STATUSES.flatMap((a) => META_STATUSES.map((b) => [a, b, shown[a][b]] as const));
  test.each(cells)("%s then %s shows %s", (a, b, expected) => {
    expect(currentStatus(after([report(a), report(b)]))).toBe(expected);
  });
});

test("nothing reported shows nothing", () => {
  expect(currentStatus({})).toBeNull();
});

const anyReport: fc.Arbitrary<StatusReport> = fc.record(
  {
    status: fc.constantFrom(...META_STATUSES),
    at: fc.integer({ min: 1, max: 5 }),
    error: fc.record({ code: fc.integer({ min: 1, max: 3 }), message: fc.constantFrom("a", "b") }),
  },
  { requiredKeys: ["status", "at"] },
);

test("any order and any repetition of the same reports converge", () => {
  fc.assert(
    fc.property(
      fc
        .array(anyReport, { minLength: 1, maxLength: 8 })
        .chain((reports) =>
          fc.tuple(
            fc.constant(reports),
            fc.shuffledSubarray([...reports, ...reports], { minLength: 2 * reports.length }),
          ),
        ),
      ([reports, shuffled]) => {
        expect(after(shuffled)).toEqual(after(reports));
      },
    ),
    { numRuns: 2000 },
  );
});

test("what is shown never goes back", () => {
  const rank = (history: StatusHistory) =>
    ["sent", "failed", "delivered", "read", "played"].indexOf(currentStatus(history) ?? "");
  fc.assert(
    fc.property(fc.array(anyReport), (reports) => {
      let history: StatusHistory = {};
      for (const one of reports) {
        const next = addStatus(history, one);
        expect(rank(next)).toBeGreaterThanOrEqual(rank(history));
        history = next;
      }
    }),
  );
});

test("the earliest time of each status is kept, and the reason of the earliest failure", () => {
  const history = after([
    { status: "failed", at: 9, error: { code: 131026, message: "later" } },
    { status: "failed", at: 4, error: { code: 131047, message: "first" } },
    { status: "failed", at: 2 },
    { status: "sent", at: 3 },
    { status: "sent", at: 1 },
  ]);
  expect(history).toEqual({ sentAt: 1, failedAt: 2, error: { code: 131047, message: "first", at: 4 } });
});

test.each(["deleted", "warning", "", "toString", null, 1])("%j is not a status that is followed", (word) => {
  expect(isMetaStatus(word)).toBe(false);
});
