import type { Template } from "../world";

export type TemplateStatus = Template["status"];

/** What can happen to a template. The words are those of Meta's webhook, except where it has none. */
export type TemplateEvent =
  | "approve"
  | "reject"
  | "edit"
  | "pause"
  | "unpause"
  | "disable"
  | "appeal"
  | "archive"
  | "unarchive"
  | "delete"
  | "purge";

/**
 * Where an event leads from each status; what is not listed is refused. Meta: "Template status", "Template pausing"
 * (the third pause disables), "Edit templates" (an edit goes back to review), "Delete templates" (30 days until gone).
 */
const MOVES: Readonly<Record<TemplateStatus, Partial<Record<TemplateEvent, TemplateStatus>>>> = {
  PENDING: { approve: "APPROVED", reject: "REJECTED", delete: "PENDING_DELETION" },
  APPROVED: {
    edit: "PENDING",
    reject: "REJECTED",
    pause: "PAUSED",
    disable: "DISABLED",
    archive: "ARCHIVED",
    delete: "PENDING_DELETION",
  },
  REJECTED: { edit: "PENDING", appeal: "IN_APPEAL", delete: "PENDING_DELETION" },
  IN_APPEAL: { approve: "APPROVED", reject: "REJECTED", delete: "PENDING_DELETION" },
  PAUSED: { unpause: "APPROVED", edit: "PENDING", disable: "DISABLED", delete: "PENDING_DELETION" },
  DISABLED: { appeal: "IN_APPEAL", delete: "PENDING_DELETION" },
  ARCHIVED: { unarchive: "APPROVED", delete: "PENDING_DELETION" },
  PENDING_DELETION: { purge: "DELETED" },
  DELETED: {},
};

/** The status after an event, or null when it cannot happen now. */
export function nextStatus(status: TemplateStatus, event: TemplateEvent): TemplateStatus | null {
  return MOVES[status][event] ?? null;
}

const HOUR_MS = 60 * 60 * 1000;

/** Meta pauses for 3 hours, then for 6; the third time it disables. Null means disabled. */
export function pauseMs(pausesBefore: number): number | null {
  return [3 * HOUR_MS, 6 * HOUR_MS][pausesBefore] ?? null;
}
