import { clearImmediate, setImmediate } from "node:timers";
import type { Chaos } from "../chaos";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Faults } from "../faults";
import { openStore } from "../storage/open-store";
import type { Store } from "../storage/store";
import { Watchers } from "../subscriptions/watchers";
import type {
  BeginOptions,
  CommitNotice,
  CommitResult,
  Database,
  HeldSnapshot,
  ReadSet,
  TableStage,
  Timestamp,
  Transaction,
  Watch,
} from "../types";
import { CursorCodec } from "../values/cursor";
import { EngineCatalog } from "./catalog";
import type { CatalogState } from "./catalog-state";
import { Committer, META_LAST_TS, type PublishedCommit } from "./committer";
import { HeldSnapshotOf } from "./held-snapshot";
import { dropPendingIndexes, looseIndexes } from "./index-builder";
import { loadCatalog, settleSystemTables } from "./load-catalog";
import { LooseTables, looseTables } from "./loose-tables";
import { Reads } from "./read-set";
import { type Ahead, Snapshot, snapshotExpired } from "./snapshot";
import type { TableInfo } from "./table";
import { TableFactory } from "./table-factory";
import { META_LAST_APPLIED, TableStageOf } from "./table-stage";
import { EngineTransaction, type TransactionHost } from "./transaction";
import { scaledLimits, type TransactionLimits } from "./usage";
import { WriteLog } from "./write-log";

export type DatabaseOptions = {
  /** Null keeps everything in memory. */
  dataDir: string | null;
  clock: Clock;
  /** `full` is the promise of law L5; the others exist for tests and measurements. */
  fsync: "full" | "normal" | "off";
  log: (line: string) => void;
  /** Called at the points of the commit where a test looks or kills the process. */
  faults?: Faults;
  /** Factor on all limits of transactions; 1 is Convex's. */
  limitScale?: number;
  chaos?: Chaos | null;
  /** Bounds the database file, in pages of 4 KiB: how a test runs out of disk. */
  pagesMax?: number;
};

/** Secret of the data directory that cursors are authenticated with, in hex. */
const META_CURSOR_KEY = "cursor_key";
const CURSOR_KEY_BYTES = 32;
const ID_BYTES = 16;
/** Ids whose random bytes are drawn at once. */
const IDS_PER_DRAW = 256;
/** How far creation times may run ahead of the clock before they follow it again, as after a step back. */
const CREATION_TIME_LEAD_MS = 1000;

/**
 * Opens a data directory, creating it where it is missing. Throws EngineError with one sentence for people:
 * `DataDirectoryInUse`, `DatabaseDamaged`, `DatabaseForeign`, `DatabaseTooNew`, `DataDirectoryUnusable`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const store = openStore(options);
  let database: EngineDatabase;
  try {
    database = new EngineDatabase(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
  await database.recover();
  return database;
}

class EngineDatabase implements Database, TransactionHost {
  readonly clock: Clock;
  readonly catalog: EngineCatalog;
  readonly cursors: CursorCodec;
  readonly limits: TransactionLimits;
  readonly #chaos: Chaos | null;
  readonly #store: Store;
  readonly #log: WriteLog;
  readonly #committer: Committer;
  readonly #factory: TableFactory;
  readonly #watchers = new Watchers();
  readonly #listeners = new Set<(commit: CommitNotice) => void>();
  readonly #report: (line: string) => void;
  readonly #held = new Set<HeldSnapshotOf>();
  readonly #loose: LooseTables;
  #stage: TableStageOf | null = null;
  #state: CatalogState;
  #randomPool: Uint8Array = new Uint8Array();
  #randomAt = 0;
  #lastCreationTime = 0;

  constructor(store: Store, options: DatabaseOptions) {
    this.#store = store;
    store.warmUp();
    this.clock = options.clock;
    this.#report = options.log;
    this.#chaos = options.chaos ?? null;
    this.limits = scaledLimits(options.limitScale ?? 1);
    dropPendingIndexes(store);
    const loaded = loadCatalog(store);
    this.#factory = new TableFactory(loaded);
    this.#factory.skip([], looseIndexes(store));
    this.#loose = new LooseTables(store, () => this.#committer.isClosed || this.#held.size > 0);
    for (const { tid, xids } of looseTables(store)) {
      this.#factory.skip([tid], xids);
    }
    this.#state = settleSystemTables(store, loaded, this.#factory);
    this.cursors = new CursorCodec(this.#cursorKey());
    const lastTs = this.#firstTs();
    this.#log = new WriteLog(lastTs);
    this.#committer = new Committer({
      store,
      log: this.#log,
      clock: options.clock,
      faults: options.faults ?? null,
      lastTs,
      publish: (commits, newTables) => this.#publish(commits, newTables),
    });
    this.catalog = new EngineCatalog({
      store,
      factory: this.#factory,
      committer: this.#committer,
      log: options.log,
      state: () => this.#state,
      replace: (state) => this.#replaceCatalog(state),
      faults: options.faults ?? null,
    });
  }

  async recover(): Promise<void> {
    this.catalog.resume();
    this.#sweepLoose();
  }

  get latestTs(): Timestamp {
    return this.#committer.publishedTs;
  }

  begin(options: BeginOptions): Transaction {
    if (options.ahead === true) {
      return this.#beginAhead(options);
    }
    const { ts = this.latestTs } = options;
    const seq =
      ts === this.latestTs ? this.#log.publishedSeq : ts < this.latestTs ? this.#log.seqAt(ts) : null;
    if (seq === null) {
      throw snapshotExpired();
    }
    return new EngineTransaction(this, this.#snapshot({ ts, seq }), options);
  }

  /** The newest state, with what is accepted and waits for the disk. */
  #beginAhead(options: BeginOptions): Transaction {
    const { epoch, publishedSeq, lastSeq } = this.#log;
    const at = { ts: this.#committer.acceptedTs, seq: lastSeq, ahead: { epoch, publishedSeq } };
    return new EngineTransaction(this, this.#snapshot(at), options);
  }

  #snapshot(at: { ts: Timestamp; seq: number; ahead?: Ahead }): Snapshot {
    return new Snapshot(this.#store, this.#log, this.#state, at);
  }

  async commit(transaction: Transaction, accepted?: () => void): Promise<CommitResult> {
    if (!(transaction instanceof EngineTransaction)) {
      throw foreign("transaction");
    }
    return this.#committer.commit(transaction, accepted);
  }

  async settled(transaction: Transaction): Promise<void> {
    if (!(transaction instanceof EngineTransaction)) {
      throw foreign("transaction");
    }
    await this.#committer.settled(transaction);
  }

  watch(reads: ReadSet, sinceTs: Timestamp, onStale: (ts: Timestamp) => void): Watch {
    if (!(reads instanceof Reads)) {
      throw foreign("read set");
    }
    const staleTs = this.#staleSince(reads, sinceTs);
    if (staleTs === null) {
      return this.#watchers.add(reads, onStale);
    }
    const soon = setImmediate(() => onStale(staleTs));
    return { close: () => clearImmediate(soon) };
  }

  hold(): HeldSnapshot {
    const held = new HeldSnapshotOf({
      ts: this.latestTs,
      catalog: this.#state,
      current: () => this.#snapshot({ ts: this.latestTs, seq: this.#log.publishedSeq }),
      onClose: () => {
        this.#held.delete(held);
        this.#sweepLoose();
      },
    });
    this.#held.add(held);
    return held;
  }

  stage(): TableStage {
    if (this.#stage !== null) {
      throw new EngineError("overloaded", "StageInUse", "Tables are being imported already.");
    }
    this.#stage = new TableStageOf({
      store: this.#store,
      factory: this.#factory,
      committer: this.#committer,
      loose: this.#loose,
      state: () => this.#state,
      replace: (state) => this.#replaceCatalog(state),
      randomId: () => this.randomId(),
      nextCreationTime: this.creationTimes(this.clock.nowMs()),
      onClose: () => {
        this.#stage = null;
        this.#sweepLoose();
      },
    });
    return this.#stage;
  }

  copyTo(file: string, onProgress: (done: number, total: number) => void): Promise<void> {
    return this.#store.copyTo(file, onProgress);
  }

  lastApplied(): string | null {
    return this.#store.meta(META_LAST_APPLIED);
  }

  onCommit(listener: (commit: CommitNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (!this.#committer.isClosed) {
      this.#committer.close();
      await this.#store.close();
    }
  }

  randomId(): Uint8Array {
    if (this.#randomAt >= this.#randomPool.length) {
      this.#randomPool = this.clock.randomBytes(ID_BYTES * IDS_PER_DRAW);
      this.#randomAt = 0;
    }
    this.#randomAt += ID_BYTES;
    return this.#randomPool.subarray(this.#randomAt - ID_BYTES, this.#randomAt);
  }

  creationTimes(nowMs: number): () => number {
    const chaos = this.#chaos;
    if (chaos === null) {
      // Documents of one transaction keep their order, also while the clock steps back under others.
      let last = 0;
      return () => {
        last = this.#nextCreationTime(nowMs, last);
        return last;
      };
    }
    let last = nowMs - chaos.creationLagMs();
    return () => {
      last = nextFloat(last);
      return last;
    };
  }

  /** Every document gets a later time than the one before it, by the least step that the number can show. */
  #nextCreationTime(nowMs: number, after: number): number {
    const earliest = Math.max(nowMs, nextFloat(after));
    const next = nextFloat(this.#lastCreationTime);
    this.#lastCreationTime = next - earliest > CREATION_TIME_LEAD_MS ? earliest : Math.max(earliest, next);
    return this.#lastCreationTime;
  }

  reserveTable(component: string, name: string): TableInfo {
    return this.#factory.reserve(component, name);
  }

  /** When `reads` first became stale after `sinceTs`; null if it has not. */
  #staleSince(reads: Reads, sinceTs: Timestamp): Timestamp | null {
    if (sinceTs >= this.latestTs) {
      return null;
    }
    const seq = this.#log.seqAt(sinceTs);
    if (seq === null) {
      // What happened since then is forgotten: running again is always right.
      return this.latestTs;
    }
    const conflict = this.#log.conflict(reads, seq);
    const isPublished = conflict !== null && conflict.seq <= this.#log.publishedSeq;
    return isPublished ? (this.#log.tsAt(conflict.seq) ?? this.latestTs) : null;
  }

  #publish(commits: readonly PublishedCommit[], newTables: readonly TableInfo[]): void {
    if (newTables.length > 0) {
      this.#state = this.#state.with(newTables);
    }
    for (const { entry, notice } of commits) {
      this.catalog.observe(entry);
      this.#stage?.observe(entry);
      for (const held of this.#held) {
        held.observe(entry);
      }
      for (const onStale of this.#watchers.take(entry)) {
        this.#guard(() => onStale(entry.ts));
      }
      for (const listener of this.#listeners) {
        this.#guard(() => listener(notice));
      }
    }
  }

  #replaceCatalog(state: CatalogState): void {
    this.#state = state;
    this.#log.expireAll();
    for (const onStale of this.#watchers.takeAll()) {
      this.#guard(() => onStale(this.latestTs));
    }
  }

  /** In the background: whoever waits has what they wanted. */
  #sweepLoose(): void {
    this.#loose.sweep().catch((error: unknown) => {
      if (!this.#committer.isClosed) {
        this.#report(`Rows of replaced tables were not removed yet: ${String(error)}`);
      }
    });
  }

  /** A listener that fails must not keep the others, or the commits that are already durable, from being heard of. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#report(`A listener of commits failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }

  #cursorKey(): Uint8Array {
    const stored = this.#store.meta(META_CURSOR_KEY);
    if (stored !== null) {
      return Buffer.from(stored, "hex");
    }
    const key = this.clock.randomBytes(CURSOR_KEY_BYTES);
    this.#store.atomically(() => this.#store.setMeta(META_CURSOR_KEY, Buffer.from(key).toString("hex")));
    return key;
  }

  /** The newest timestamp on disk; a new database begins now, as 0 means "nothing yet" to clients. */
  #firstTs(): Timestamp {
    const stored = this.#store.meta(META_LAST_TS);
    if (stored !== null) {
      return BigInt(stored);
    }
    const ts = BigInt(Math.max(1, Math.floor(this.clock.nowMs()))) * 1_000_000n;
    this.#store.atomically(() => this.#store.setMeta(META_LAST_TS, String(ts)));
    return ts;
  }
}

const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);

/** The smallest number above a positive one. */
function nextFloat(value: number): number {
  float[0] = value;
  bits[0] = (bits[0] ?? 0n) + 1n;
  return float[0] ?? value;
}

const foreign = (what: string) =>
  new EngineError("internal", "ForeignObject", `The ${what} belongs to another database.`);
