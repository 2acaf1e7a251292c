import { expect, it } from "vitest";
import { type CallFact, callState } from "./call-state";

const connect: CallFact = { event: "connect", timestamp: 1 };
const ringing: CallFact = { event: "status", status: "RINGING", timestamp: 2 };
const accepted: CallFact = { event: "status", status: "ACCEPTED", timestamp: 3 };
const ended: CallFact = { event: "terminate", status: "COMPLETED", timestamp: 9, durationSeconds: 6 };
const rejected: CallFact = { event: "status", status: "REJECTED", timestamp: 4 };

it.each([
  ["rings from the first word on", [connect], { state: "ringing" }],
  ["rings until somebody answers", [connect, ringing], { state: "ringing" }],
  ["is accepted", [connect, ringing, accepted], { state: "accepted" }],
  [
    "is over, with its length",
    [connect, accepted, ended],
    { state: "ended", result: "COMPLETED", durationSeconds: 6 },
  ],
  ["is over when rejected", [connect, rejected], { state: "ended", result: "REJECTED" }],
])("a call %s, whatever order its webhooks come in", (_, facts, expected) => {
  expect(callState(facts)).toEqual(expected);
  expect(callState([...facts].reverse())).toEqual(expected);
  expect(callState([...facts, ...facts])).toEqual(expected);
});
