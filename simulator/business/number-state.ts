import type { NumberState } from "../world";

/** The state of a new number: what the start state's number has already been through. */
export function freshNumberState(): NumberState {
  return {
    status: "PENDING",
    codeVerification: "NOT_VERIFIED",
    nameStatus: "PENDING_REVIEW",
    quality: "UNKNOWN",
    tier: "TIER_250",
    throughput: "STANDARD",
    pin: null,
    codeAsked: false,
    pinGuesses: 0,
    pinLockedUntil: 0,
    registeredAt: [],
    maintenanceUntil: 0,
    username: null,
    profile: {},
    blocked: new Set(),
  };
}
