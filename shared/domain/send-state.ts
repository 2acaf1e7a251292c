/**
 * The life of one send, as a pure table. An outbox row moves only along it, so that no crash, late answer or repeated
 * webhook can send a message twice or lose what is known about it.
 *
 *   queued -> claimed -> dispatching -> accepted | rejected | unknown -> markedSent
 *
 * `dispatching` is written down before the first byte leaves. A worker that dies earlier has sent nothing and its row
 * is queued again; one that dies later may have sent the message, so its row becomes `unknown` and is never repeated
 * by the machine. Only evidence moves it on: the late answer of that attempt, or a status webhook.
 */
export const SEND_STATES = [
  "queued",
  "claimed",
  "dispatching",
  "accepted",
  "rejected",
  "unknown",
  "markedSent",
  "cancelled",
] as const;
export type SendState = (typeof SEND_STATES)[number];

export const SEND_EVENTS = [
  /** A worker takes the row under a lease. */
  "claim",
  /** The rules no longer allow the send (window closed, key revoked) or a person withdrew it. */
  "cancel",
  /** The worker is about to write to the socket. */
  "dispatch",
  /** The lease ran out: the worker is gone. */
  "leaseExpired",
  /** Meta answered with a message id. */
  "accepted",
  /** Meta refused it for good, or the attempts are used up. */
  "rejected",
  /** Meta refused it for now (a rate limit): nothing was sent. */
  "rateLimited",
  /** No byte reached Meta. */
  "notSent",
  /** The attempt ended without anybody knowing whether Meta took it. */
  "unknown",
  /** A status webhook carries this send's callback data: Meta has taken it. */
  "statusArrived",
  /** A person has looked at the phone and says that the message of unknown outcome is there. */
  "markSent",
] as const;
export type SendEvent = (typeof SEND_EVENTS)[number];

/** Every cell that changes something; a cell that is not here leaves the state as it is. */
const TRANSITIONS: Readonly<Record<SendState, Partial<Readonly<Record<SendEvent, SendState>>>>> = {
  queued: { claim: "claimed", cancel: "cancelled", statusArrived: "accepted" },
  claimed: {
    dispatch: "dispatching",
    cancel: "cancelled",
    leaseExpired: "queued",
    notSent: "queued",
    statusArrived: "accepted",
  },
  dispatching: {
    leaseExpired: "unknown",
    accepted: "accepted",
    rejected: "rejected",
    rateLimited: "queued",
    notSent: "queued",
    unknown: "unknown",
    statusArrived: "accepted",
  },
  // A worker that was believed dead may still bring its answer. One that says "not sent" ends the send instead of
  // queueing it again, because a person may have acted upon "unknown" meanwhile.
  unknown: {
    accepted: "accepted",
    rejected: "rejected",
    rateLimited: "rejected",
    notSent: "rejected",
    statusArrived: "accepted",
    markSent: "markedSent",
  },
  // What a person saw is believed until evidence says more: it brings the message id, or that the person was wrong.
  markedSent: {
    accepted: "accepted",
    rejected: "rejected",
    rateLimited: "rejected",
    notSent: "rejected",
    statusArrived: "accepted",
  },
  // A status is Meta's own word that it has the message; it outweighs whatever was concluded before.
  rejected: { statusArrived: "accepted" },
  cancelled: { statusArrived: "accepted" },
  accepted: {},
};

/** The state after an event, or null when the event changes nothing in this state. */
export function nextSendState(state: SendState, event: SendEvent): SendState | null {
  return TRANSITIONS[state][event] ?? null;
}

/** Whether the machine itself will do no more about this send. */
export function isSendSettled(state: SendState): boolean {
  return state !== "queued" && state !== "claimed" && state !== "dispatching";
}
