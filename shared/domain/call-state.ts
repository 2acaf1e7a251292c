/** What Meta told about a call; several of these, in any order, make up one call. */
export interface CallFact {
  /** `connect`, `terminate`, `status`, ... */
  readonly event: string;
  /** `RINGING`, `ACCEPTED`, `REJECTED`, `COMPLETED`, `FAILED`. */
  readonly status?: string;
  readonly timestamp: number;
  readonly durationSeconds?: number;
}

export interface CallState {
  readonly state: "ringing" | "accepted" | "ended";
  readonly result?: string;
  readonly durationSeconds?: number;
}

/** The call as it is after all that was told: it only ever goes on, whatever order the webhooks come in. */
export function callState(facts: readonly CallFact[]): CallState {
  const ends = facts.filter(isEnd).sort((a, b) => a.timestamp - b.timestamp);
  const accepted = facts.some(({ status }) => status === "ACCEPTED");
  const result = ends.find(({ status }) => status !== undefined)?.status;
  const durations = facts.flatMap(({ durationSeconds }) => durationSeconds ?? []);
  return {
    state: ends.length > 0 ? "ended" : accepted ? "accepted" : "ringing",
    ...(result !== undefined && { result }),
    ...(durations.length > 0 && { durationSeconds: Math.max(...durations) }),
  };
}

function isEnd({ event, status }: CallFact): boolean {
  return event === "terminate" || status === "REJECTED" || status === "FAILED" || status === "COMPLETED";
}
