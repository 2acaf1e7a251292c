/**
 * The life of a message's file, as a pure table: `pending` until it is stored or given up, and from `failed` a person
 * may let it be fetched again. A file that is `ready` never changes; it goes with its message.
 */
export const MEDIA_STATES = ["pending", "ready", "failed"] as const;
export type MediaState = (typeof MEDIA_STATES)[number];

export const MEDIA_EVENTS = [
  /** The bytes are stored, and are those that were announced. */
  "stored",
  /** No later attempt can succeed, or all of them are used up. */
  "gaveUp",
  /** A person asks for it again. */
  "askedAgain",
  /** The message is deleted, and its file with it. */
  "dropped",
] as const;
export type MediaEvent = (typeof MEDIA_EVENTS)[number];

/** Every cell that changes something; a cell that is not here leaves the state as it is. */
const TRANSITIONS: Readonly<Record<MediaState, Partial<Readonly<Record<MediaEvent, MediaState>>>>> = {
  pending: { stored: "ready", gaveUp: "failed", dropped: "failed" },
  ready: { dropped: "failed" },
  failed: { askedAgain: "pending", dropped: "failed" },
};

/** The state after an event, or null when the event changes nothing in this state. */
export function nextMediaState(state: MediaState, event: MediaEvent): MediaState | null {
  return TRANSITIONS[state][event] ?? null;
}
