import { setImmediate as nextTurn } from "node:timers/promises";
import type { Database, Identity, Timestamp } from "../types";
import type { Target } from "./client-messages";
import { encodeQueryChange, encodeQueryRemoved } from "./server-messages";
import {
  holdsAt,
  identityKey,
  type SharedQueries,
  type SharedResult,
  type Subscription,
  targetKey,
} from "./shared-queries";

type LiveQuery = {
  readonly queryId: number;
  readonly target: Target;
  readonly targetKey: string;
  /** Of the newest result, so that a rerun shows the same page; first the one that the client brought. */
  journal: string | null;
  result: SharedResult | null;
  /** What the client has; an equal result is not sent again. */
  sentText: string | null;
  /** One function per query: a shared result tells its subscribers apart by it. */
  readonly onStale: () => void;
};

export type Cut = {
  /** All results hold at this time. */
  ts: Timestamp;
  changes: string[];
};

export interface QuerySet {
  add(queryId: number, target: Target, journal: string | null): void;
  remove(queryId: number): void;
  /** All queries run again, unless the newcomer is the same to a function: a token that was renewed. */
  changeIdentity(identity: Identity): void;
  /**
   * Brings every query to one common time, not before `notBefore`, and answers what changed since the last cut.
   * @param yieldFirst lets an answer that is about to be sent go ahead of the cut that shows its effect
   */
  cut(notBefore: Timestamp, yieldFirst: () => boolean): Promise<Cut>;
  close(): void;
}

/**
 * The queries of one socket. `onStale` is called when at least one result no longer holds, so that a cut is worth
 * asking for.
 */
export function createQuerySet(shared: SharedQueries, database: Database, onStale: () => void): QuerySet {
  const queries = new Map<number, LiveQuery>();
  const removed: number[] = [];
  let identity: Identity = { kind: "none" };
  let key = identityKey(identity);
  let closed = false;

  const drop = (query: LiveQuery) => {
    if (query.result !== null) {
      shared.release(query.result, query.onStale);
      query.result = null;
    }
  };

  const subscriptionOf = ({ target, targetKey, journal, onStale }: LiveQuery): Subscription => ({
    target,
    targetKey,
    journal,
    identity,
    identityKey: key,
    onStale,
  });

  const mustRest = (query: LiveQuery): boolean =>
    query.result?.staleTs !== null && shared.isResting(subscriptionOf(query));

  const freshen = async (query: LiveQuery, ts: Timestamp): Promise<SharedResult | null> => {
    if (query.result !== null && holdsAt(query.result, ts)) {
      return query.result;
    }
    drop(query);
    const result = await shared.acquire(subscriptionOf(query), ts);
    if (result === null) {
      return null;
    }
    if (closed) {
      shared.release(result, query.onStale);
    }
    query.result = result;
    // A run that failed before it came to its page must not make the next one begin a new page.
    query.journal = result.journal ?? query.journal;
    return result;
  };

  const changes = (): string[] => {
    const list = removed.splice(0).map(encodeQueryRemoved);
    for (const query of queries.values()) {
      if (query.result !== null && query.result.text !== query.sentText) {
        query.sentText = query.result.text;
        list.push(encodeQueryChange(query.queryId, query.result.text, query.journal));
      }
    }
    return list;
  };

  return {
    add(queryId, target, journal) {
      queries.set(queryId, {
        queryId,
        target,
        targetKey: targetKey(target),
        journal,
        result: null,
        sentText: null,
        onStale: () => onStale(),
      });
    },
    remove(queryId) {
      const query = queries.get(queryId);
      if (query !== undefined) {
        drop(query);
        queries.delete(queryId);
        removed.push(queryId);
      }
    },
    changeIdentity(next) {
      const nextKey = identityKey(next);
      identity = next;
      if (nextKey !== key) {
        key = nextKey;
        for (const query of queries.values()) {
          drop(query);
        }
      }
    },
    async cut(notBefore, yieldFirst) {
      for (;;) {
        if ([...queries.values()].some(mustRest)) {
          await shared.rested();
        }
        const moment = database.latestTs;
        const results = await Promise.all([...queries.values()].map((query) => freshen(query, moment)));
        if (!results.every((result) => result !== null)) {
          continue; // One of them ran for another moment; by now there is a newer one for all.
        }
        if (yieldFirst()) {
          await nextTurn();
        }
        // From here to the end nothing awaits: no commit can come in between.
        const ts = commonTs(results, database.latestTs);
        if (ts >= notBefore) {
          return { ts, changes: changes() };
        }
      }
    },
    close() {
      closed = true;
      for (const query of queries.values()) {
        drop(query);
      }
      queries.clear();
    },
  };
}

/**
 * The newest time at which all results hold, or -1 when there is none, as after new code was pushed: then they run again.
 * A result holds from its own `ts` until just before the commit that touched what it read.
 */
export function commonTs(results: readonly SharedResult[], latestTs: Timestamp): Timestamp {
  let from = 0n;
  let to = latestTs;
  for (const { ts, staleTs } of results) {
    from = ts > from ? ts : from;
    to = staleTs !== null && staleTs - 1n < to ? staleTs - 1n : to;
  }
  return from <= to ? to : -1n;
}
