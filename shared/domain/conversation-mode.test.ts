import { describe, expect, test } from "vitest";
import {
  CONVERSATION_MODES,
  type ConversationMode,
  EVENT_FOR_MODE,
  MODE_EVENTS,
  type ModeEvent,
  modeObstacle,
  nextConversationMode,
} from "./conversation-mode";

/** Every cell, written out by hand: "-" means that the event changes nothing. */
const TABLE: Record<ConversationMode, Record<ModeEvent, ConversationMode | "-">> = {
  agent: {
    handOff: "human",
    takeOver: "human",
    resume: "-",
    pause: "paused",
    memberReplied: "human",
    handBackDue: "-",
  },
  human: {
    handOff: "-",
    takeOver: "-",
    resume: "agent",
    pause: "paused",
    memberReplied: "-",
    handBackDue: "agent",
  },
  paused: {
    handOff: "human",
    takeOver: "human",
    resume: "agent",
    pause: "-",
    memberReplied: "human",
    handBackDue: "-",
  },
};

describe.each(CONVERSATION_MODES)("a conversation in mode %s", (mode) => {
  test.each(MODE_EVENTS)("meets %s as the table says", (event) => {
    expect(nextConversationMode(mode, event) ?? "-").toBe(TABLE[mode][event]);
  });

  test.each(CONVERSATION_MODES)("is brought to %s by a member with one event", (wanted) => {
    expect(nextConversationMode(mode, EVENT_FOR_MODE[wanted]) ?? mode).toBe(wanted);
  });
});

test("agents write in mode agent only, and are told why not in the others", () => {
  expect(CONVERSATION_MODES.map(modeObstacle)).toEqual([null, "human_in_control", "conversation_paused"]);
});
