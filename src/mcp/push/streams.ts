import type { Id } from "../../../convex/_generated/dataModel";
import { AppError } from "../../server/app-error";
import type { Caller } from "../../server/caller";
import type { ResourceUri } from "../resources/uris";
import { pacedNotices } from "./paced";
import { type Change, type EndReason, listen, type Place, type SessionState } from "./watch";

/** Streams of this process. Each is an open connection; a thousand of them were told of a change within 50 ms. */
const STREAMS_MAX = 1_000;

/** Streams of one caller: several clients with one key, and what they left open when they reconnected. */
const STREAMS_OF_CALLER_MAX = 50;

export type StreamOptions = {
  caller: Caller;
  /** The rights under which it is opened; null to take those of now. */
  rights: string | null;
  /** Tells the reader about one resource; called only when the reader asked for more. */
  write: (uri: string) => void;
  /**
   * Ends the stream towards the reader: `final` when coming back is of no use, otherwise the reader shall come back and
   * read again.
   */
  close: (final: boolean) => void;
};

export type PushStream = {
  /** Tells about the resource from its places in the events on. */
  subscribe: (uri: string, target: ResourceUri, places: readonly Place[]) => void;
  unsubscribe: (uri: string) => void;
  /** Tells about the resource once without a change of it being known. */
  mark: (uri: string) => void;
  followSession: (sessionId: string, onState: (state: SessionState) => void) => void;
  asked: () => void;
  busy: () => void;
  isReady: () => boolean;
  /** The reader is gone; nothing is written any more. */
  stop: () => void;
};

type Subscription = { target: ResourceUri; accountIds: ReadonlySet<Id<"accounts">> };

const open = new Map<PushStream, { principal: string; close: (final: boolean) => void }>();

/**
 * Opens a stream of notices for one reader. Who opens it has to call `asked` whenever the reader wants more.
 * @throws AppError `rate_limited` when the caller or the process has too many
 */
export function openStream({ caller, rights, write, close }: StreamOptions): PushStream {
  requireRoom(caller.principal);
  const subscriptions = new Map<string, Subscription>();
  const notices = pacedNotices(write);
  const end = (final: boolean) => {
    if (!open.delete(stream)) return;
    listening.stop();
    close(final);
  };
  const listening = listen(caller, {
    rights,
    onChange: (accountId, change) => {
      for (const [uri, { target, accountIds }] of subscriptions) {
        if (accountIds.has(accountId) && concerns(change, target)) notices.mark(uri);
      }
      if (notices.isStalled()) end(false);
    },
    onGap: (accountId) => {
      for (const [uri, { accountIds }] of subscriptions) if (accountIds.has(accountId)) notices.mark(uri);
    },
    onEnd: (reason: EndReason) => end(reason === "revoked"),
  });
  const stream: PushStream = {
    subscribe: (uri, target, places) => {
      subscriptions.set(uri, { target, accountIds: new Set(places.map(({ accountId }) => accountId)) });
      for (const place of places) listening.follow(place);
    },
    unsubscribe: (uri) => {
      subscriptions.delete(uri);
      notices.forget(uri);
    },
    mark: notices.mark,
    followSession: listening.followSession,
    asked: notices.asked,
    busy: notices.busy,
    isReady: notices.isReady,
    stop: () => {
      if (open.delete(stream)) listening.stop();
    },
  };
  open.set(stream, { principal: caller.principal, close: end });
  drainOnShutdown();
  return stream;
}

/** Ends every stream of this process; the readers come back, to another process or to the next one here. */
export function closeAllStreams(): void {
  for (const { close } of [...open.values()]) close(false);
}

export const openStreamCount = (): number => open.size;

function requireRoom(principal: string): void {
  const own = [...open.values()].filter((stream) => stream.principal === principal).length;
  if (own < STREAMS_OF_CALLER_MAX && open.size < STREAMS_MAX) return;
  throw AppError.of("rate_limited", { say: "Too many streams are open. Close one, then try again." });
}

let isDraining = false;

/** An open stream would keep a server that was asked to end from ending. */
function drainOnShutdown(): void {
  if (isDraining) return;
  isDraining = true;
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, closeAllStreams);
}

/** Whether a change of the account changes what reading the resource gives. */
function concerns({ type, conversationId, messageId }: Change, { kind, ref }: ResourceUri): boolean {
  switch (kind) {
    case "messages":
      return type.startsWith("message.");
    case "conversation":
      return conversationId === ref;
    case "media":
      return messageId === ref && type.startsWith("message.media.");
    case "templates":
      return type === "template.updated";
    case "accounts":
      return type === "account.updated";
    case "policy":
      return false;
  }
}
