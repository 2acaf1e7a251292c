import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  nextTemplateState,
  TEMPLATE_EVENTS,
  TEMPLATE_STATES,
  type TemplateEvent,
  type TemplateState,
  templateEventOf,
  templateStateOf,
} from "./template-state";

/**
 * The whole table, written out a second time by hand: one column for each event in the order of `TEMPLATE_EVENTS`,
 * `-` where nothing changes.
 */
const COLUMNS =
  "PENDING APPROVED REJECTED PAUSED DISABLED IN_APPEAL ARCHIVED UNARCHIVED LIMIT_EXCEEDED PENDING_DELETION DELETED REINSTATED FLAGGED LOCKED";
const ROWS: Record<TemplateState, string> = {
  pending:
    "- approved rejected paused disabled in_appeal archived - limit_exceeded pending_deletion deleted - - -",
  approved:
    "pending - rejected paused disabled in_appeal archived - limit_exceeded pending_deletion deleted - - -",
  rejected:
    "pending approved - - disabled in_appeal archived - limit_exceeded pending_deletion deleted approved - -",
  paused:
    "pending approved rejected - disabled in_appeal archived - limit_exceeded pending_deletion deleted approved - -",
  disabled:
    "pending approved rejected - - in_appeal archived - limit_exceeded pending_deletion deleted approved - -",
  in_appeal:
    "pending approved rejected - disabled - archived - limit_exceeded pending_deletion deleted approved - -",
  archived:
    "pending approved rejected - disabled in_appeal - approved limit_exceeded pending_deletion deleted - - -",
  limit_exceeded:
    "pending approved rejected paused disabled in_appeal archived - - pending_deletion deleted - - -",
  pending_deletion: "- - - - - - - - - - deleted - - -",
  deleted: "- - - - - - - - - - - - - -",
  unknown:
    "pending approved rejected paused disabled in_appeal archived approved limit_exceeded pending_deletion deleted approved - -",
};

describe.each(TEMPLATE_STATES)("a template that is %s", (state) => {
  const cells = ROWS[state].split(" ");
  test.each(TEMPLATE_EVENTS)("meets %s as the table says", (event) => {
    expect(nextTemplateState(state, event) ?? "-").toBe(cells[COLUMNS.split(" ").indexOf(event)]);
  });
});

it("never becomes usable again once it is deleted or about to be, whatever is said later", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<TemplateState>("deleted", "pending_deletion"),
      fc.array(fc.constantFrom<TemplateEvent>(...TEMPLATE_EVENTS)),
      (start, events) => {
        const end = events.reduce<TemplateState>(
          (state, event) => nextTemplateState(state, event) ?? state,
          start,
        );
        expect(["deleted", "pending_deletion"]).toContain(end);
      },
    ),
  );
});

it("takes Meta's words in any case, and no other words", () => {
  expect(templateStateOf("APPROVED")).toBe("approved");
  expect(templateStateOf("Pending_Deletion")).toBe("pending_deletion");
  expect(templateStateOf("SHADOW_REVIEW")).toBe("unknown");
  expect(templateStateOf("constructor")).toBe("unknown");
  expect(templateEventOf("paused")).toBe("PAUSED");
  expect(templateEventOf("SHADOW_REVIEW")).toBeNull();
});
