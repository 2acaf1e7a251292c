import { setImmediate as nextTurn } from "node:timers/promises";
import { EngineError } from "../errors";
import { CONCURRENT_QUERIES_MAX } from "../functions/limits";
import { Places } from "../functions/places";
import { canonicalJson } from "../json";
import type { Call, Database, Identity, QueryRun, Timestamp, Watch } from "../types";
import type { Target } from "./client-messages";
import { createRests } from "./rests";
import { encodeResult } from "./server-messages";

/** A result that read the clock is not given to new subscribers when it is older (Convex's cache: about 17 s). */
const CLOCK_RESULT_AGE_MS_MAX = 17_000;
/** Functions whose use of the identity is remembered. Names come from clients, so that the list needs an end. */
const HINTS_MAX = 10_000;

/** One run of a query: what it answered and for which time that holds. */
export type SharedResult = {
  /** Serialized value or failure with its log lines; equal text is an equal result. */
  readonly text: string;
  readonly journal: string | null;
  /** The result holds from here ... */
  readonly ts: Timestamp;
  /** ... until before here; null while nothing has touched what it read. */
  staleTs: Timestamp | null;
};

export type Subscription = {
  target: Target;
  /** From `targetKey`; made once per query, because every commit may ask for it again. */
  targetKey: string;
  journal: string | null;
  identity: Identity;
  /** From `identityKey`; made once per socket and identity. */
  identityKey: string;
  /** Hears once that the result it got no longer holds. */
  onStale: () => void;
};

export interface SharedQueries {
  /**
   * The result of a query that holds at `ts`, from a run that equal subscriptions share: a new run starts only when
   * none is held or in flight. Null when it cannot be had at that time: choose a newer one, after the rest if the query
   * rests. Call `release` when it is no longer wanted. Throws what running the query throws.
   */
  acquire(subscription: Subscription, ts: Timestamp): Promise<SharedResult | null>;
  release(result: SharedResult, onStale: () => void): void;
  /**
   * Whether the query ran a moment ago, nothing of that run can be had any more, and it has to wait for `rested` before
   * it runs again: so a storm of writes does not become a storm of runs.
   */
  isResting(subscription: Subscription): boolean;
  /** Resolves when the queries that rest now may run again; for all who wait at the same moment. */
  rested(): Promise<void>;
  /** Every result becomes void: the code or a variable changed. */
  invalidateAll(): void;
  /** Runs since the start; the measure of needless work. */
  readonly runs: number;
}

export type SharedQueriesOptions = {
  database: Database;
  run: (call: Call, options: { journal: string | null; ts: Timestamp }) => Promise<QueryRun>;
  requestId: () => string;
  /** Console lines are for administrators only. */
  redactErrors: boolean;
};

/** What makes two identities the same to a function: all that it can see of them. */
export const identityKey = (identity: Identity): string =>
  canonicalJson(identity.kind === "user" ? { user: identity.attributes } : { ...identity });

/** What makes two calls the same, whatever the order of their arguments' fields. */
export const targetKey = ({ component, path, args }: Target): string =>
  canonicalJson([component, path, args]);

type Entry = SharedResult & {
  /** Null: the function did not ask who is calling, so that everybody may have the result. */
  readonly identityKey: string | null;
  readonly finishedAtMs: number;
  readonly usedClock: boolean;
  watch: Watch | null;
};

/** The place of a run and of its result later on, under the key by which equal subscriptions find it. */
type Place = { key: string; entry: Entry | null; readonly subscribers: Set<() => void> };
/** `finished` gives null when the state that the run was to read is no longer kept. */
type Slot = Place & { readonly finished: Promise<Entry | null> };

/** Whether a result is right for the moment `ts`. */
export const holdsAt = ({ ts: from, staleTs }: SharedResult, ts: Timestamp): boolean =>
  from <= ts && (staleTs === null || ts < staleTs);

export function createSharedQueries(options: SharedQueriesOptions): SharedQueries {
  const { database } = options;
  /** Where new subscribers look. A result that is not listed any more stays with those who have it. */
  const slots = new Map<string, Slot>();
  /** Results with a watch, listed or not. */
  const watched = new Set<Place>();
  const placeOf = new WeakMap<SharedResult, Place>();
  /** By function: whether its last run left the identity alone. */
  const ignoresIdentity = new Map<string, boolean>();
  const rests = createRests(database.clock);
  /** Sockets bring thousands of queries at once when they reconnect. They wait here, where no line is too long. */
  const places = new Places("subscribed queries", CONCURRENT_QUERIES_MAX, Number.POSITIVE_INFINITY);
  let generation = 0;
  let runs = 0;

  const remember = (functionKey: string, ignores: boolean) => {
    if (ignoresIdentity.size >= HINTS_MAX) {
      ignoresIdentity.clear();
    }
    ignoresIdentity.set(functionKey, ignores);
  };

  const unlist = (place: Place) => {
    if (slots.get(place.key) === place) {
      slots.delete(place.key);
    }
  };

  /** Moves a run to the key that fits what it turned out to use, unless another run is there already. */
  const relist = (place: Place, key: string) => {
    const slot = slots.get(place.key);
    if (slot === place && slot.key !== key) {
      unlist(slot);
      slot.key = key;
      rests.begin(key);
      if (!slots.has(key)) {
        slots.set(key, slot);
      }
    }
  };

  const stopWatching = (place: Place, entry: Entry) => {
    unlist(place);
    watched.delete(place);
    entry.watch?.close();
    entry.watch = null;
  };

  const dropIfUnused = (place: Place, entry: Entry) => {
    if (place.subscribers.size === 0) {
      stopWatching(place, entry);
    }
  };

  const markStale = (place: Place, entry: Entry, ts: Timestamp) => {
    entry.staleTs ??= ts;
    stopWatching(place, entry);
    const listeners = [...place.subscribers];
    place.subscribers.clear();
    for (const listener of listeners) {
      listener();
    }
  };

  const runAt = async (subscription: Subscription, ts: Timestamp): Promise<QueryRun | null> => {
    const { target, identity, journal } = subscription;
    const leave = await places.take();
    runs++;
    try {
      return await options.run({ ...target, identity, requestId: options.requestId() }, { journal, ts });
    } catch (error) {
      if (error instanceof EngineError && error.code === "SnapshotExpired") {
        return null;
      }
      throw error;
    } finally {
      leave();
    }
  };

  const finish = async (
    place: Place,
    subscription: Subscription,
    baseKey: string,
    ts: Timestamp,
  ): Promise<Entry | null> => {
    const { target, identity } = subscription;
    const startedIn = generation;
    const run = await runAt(subscription, ts);
    if (run === null) {
      unlist(place);
      return null;
    }
    const showLogs = !options.redactErrors || identity.kind === "admin";
    const entry: Entry = {
      text: encodeResult(run.outcome, showLogs ? run.logLines : []),
      journal: run.journal,
      ts: run.ts,
      staleTs: null,
      identityKey: run.usedIdentity ? subscription.identityKey : null,
      finishedAtMs: database.clock.nowMs(),
      usedClock: run.usedClock,
      watch: null,
    };
    place.entry = entry;
    placeOf.set(entry, place);
    remember(functionKeyOf(target), !run.usedIdentity);
    relist(place, run.usedIdentity ? baseKey + subscription.identityKey : baseKey);
    if (startedIn !== generation) {
      markStale(place, entry, 0n);
      return entry;
    }
    watched.add(place);
    entry.watch = database.watch(run.reads, run.ts, (ts) => markStale(place, entry, ts));
    if (database.latestTs > run.ts) {
      // A commit may have come in between; the watch tells by the next turn, before anybody relies on the result.
      await nextTurn();
    }
    return entry;
  };

  /** Where a run of this subscription is expected to belong, judging by the last run of the function. */
  const startKey = ({ target, identityKey }: Subscription, baseKey: string): string =>
    ignoresIdentity.get(functionKeyOf(target)) === true ? baseKey : baseKey + identityKey;

  const start = (subscription: Subscription, baseKey: string, ts: Timestamp): Slot => {
    const key = startKey(subscription, baseKey);
    const place: Place = { key, entry: null, subscribers: new Set() };
    rests.begin(key);
    const finished = finish(place, subscription, baseKey, ts).catch((error: unknown) => {
      unlist(place);
      throw error;
    });
    const slot = Object.assign(place, { finished });
    slots.set(key, slot);
    return slot;
  };

  const find = (subscription: Subscription, baseKey: string): Slot | null => {
    const slot = slots.get(baseKey) ?? slots.get(baseKey + subscription.identityKey);
    if (slot === undefined) {
      return null;
    }
    const { entry } = slot;
    const tooOld =
      entry?.usedClock === true && database.clock.nowMs() - entry.finishedAtMs > CLOCK_RESULT_AGE_MS_MAX;
    if (tooOld) {
      unlist(slot); // Its present subscribers keep it; a new one gets a run of its own.
      return null;
    }
    return slot;
  };

  return {
    async acquire(subscription, ts) {
      const baseKey = baseKeyOf(subscription);
      for (;;) {
        const known = find(subscription, baseKey);
        if (known === null && rests.has(startKey(subscription, baseKey))) {
          return null;
        }
        const slot = known ?? start(subscription, baseKey, ts);
        slot.subscribers.add(subscription.onStale);
        const entry = await slot.finished;
        if (entry === null) {
          return null;
        }
        const isForCaller = entry.identityKey === null || entry.identityKey === subscription.identityKey;
        if (isForCaller && holdsAt(entry, ts)) {
          return entry;
        }
        slot.subscribers.delete(subscription.onStale);
        dropIfUnused(slot, entry);
        if (isForCaller) {
          return null;
        }
        // The run had been thought to be for everybody, and then asked who is calling.
      }
    },
    isResting(subscription) {
      const baseKey = baseKeyOf(subscription);
      return rests.has(startKey(subscription, baseKey)) && find(subscription, baseKey) === null;
    },
    rested: () => rests.end(),
    release(result, onStale) {
      const place = placeOf.get(result);
      if (place?.entry != null && place.subscribers.delete(onStale)) {
        dropIfUnused(place, place.entry);
      }
    },
    invalidateAll() {
      generation++;
      ignoresIdentity.clear();
      rests.clear();
      // Runs in flight find the generation changed when they end.
      slots.clear();
      for (const place of [...watched]) {
        if (place.entry !== null) {
          markStale(place, place.entry, 0n);
        }
      }
    },
    get runs() {
      return runs;
    },
  };
}

const functionKeyOf = ({ component, path }: Target): string => `${component}:${path}`;

/** All that decides about a run but the caller. Administrators see other functions and errors, so they stay apart. */
const baseKeyOf = ({ targetKey, journal, identity }: Subscription): string =>
  `${identity.kind === "admin"}\n${targetKey}\n${JSON.stringify(journal)}\n`;
