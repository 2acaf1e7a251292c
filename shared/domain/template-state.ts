/**
 * The life of a template, as a pure table. A template may be sent only while it is `approved`; a word of Meta's that
 * this version does not know leads to `unknown`, which is never sent, while the word itself is kept beside the state.
 *
 * Events are the words of `message_template_status_update` (Meta: "Template status", "Template pausing"). They may
 * arrive late or in the wrong order, so a template that Meta disabled or removed does not come back by a pause that
 * ended; the list of templates, read anew, always decides (`templateStateOf`).
 */
export const TEMPLATE_STATES = [
  "pending",
  "approved",
  "rejected",
  "paused",
  "disabled",
  "in_appeal",
  "archived",
  "limit_exceeded",
  "pending_deletion",
  "deleted",
  "unknown",
] as const;
export type TemplateState = (typeof TEMPLATE_STATES)[number];

export const TEMPLATE_EVENTS = [
  "PENDING",
  "APPROVED",
  "REJECTED",
  "PAUSED",
  "DISABLED",
  "IN_APPEAL",
  "ARCHIVED",
  "UNARCHIVED",
  "LIMIT_EXCEEDED",
  "PENDING_DELETION",
  "DELETED",
  /** A disabled or flagged template may be sent again. */
  "REINSTATED",
  /** Bad feedback: the template may soon be disabled. It is still sent. */
  "FLAGGED",
  /** It cannot be edited. It is still sent. */
  "LOCKED",
] as const;
export type TemplateEvent = (typeof TEMPLATE_EVENTS)[number];

type Cells = Partial<Readonly<Record<TemplateEvent, TemplateState>>>;

/** What Meta's review and its owner may do to any template that still exists. */
const REVIEWED: Cells = {
  PENDING: "pending",
  APPROVED: "approved",
  REJECTED: "rejected",
  DISABLED: "disabled",
  IN_APPEAL: "in_appeal",
  ARCHIVED: "archived",
  LIMIT_EXCEEDED: "limit_exceeded",
  PENDING_DELETION: "pending_deletion",
  DELETED: "deleted",
};

/** Every cell that changes something; a cell that is not here leaves the state as it is. */
const TRANSITIONS: Readonly<Record<TemplateState, Cells>> = {
  pending: { ...without(REVIEWED, "PENDING"), PAUSED: "paused" },
  approved: { ...without(REVIEWED, "APPROVED"), PAUSED: "paused" },
  rejected: { ...without(REVIEWED, "REJECTED"), REINSTATED: "approved" },
  paused: { ...REVIEWED, REINSTATED: "approved" },
  // The third pause disables; a pause that arrives after it is an older one.
  disabled: { ...without(REVIEWED, "DISABLED"), REINSTATED: "approved" },
  in_appeal: { ...without(REVIEWED, "IN_APPEAL"), REINSTATED: "approved" },
  archived: { ...without(REVIEWED, "ARCHIVED"), UNARCHIVED: "approved" },
  limit_exceeded: { ...without(REVIEWED, "LIMIT_EXCEEDED"), PAUSED: "paused" },
  // A name that is deleted stays blocked for 30 days, so whatever else is said about it is older.
  pending_deletion: { DELETED: "deleted" },
  deleted: {},
  unknown: { ...REVIEWED, PAUSED: "paused", REINSTATED: "approved", UNARCHIVED: "approved" },
};

function without(cells: Cells, event: TemplateEvent): Cells {
  const { [event]: _, ...rest } = cells;
  return rest;
}

/** The state after an event, or null when the event changes nothing in this state. */
export function nextTemplateState(state: TemplateState, event: TemplateEvent): TemplateState | null {
  return TRANSITIONS[state][event] ?? null;
}

/** The event that a word of Meta's webhook means, or null for a word that this version does not know. */
export function templateEventOf(word: string): TemplateEvent | null {
  const upper = word.toUpperCase();
  return TEMPLATE_EVENTS.find((event) => event === upper) ?? null;
}

/** The state that a word of Meta's list of templates means. */
export function templateStateOf(word: string): TemplateState {
  const lower = word.toLowerCase();
  return TEMPLATE_STATES.find((state) => state === lower) ?? "unknown";
}
