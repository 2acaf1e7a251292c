import { ConvexClient } from "convex/browser";
import type { FunctionReturnType } from "convex/server";
import { ConvexError } from "convex/values";
import { isAppErrorData } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import type { Id } from "../../../convex/_generated/dataModel";
import type { Caller } from "../../server/caller";
import { serverEnv } from "../../server/env";
import { identityToken, mintIdentityToken } from "../../server/identity";
import { logError } from "../../server/log";

export type Change = FunctionReturnType<typeof api.mcpPush.changes>[number];
export type SessionState = FunctionReturnType<typeof api.mcpSessions.read>;

/** A place in the events of an account: what comes after it has not been told yet. */
export type Place = { accountId: Id<"accounts">; seq: number };

/** Why a caller's streams end: its credential is over, it means something else now, or the backend failed. */
export type EndReason = "revoked" | "changed" | "failed";

export type Listener = {
  /** The rights under which the stream was opened; null to take those of now. */
  rights: string | null;
  onChange: (accountId: Id<"accounts">, change: Change) => void;
  /** Something happened in the account between its place and now, and nobody can say any more what. */
  onGap: (accountId: Id<"accounts">) => void;
  onEnd: (reason: EndReason) => void;
};

export type Listening = {
  /** Hears of what happens in the account after the place. */
  follow: (place: Place) => void;
  /** Hears of what a session subscribes to, in whichever process it does so. */
  followSession: (sessionId: string, onState: (state: SessionState) => void) => void;
  stop: () => void;
};

type Tail = { seq: number; listeners: Set<Listener>; unsubscribe: () => void };

/** What one caller's streams in this process share: a connection to Convex and a subscription for each account. */
type Watch = { client: ConvexClient; listeners: Set<Listener>; tails: Map<Id<"accounts">, Tail> };

const watches = new Map<string, Watch>();

/**
 * Listens to the backend for a caller. Each look at the events is made under the caller's own identity, so what it may
 * not read does not arrive here; and it works with every backend and with any number of processes like this one.
 */
export function listen(caller: Caller, listener: Listener): Listening {
  const watch = watches.get(caller.principal) ?? openWatch(caller);
  watch.listeners.add(listener);
  const stops: (() => void)[] = [];
  return {
    follow: (place) => {
      const tail = watch.tails.get(place.accountId) ?? openTail(watch, place);
      tail.listeners.add(listener);
      if (tail.seq > place.seq) listener.onGap(place.accountId);
    },
    followSession: (sessionId, onState) => {
      const onError = (error: unknown) => endBy(watch, error);
      stops.push(watch.client.onUpdate(api.mcpSessions.read, { sessionId }, onState, onError));
    },
    stop: () => {
      watch.listeners.delete(listener);
      for (const stop of stops) stop();
      for (const [accountId, tail] of watch.tails) {
        tail.listeners.delete(listener);
        if (tail.listeners.size > 0) continue;
        tail.unsubscribe();
        watch.tails.delete(accountId);
      }
      if (watch.listeners.size === 0) closeWatch(caller.principal, watch);
    },
  };
}

/** Connections to Convex that this process listens on: one for each caller with a stream or a waiting call. */
export const openWatchCount = (): number => watches.size;

function openWatch({ principal, identity }: Caller): Watch {
  const client = new ConvexClient(serverEnv().NEXT_PUBLIC_CONVEX_URL, {
    skipConvexDeploymentUrlCheck: true,
    unsavedChangesWarning: false,
    logger: false,
  });
  client.setAuth(async ({ forceRefreshToken }) =>
    forceRefreshToken ? (await mintIdentityToken(identity)).token : await identityToken(identity),
  );
  const watch: Watch = { client, listeners: new Set(), tails: new Map() };
  watches.set(principal, watch);
  client.onUpdate(
    api.mcpPush.rights,
    {},
    (rights) => {
      for (const listener of [...watch.listeners]) {
        listener.rights ??= rights;
        if (listener.rights !== rights) listener.onEnd("changed");
      }
    },
    (error) => endBy(watch, error),
  );
  return watch;
}

function closeWatch(principal: string, watch: Watch): void {
  if (watches.get(principal) === watch) watches.delete(principal);
  watch.client.close().catch((error: unknown) => logError("mcp push", error));
}

/** Follows the events of an account: each look starts where the one before it ended, so none is told twice or lost. */
function openTail(watch: Watch, { accountId, seq }: Place): Tail {
  const tail: Tail = { seq, listeners: new Set(), unsubscribe: () => undefined };
  const look = () => {
    tail.unsubscribe = watch.client.onUpdate(
      api.mcpPush.changes,
      { accountId, after: tail.seq },
      (changes) => {
        const last = changes.at(-1);
        if (last === undefined || last.seq <= tail.seq) return;
        tail.seq = last.seq;
        for (const change of changes) {
          for (const listener of [...tail.listeners]) listener.onChange(accountId, change);
        }
        tail.unsubscribe();
        if (watch.tails.get(accountId) === tail) look();
      },
      (error) => endBy(watch, error),
    );
  };
  watch.tails.set(accountId, tail);
  look();
  return tail;
}

/** The backend refused a look: the credential is over, or something is wrong that reconnecting may cure. */
function endBy(watch: Watch, error: unknown): void {
  const data: unknown = error instanceof ConvexError ? error.data : undefined;
  const revoked = isAppErrorData(data) && data.code === "unauthorized";
  if (!revoked) logError("mcp push", error);
  for (const listener of [...watch.listeners]) listener.onEnd(revoked ? "revoked" : "failed");
}
