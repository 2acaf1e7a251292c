/**
 * Who writes in a conversation: agents (holders of a key), or people only. `human` means that a person has taken it,
 * `paused` that agents hold still although nobody has. Members may write in every mode.
 */
export const CONVERSATION_MODES = ["agent", "human", "paused"] as const;
export type ConversationMode = (typeof CONVERSATION_MODES)[number];

/**
 * `handOff`: an agent asks for a person. `takeOver`, `resume`, `pause`: a member sets the mode. `memberReplied`: a member
 * wrote to the customer in an account where that means taking over. `handBackDue`: the time after which agents may
 * write again has passed.
 */
export const MODE_EVENTS = [
  "handOff",
  "takeOver",
  "resume",
  "pause",
  "memberReplied",
  "handBackDue",
] as const;
export type ModeEvent = (typeof MODE_EVENTS)[number];

const TRANSITIONS: Record<ConversationMode, Partial<Record<ModeEvent, ConversationMode>>> = {
  agent: { handOff: "human", takeOver: "human", memberReplied: "human", pause: "paused" },
  human: { resume: "agent", pause: "paused", handBackDue: "agent" },
  // A pause has no end of its own: whoever paused wanted silence until somebody decides.
  paused: { handOff: "human", takeOver: "human", memberReplied: "human", resume: "agent" },
};

/** The mode after an event, or null when the event changes nothing in this mode. */
export function nextConversationMode(mode: ConversationMode, event: ModeEvent): ConversationMode | null {
  return TRANSITIONS[mode][event] ?? null;
}

/** The event by which a member brings a conversation into a mode. */
export const EVENT_FOR_MODE: Readonly<Record<ConversationMode, ModeEvent>> = {
  agent: "resume",
  human: "takeOver",
  paused: "pause",
};

/**
 * The modes into which the holder of a key may bring a conversation, with the event by which it does. A key gives the
 * conversation away; only a member, or the time set for it, gives it back.
 */
export const EVENT_FOR_KEYS_MODE = { human: "handOff", paused: "pause" } as const satisfies Partial<
  Record<ConversationMode, ModeEvent>
>;

/** Why an agent may not write in this mode, or null. */
export function modeObstacle(mode: ConversationMode): "human_in_control" | "conversation_paused" | null {
  switch (mode) {
    case "agent":
      return null;
    case "human":
      return "human_in_control";
    case "paused":
      return "conversation_paused";
    default:
      return mode satisfies never;
  }
}
