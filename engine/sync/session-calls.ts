import type { Call, Identity, Timestamp } from "../types";
import type { ClientMessage } from "./client-messages";
import { encodeActionResponse, encodeMutationResponse } from "./server-messages";
import type { Line, SessionParts } from "./session";

/** Mutations that wait for their turn, and actions in flight, per socket (Convex: 1,000 each). */
const CALLS_MAX = 1_000;

export type CallMessage = Extract<ClientMessage, { kind: "call" }>;
type PendingCall = CallMessage & { identity: Identity };

export type CallEvents = {
  /** A response was sent; a Transition at or after `ts` is due. */
  answered(ts: Timestamp): void;
  /** Too much is waiting; `code` is the reason that the socket closes with. */
  overloaded(code: string): void;
  failed(error: unknown): void;
};

export interface SessionCalls {
  /** Runs after the mutations before it, one at a time. A repeated request is answered from its first run. */
  mutate(sessionId: string, call: CallMessage, identity: Identity): void;
  /** Runs at once, beside others. */
  act(call: CallMessage, identity: Identity): void;
  /** Whether a mutation is running, whose commit may be visible before its answer is out. */
  readonly mutating: boolean;
  /** Drops what waits. What runs ends by itself, unanswered. */
  close(): void;
}

/** The mutations and actions of one socket. */
export function createSessionCalls(parts: SessionParts, line: Line, events: CallEvents): SessionCalls {
  const { database, functions } = parts;
  const mutations: PendingCall[] = [];
  let mutating = false;
  let actionsRunning = 0;
  let isClosed = false;

  const callOf = ({ target, identity }: PendingCall): Call => ({
    ...target,
    identity,
    requestId: parts.requestId(),
    caller: {
      ...(line.ip === undefined ? {} : { ip: line.ip }),
      ...(line.userAgent === undefined ? {} : { userAgent: line.userAgent }),
    },
  });

  const shownLogs = (identity: Identity, logLines: string[]): string[] =>
    parts.redactErrors && identity.kind !== "admin" ? [] : logLines;

  const answer = (text: string, ts: Timestamp) => {
    if (!isClosed) {
      line.send(text);
      events.answered(ts);
    }
  };

  const runMutations = async (sessionId: string) => {
    mutating = true;
    try {
      for (let call = mutations.shift(); call !== undefined; call = mutations.shift()) {
        const once = { sessionId, requestId: call.requestId };
        const { outcome, logLines, ...run } = await functions.mutation(callOf(call), { once });
        const ts = run.ts ?? database.latestTs;
        answer(encodeMutationResponse(call.requestId, outcome, ts, shownLogs(call.identity, logLines)), ts);
      }
    } catch (error) {
      events.failed(error);
    } finally {
      mutating = false;
    }
  };

  const runAction = async (call: PendingCall) => {
    actionsRunning++;
    try {
      const { outcome, logLines } = await functions.action(callOf(call));
      const text = encodeActionResponse(call.requestId, outcome, shownLogs(call.identity, logLines));
      answer(text, database.latestTs);
    } catch (error) {
      events.failed(error);
    } finally {
      actionsRunning--;
    }
  };

  return {
    mutate(sessionId, call, identity) {
      if (mutations.length >= CALLS_MAX) {
        events.overloaded("TooManyConcurrentMutations");
        return;
      }
      mutations.push({ ...call, identity });
      if (!mutating) {
        void runMutations(sessionId);
      }
    },
    act(call, identity) {
      if (actionsRunning >= CALLS_MAX) {
        events.overloaded("TooManyConcurrentRequests");
        return;
      }
      void runAction({ ...call, identity });
    },
    get mutating() {
      return mutating;
    },
    close() {
      isClosed = true;
      mutations.length = 0;
    },
  };
}
