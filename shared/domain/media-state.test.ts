import { describe, expect, test } from "vitest";
import { MEDIA_EVENTS, MEDIA_STATES, type MediaState, nextMediaState } from "./media-state";

/** The whole table, written out a second time by hand: stored, gaveUp, askedAgain, dropped. */
const TABLE: Record<MediaState, string> = {
  pending: "ready failed - failed",
  ready: "- - - failed",
  failed: "- - pending failed",
};

describe.each(MEDIA_STATES)("a file that is %s", (state) => {
  test.each(MEDIA_EVENTS)("meets %s as the table says", (event) => {
    expect(nextMediaState(state, event) ?? "-").toBe(TABLE[state].split(" ")[MEDIA_EVENTS.indexOf(event)]);
  });
});
