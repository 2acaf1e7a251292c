import { setImmediate as nextTurn } from "node:timers/promises";
import type { Authenticator } from "../auth/authenticator";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Database, Functions, Identity, Timestamp } from "../types";
import { type ClientMessage, type Credential, parseClientMessage, type QueryChange } from "./client-messages";
import { createQuerySet } from "./query-set";
import {
  chunkTransition,
  encodeAuthError,
  encodeFatalError,
  encodeTransition,
  type StateVersion,
} from "./server-messages";
import { type CallMessage, createSessionCalls } from "./session-calls";
import type { SharedQueries } from "./shared-queries";

/** Messages that wait while a token is being verified. */
const INBOX_MAX = 10_000;
/** Queries that one socket may subscribe to. A large page holds some hundreds. */
const QUERIES_MAX = 10_000;
/** Transitions that are on their way. With this many unsent a slow client waits, and then gets one newest state. */
const UNSENT_TRANSITIONS_MAX = 2;

/** Close codes of RFC 6455, 7.4.1 with the meaning that the Convex clients give them. */
const CLOSE_NORMAL = 1000;
const CLOSE_PROTOCOL_ERROR = 1002;
const CLOSE_INTERNAL_ERROR = 1011;
const CLOSE_TRY_LATER = 1013;

export type SessionParts = {
  database: Database;
  functions: Functions;
  queries: SharedQueries;
  auth: Authenticator;
  clock: Clock;
  requestId: () => string;
  redactErrors: boolean;
  log: (line: string) => void;
};

/** The socket as a session needs it. `sent` is called when the text has left the process or cannot any more. */
export type Line = {
  send(text: string, sent?: () => void): void;
  close(code: number, reason: string): void;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
  /** Whether the client puts a TransitionChunk together again (since 1.28). */
  readonly understandsChunks: boolean;
};

export interface Session {
  /** One text frame from the client. */
  receive(text: string): void;
  /** The socket is gone: what waits is dropped, what runs ends by itself. */
  closed(): void;
}

/** A message that only a broken client sends: it is told why and does not come back. */
class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** One client of the sync protocol: its versions, its queries, and its mutations one at a time in order. */
export function createSession(parts: SessionParts, line: Line): Session {
  const { database, clock } = parts;
  const inbox: string[] = [];
  const queryIds = new Set<number>();
  let receiving = false;
  let updating = false;
  let isClosed = false;
  let unsentTransitions = 0;
  let transitionCount = 0;

  let sessionId: string | null = null;
  let clockSkewMs: number | null = null;
  let identity: Identity = { kind: "none" };
  /** What the client asked for, and what it was sent. */
  const asked = { querySet: 0, identity: 0 };
  let sent: StateVersion = { querySet: 0, identity: 0, ts: 0n };
  const queryChanges: QueryChange[] = [];
  /** A Transition is wanted; it is owed even without news when a call was answered, not before `owedTs`. */
  let wanted = false;
  let owed = false;
  let owedTs: Timestamp = 0n;

  const querySet = createQuerySet(parts.queries, database, () => want());
  const calls = createSessionCalls(parts, line, {
    answered(ts) {
      owed = true;
      owedTs = ts > owedTs ? ts : owedTs;
      want();
    },
    overloaded: (code) => end(CLOSE_TRY_LATER, code),
    failed: (error) => fail(error),
  });

  const end = (code: number, reason: string) => {
    if (!isClosed) {
      isClosed = true;
      inbox.length = 0;
      calls.close();
      querySet.close();
      line.close(code, reason);
    }
  };

  const fail = (error: unknown) => {
    if (isClosed) {
      return;
    }
    if (error instanceof ProtocolError) {
      line.send(encodeFatalError(error.message));
      end(CLOSE_PROTOCOL_ERROR, "ProtocolError");
    } else if (error instanceof EngineError && (error.kind === "overloaded" || error.kind === "conflict")) {
      end(CLOSE_TRY_LATER, error.code);
    } else {
      parts.log(`A client was disconnected: ${error instanceof Error ? error.stack : String(error)}`);
      end(CLOSE_INTERNAL_ERROR, "InternalServerError");
    }
  };

  const refuseIdentity = (message: string, authUpdateAttempted: boolean) => {
    line.send(encodeAuthError(message, asked.identity, authUpdateAttempted));
    end(CLOSE_NORMAL, "AuthError");
  };

  /** Whether the caller may go on; ends the session when the token has run out. */
  const stillValid = (who: Identity): boolean => {
    if (who.kind === "user" && clock.nowMs() >= who.expiresAtMs) {
      refuseIdentity("Could not validate token: Token expired", false);
    }
    return !isClosed;
  };

  // ------------------------------------------------------------ client to server

  const receiveAll = async () => {
    receiving = true;
    try {
      for (let text = inbox.shift(); text !== undefined; text = inbox.shift()) {
        await handle(read(text));
      }
    } catch (error) {
      fail(error);
    } finally {
      receiving = false;
    }
  };

  const handle = async (message: ClientMessage): Promise<void> => {
    if (message.kind === "connect") {
      return connect(message);
    }
    if (sessionId === null) {
      throw new ProtocolError("The first message must be Connect.");
    }
    switch (message.kind) {
      case "authenticate":
        return authenticate(message.baseVersion, message.credential);
      case "modifyQuerySet":
        return modifyQuerySet(message);
      case "call":
        return call(sessionId, message);
      case "event":
        return; // Client metrics, of no use to anybody here.
    }
  };

  const connect = (message: Extract<ClientMessage, { kind: "connect" }>) => {
    if (sessionId !== null) {
      throw new ProtocolError("Connect was sent twice.");
    }
    sessionId = message.sessionId;
    clockSkewMs = message.clientTsMs === null ? null : message.clientTsMs - clock.nowMs();
    if (message.maxObservedTs !== null && message.maxObservedTs > database.latestTs) {
      // Serving it would take back what it has seen. Another data directory is behind this address now.
      throw new Error(
        `a client has seen timestamp ${message.maxObservedTs}, later than the newest one here, ${database.latestTs}`,
      );
    }
  };

  const authenticate = async (baseVersion: number, credential: Credential) => {
    if (baseVersion !== asked.identity) {
      throw new ProtocolError(
        `BaseVersionMismatch: the identity is at version ${asked.identity}, not ${baseVersion}.`,
      );
    }
    try {
      const next = await identify(parts.auth, credential);
      if (!isClosed) {
        identity = next;
        asked.identity++;
        want();
      }
    } catch (error) {
      if (error instanceof EngineError && error.kind === "unauthorized") {
        refuseIdentity(error.message, true);
        return;
      }
      throw error;
    }
  };

  const modifyQuerySet = (message: Extract<ClientMessage, { kind: "modifyQuerySet" }>) => {
    if (message.baseVersion !== asked.querySet || message.newVersion <= message.baseVersion) {
      throw new ProtocolError(
        `BaseVersionMismatch: the query set is at version ${asked.querySet}, not ${message.baseVersion}.`,
      );
    }
    for (const change of message.changes) {
      if (change.kind === "add" ? queryIds.has(change.queryId) : !queryIds.delete(change.queryId)) {
        throw new ProtocolError(
          `Query ${change.queryId} cannot be ${change.kind === "add" ? "added twice" : "removed"}.`,
        );
      }
      if (change.kind === "add") {
        queryIds.add(change.queryId);
      }
    }
    if (queryIds.size > QUERIES_MAX) {
      throw new ProtocolError(`One client may subscribe to at most ${QUERIES_MAX} queries.`);
    }
    asked.querySet = message.newVersion;
    queryChanges.push(...message.changes);
    want();
  };

  /** The call is made for who the client is now, whenever its turn comes. */
  const call = (session: string, message: CallMessage) => {
    if (!stillValid(identity)) {
      return;
    }
    if (message.of === "mutation") {
      calls.mutate(session, message, identity);
    } else {
      calls.act(message, identity);
    }
  };

  // ------------------------------------------------------------ server to client

  const want = () => {
    wanted = true;
    if (!updating && !isClosed) {
      void updateWhileWanted();
    }
  };

  const updateWhileWanted = async () => {
    updating = true;
    try {
      while (wanted && !isClosed && unsentTransitions < UNSENT_TRANSITIONS_MAX) {
        wanted = false;
        // Messages that came together, and commits that were published together, make one Transition.
        await nextTurn();
        await update();
      }
    } catch (error) {
      fail(error);
    } finally {
      updating = false;
    }
  };

  const update = async () => {
    if (isClosed || !stillValid(identity)) {
      return;
    }
    const target = { ...asked };
    const isOwed = owed;
    owed = false;
    for (const change of queryChanges.splice(0)) {
      if (change.kind === "add") {
        querySet.add(change.queryId, change.target, change.journal);
      } else {
        querySet.remove(change.queryId);
      }
    }
    if (target.identity !== sent.identity) {
      querySet.changeIdentity(identity);
    }
    const notBefore = owedTs > sent.ts ? owedTs : sent.ts;
    const cut = await querySet.cut(notBefore, () => calls.mutating);
    const moved = target.querySet !== sent.querySet || target.identity !== sent.identity;
    if (!isClosed && (moved || isOwed || cut.changes.length > 0)) {
      sendTransition({ ...target, ts: cut.ts }, cut.changes);
    }
  };

  const sendTransition = (next: StateVersion, changes: string[]) => {
    const transition = encodeTransition(sent, next, changes, clockSkewMs, clock.nowMs());
    sent = next;
    unsentTransitions++;
    const parts = line.understandsChunks
      ? chunkTransition(transition, String(transitionCount++))
      : [transition];
    parts.forEach((part, n) => {
      line.send(part, n === parts.length - 1 ? transitionSent : undefined);
    });
  };

  const transitionSent = () => {
    unsentTransitions--;
    if (wanted) {
      want();
    }
  };

  return {
    receive(text) {
      if (isClosed) {
        return;
      }
      if (inbox.length >= INBOX_MAX) {
        end(CLOSE_TRY_LATER, "TooManyConcurrentRequests");
        return;
      }
      inbox.push(text);
      if (!receiving) {
        void receiveAll();
      }
    },
    closed: () => end(CLOSE_NORMAL, ""),
  };
}

function read(text: string): ClientMessage {
  try {
    return parseClientMessage(text);
  } catch (error) {
    if (error instanceof EngineError && error.kind === "developer") {
      throw new ProtocolError(error.message);
    }
    throw error;
  }
}

async function identify(auth: Authenticator, credential: Credential): Promise<Identity> {
  switch (credential.kind) {
    case "none":
      return { kind: "none" };
    case "user":
      return auth.user(credential.token);
    case "admin":
      return auth.admin(credential.key, credential.actingAs);
  }
}
