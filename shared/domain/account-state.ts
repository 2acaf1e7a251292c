/**
 * The life of a connected number, as a pure table. Whether it is healthy, and whether it may send at the moment, are
 * other questions (`accountHealth`, `accounts.sending`): they change by themselves, this only by a decision.
 *
 *   connecting -> active <-> detached | disabled, and from everywhere -> deleting
 */
export const ACCOUNT_STATES = ["connecting", "active", "detached", "disabled", "deleting"] as const;
export type AccountState = (typeof ACCOUNT_STATES)[number];

export const ACCOUNT_EVENTS = [
  /** Meta has registered the number and sends its webhooks here. */
  "ready",
  /** Its people take it away from here and keep what was said. */
  "detach",
  /** They bring it back; Meta is asked again before anything is sent. */
  "reattach",
  /** The administrator of the deployment switches it off, and on again. */
  "disable",
  "enable",
  /** An owner wants it gone with everything in it. There is no way back. */
  "delete",
] as const;
export type AccountEvent = (typeof ACCOUNT_EVENTS)[number];

/** Every cell that changes something; a cell that is not here leaves the state as it is. */
const TRANSITIONS: Readonly<Record<AccountState, Partial<Readonly<Record<AccountEvent, AccountState>>>>> = {
  connecting: { ready: "active", detach: "detached", disable: "disabled", delete: "deleting" },
  active: { detach: "detached", disable: "disabled", delete: "deleting" },
  detached: { reattach: "connecting", disable: "disabled", delete: "deleting" },
  disabled: { enable: "connecting", delete: "deleting" },
  deleting: {},
};

/** The state after an event, or null when the event changes nothing in this state. */
export function nextAccountState(state: AccountState, event: AccountEvent): AccountState | null {
  return TRANSITIONS[state][event] ?? null;
}
