import { describe, expect, test } from "vitest";
import {
  ACCOUNT_EVENTS,
  ACCOUNT_STATES,
  type AccountEvent,
  type AccountState,
  nextAccountState,
} from "./account-state";

/** Every cell, written out by hand: "-" means that the event changes nothing. */
const TABLE: Record<AccountState, Record<AccountEvent, AccountState | "-">> = {
  connecting: {
    ready: "active",
    detach: "detached",
    reattach: "-",
    disable: "disabled",
    enable: "-",
    delete: "deleting",
  },
  active: {
    ready: "-",
    detach: "detached",
    reattach: "-",
    disable: "disabled",
    enable: "-",
    delete: "deleting",
  },
  detached: {
    ready: "-",
    detach: "-",
    reattach: "connecting",
    disable: "disabled",
    enable: "-",
    delete: "deleting",
  },
  disabled: {
    ready: "-",
    detach: "-",
    reattach: "-",
    disable: "-",
    enable: "connecting",
    delete: "deleting",
  },
  deleting: { ready: "-", detach: "-", reattach: "-", disable: "-", enable: "-", delete: "-" },
};

describe("the life of an account", () => {
  const cells = ACCOUNT_STATES.flatMap((state) => ACCOUNT_EVENTS.map((event) => [state, event] as const));

  test.each(cells)("%s and then %s", (state, event) => {
    expect(nextAccountState(state, event) ?? "-").toBe(TABLE[state][event]);
  });

  test("never becomes active but by Meta's word that the number is ready", () => {
    const ways = cells.filter(([state, event]) => nextAccountState(state, event) === "active");
    expect(ways).toEqual([["connecting", "ready"]]);
  });
});
