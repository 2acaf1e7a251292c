import { describe, expect, test } from "vitest";
import { nextStatus, pauseMs, type TemplateEvent, type TemplateStatus } from "./template-machine";

const EVENTS = [
  "approve",
  "reject",
  "edit",
  "pause",
  "unpause",
  "disable",
  "appeal",
  "archive",
  "unarchive",
  "delete",
  "purge",
] as const satisfies TemplateEvent[];
const _ = null;

// Every status against every event, in the order of EVENTS; a blank is refused.
const TABLE: [TemplateStatus, (TemplateStatus | null)[]][] = [
  ["PENDING", ["APPROVED", "REJECTED", _, _, _, _, _, _, _, "PENDING_DELETION", _]],
  ["APPROVED", [_, "REJECTED", "PENDING", "PAUSED", _, "DISABLED", _, "ARCHIVED", _, "PENDING_DELETION", _]],
  ["REJECTED", [_, _, "PENDING", _, _, _, "IN_APPEAL", _, _, "PENDING_DELETION", _]],
  ["IN_APPEAL", ["APPROVED", "REJECTED", _, _, _, _, _, _, _, "PENDING_DELETION", _]],
  ["PAUSED", [_, _, "PENDING", _, "APPROVED", "DISABLED", _, _, _, "PENDING_DELETION", _]],
  ["DISABLED", [_, _, _, _, _, _, "IN_APPEAL", _, _, "PENDING_DELETION", _]],
  ["ARCHIVED", [_, _, _, _, _, _, _, _, "APPROVED", "PENDING_DELETION", _]],
  ["PENDING_DELETION", [_, _, _, _, _, _, _, _, _, _, "DELETED"]],
  ["DELETED", [_, _, _, _, _, _, _, _, _, _, _]],
];

describe.each(TABLE)("a template that is %s", (status, row) => {
  test.each(EVENTS.map((event, index) => [event, row[index]] as const))("%s leads to %s", (event, next) => {
    expect(nextStatus(status, event)).toBe(next);
  });
});

test("the first pause takes three hours, the second six, the third does not end", () => {
  expect([0, 1, 2, 3].map(pauseMs)).toEqual([10_800_000, 21_600_000, null, null]);
});
