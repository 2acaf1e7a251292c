import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isSendSettled,
  nextSendState,
  SEND_EVENTS,
  SEND_STATES,
  type SendEvent,
  type SendState,
} from "./send-state";

/** Every cell, written out by hand: "-" means that the event changes nothing. */
const TABLE: Record<SendState, Record<SendEvent, SendState | "-">> = {
  queued: {
    claim: "claimed",
    cancel: "cancelled",
    dispatch: "-",
    leaseExpired: "-",
    accepted: "-",
    rejected: "-",
    rateLimited: "-",
    notSent: "-",
    unknown: "-",
    statusArrived: "accepted",
    markSent: "-",
  },
  claimed: {
    claim: "-",
    cancel: "cancelled",
    dispatch: "dispatching",
    leaseExpired: "queued",
    accepted: "-",
    rejected: "-",
    rateLimited: "-",
    notSent: "queued",
    unknown: "-",
    statusArrived: "accepted",
    markSent: "-",
  },
  dispatching: {
    claim: "-",
    cancel: "-",
    dispatch: "-",
    leaseExpired: "unknown",
    accepted: "accepted",
    rejected: "rejected",
    rateLimited: "queued",
    notSent: "queued",
    unknown: "unknown",
    statusArrived: "accepted",
    markSent: "-",
  },
  accepted: {
    claim: "-",
    cancel: "-",
    dispatch: "-",
    leaseExpired: "-",
    accepted: "-",
    rejected: "-",
    rateLimited: "-",
    notSent: "-",
    unknown: "-",
    statusArrived: "-",
    markSent: "-",
  },
  rejected: {
    claim: "-",
    cancel: "-",
    dispatch: "-",
    leaseExpired: "-",
    accepted: "-",
    rejected: "-",
    rateLimited: "-",
    notSent: "-",
    unknown: "-",
    statusArrived: "accepted",
    markSent: "-",
  },
  unknown: {
    claim: "-",
    cancel: "-",
    dispatch: "-",
    leaseExpired: "-",
    accepted: "accepted",
    rejected: "rejected",
    rateLimited: "rejected",
    notSent: "rejected",
    unknown: "-",
    statusArrived: "accepted",
    markSent: "markedSent",
  },
  markedSent: {
    claim: "-",
    cancel: "-",
    dispatch: "-",
    leaseExpired: "-",
    accepted: "accepted",
    rejected: "rejected",
    rateLimited: "rejected",
    notSent: "rejected",
    unknown: "-",
    statusArrived: "accepted",
    markSent: "-",
  },
  cancelled: {
    claim: "-",
    cancel: "-",
    dispatch: "-",
    leaseExpired: "-",
    accepted: "-",
    rejected: "-",
    rateLimited: "-",
    notSent: "-",
    unknown: "-",
    statusArrived: "accepted",
    markSent: "-",
  },
};

describe.each(SEND_STATES)("a send that is %s", (state) => {
  test.each(SEND_EVENTS)("meets %s as the table says", (event) => {
    expect(nextSendState(state, event) ?? "-").toBe(TABLE[state][event]);
  });
});

const run = (events: readonly SendEvent[], start: SendState = "queued"): SendState =>
  events.reduce<SendState>((state, event) => nextSendState(state, event) ?? state, start);

test("whatever happens, an unknown send is never queued again", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...SEND_EVENTS)), (events) => {
      expect(isSendSettled(run(events, "unknown"))).toBe(true);
    }),
  );
});

test("an accepted send stays accepted", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...SEND_EVENTS)), (events) => {
      expect(run(events, "accepted")).toBe("accepted");
    }),
  );
});

test("a worker that dies before it writes has sent nothing, one that dies later may have", () => {
  expect(run(["claim", "leaseExpired"])).toBe("queued");
  expect(run(["claim", "dispatch", "leaseExpired"])).toBe("unknown");
});
