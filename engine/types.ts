import type { Clock } from "./clock";
import type { Fate } from "./fate";
import type { Faults } from "./faults";

/**
 * The seams between the engine's layers. Each layer is built against these shapes alone:
 *
 *   http, sync ──> functions ──> transaction (Database) ──> storage (SQLite)
 *                     └──> files, auth, scheduler
 *
 * Documents cross the seams as text: canonical encoded JSON (`convexToJson`, keys sorted, `$integer`, `$bytes`,
 * `$float`), because the sandbox on one side and SQLite on the other both want text.
 */

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Commit timestamps: Unix nanoseconds, strictly rising for the life of a data directory (law L9). */
export type Timestamp = bigint;

/** Path of a component's tables; "" is the app. Nested components join with "/". */
export type ComponentPath = string;

// ---------------------------------------------------------------- transaction

export interface Database {
  readonly clock: Clock;
  /** The newest timestamp that is on disk and visible to new transactions. */
  readonly latestTs: Timestamp;
  readonly catalog: Catalog;

  begin(options: BeginOptions): Transaction;

  /**
   * Checks the read set against later commits, joins the next group commit and resolves after its fsync (L1, L5).
   * Whether it is accepted is decided, and `accepted` called, before this returns. A transaction without writes resolves
   * with its own snapshot, once all that it saw is on disk.
   * Throws EngineError "conflict" (the caller may rerun) or "overloaded" (disk full, closing).
   */
  commit(transaction: Transaction, accepted?: () => void): Promise<CommitResult>;

  /**
   * Resolves when all that a transaction saw is on disk, which is at once unless it began with `ahead`: nothing that
   * came of it may be told before. Throws EngineError "conflict" when some of that could not be written.
   */
  settled(transaction: Transaction): Promise<void>;

  /**
   * Calls `onStale` once, after the first commit later than `sinceTs` that touched `reads`; at once (next tick) if
   * one already did. The watch is spent afterwards.
   */
  watch(reads: ReadSet, sinceTs: Timestamp, onStale: (ts: Timestamp) => void): Watch;

  /** Hears of every commit after it is durable and visible, in order. */
  onCommit(listener: (commit: CommitNotice) => void): () => void;

  /** This moment, for walks over whole tables that outlast the write log (60 s). To be closed. */
  hold(): HeldSnapshot;

  /** Copies the whole database into a new SQLite file, as it is when the copy begins. To be awaited before `close`. */
  copyTo(file: string, onProgress: (done: number, total: number) => void): Promise<void>;

  /** New contents for whole tables, which appear all at once or not at all. One at a time. */
  stage(): TableStage;
  /** The label of the stage that was applied last, also before a restart. */
  lastApplied(): string | null;

  /** Flushes what was accepted, closes SQLite, releases the directory lock. */
  close(): Promise<void>;
}

export type TableRequest = {
  readonly component: ComponentPath;
  readonly name: string;
  /** What the ids of its rows begin with; null keeps the table's own, or takes the next free one. */
  readonly number: number | null;
  /** Rows of today that stay beside the new ones; by default none does. */
  readonly keeps?: "all" | ((row: JsonObject) => boolean);
  /** Refuses a table that has rows, now and at the end. */
  readonly mustBeEmpty?: boolean;
};

export type StagedRow = {
  /** How an error calls it, for example `Row 3 of table "messages"`. */
  readonly label: string;
  /** Null makes a new one. */
  readonly id: string | null;
  readonly creationTime: number | null;
  readonly fields: JsonObject;
};

export interface TableStage {
  /** Throws developer errors: `TableExists`, `InvalidTableName`. */
  add(table: TableRequest): void;
  /** A table that will be gone with its rows. */
  drop(component: ComponentPath, name: string): void;
  /** To be called once all tables are named. Throws developer errors: `TableConflict`, `ImportForeignKey`. */
  check(): void;
  /** Whether the schema in force declares the table. */
  isDeclared(component: ComponentPath, name: string): boolean;
  /** Top-level fields of the table that the schema in force lets be missing. */
  optionalFields(component: ComponentPath, name: string): ReadonlySet<string>;
  /** Adds rows to a table that was named, in one step. Throws developer errors that name the row. */
  write(component: ComponentPath, name: string, rows: readonly StagedRow[]): void;
  /**
   * Puts everything in place in one step; where it throws, nothing has changed.
   * @param label what `Database.lastApplied` answers from then on
   */
  apply(label: string): Promise<Timestamp>;
  /** Forgets everything. */
  discard(): Promise<void>;
}

export type HeldTable = { readonly component: ComponentPath; readonly name: string; readonly number: number };

export interface HeldSnapshot {
  readonly ts: Timestamp;
  /** The tables that there were, the engine's own too, by component and number. */
  readonly tables: readonly HeldTable[];
  /**
   * The documents of a table in order of id, as canonical JSON; others get a turn between two pages. Throws
   * "overloaded" where more was changed meanwhile than is kept in memory.
   */
  pages(component: ComponentPath, table: string): AsyncIterable<readonly { id: string; text: string }[]>;
  close(): void;
}

export interface BeginOptions {
  kind: "query" | "mutation";
  component?: ComponentPath;
  /** `Date.now()` of the function; frozen for its whole run. */
  nowMs: number;
  /** Position of the page that a subscription showed before (C.7 of the sync protocol); null on a first run. */
  journal?: string | null;
  /** True for the engine's own work (scheduler, deploy): limits of D.4 are not applied. */
  unlimited?: boolean;
  /**
   * The snapshot to read, for several queries of one Transition; the newest one by default. Throws "conflict"
   * where it is no longer kept (60 s, or less under heavy writing).
   */
  ts?: Timestamp;
  /**
   * True for a mutation that shall also see commits which are accepted and wait for the disk, so that it does not lose
   * to them. What comes of it is told only after `commit` or `settled`.
   */
  ahead?: boolean;
}

export interface Transaction {
  readonly kind: "query" | "mutation";
  readonly beginTs: Timestamp;
  readonly nowMs: number;
  readonly reads: ReadSet;
  /** Set by a paginated query; travels to the client with the result. */
  readonly nextJournal: string | null;

  /**
   * One database system call of `convex/server` (engine brief A.1): op name and JSON text in, JSON text out.
   * Ops: 1.0/get, 1.0/db/normalizeId, 1.0/queryStream, 1.0/queryStreamNext, 1.0/queryCleanup, 1.0/queryPage,
   * 1.0/count, 1.0/insert, 1.0/shallowMerge, 1.0/replace, 1.0/remove.
   * Throws EngineError "developer" with the text a user of Convex would see. `component` picks the tables.
   */
  call(op: string, argsJson: string, component?: ComponentPath): string;
  /** Whether `op` is one that `call` answers. */
  answers(op: string): boolean;

  /** The engine's own rows, in system tables (names start with "_"), same snapshot, read set and commit. */
  readonly system: SystemRows;

  /** Nested runMutation: writes after the savepoint can be undone alone, reads stay in the read set (A.2). */
  savepoint(): Savepoint;
  rollbackTo(savepoint: Savepoint): void;

  /** Usage against the limits of D.4, for getTransactionMetrics and the 80 % warnings. */
  metrics(): Record<string, { used: number; remaining: number }>;
  /** Convex's warnings about limits of which more than 80 % are used, one line each. */
  limitWarnings(): string[];
  /** Lowers limits for a nested call (never raises one); the answer puts back what was before. */
  narrowLimits(requested: Readonly<Record<string, number | undefined>>): () => void;
  /**
   * The same snapshot without this transaction's own writes and outside of its read set, for `useStaleSnapshot`.
   * What is read there counts against the limits of this transaction.
   */
  atSnapshot(): Transaction;
  /** Another transaction that begins where this one began. */
  twin(): Transaction;
  /** Takes ids and creation times from `fate` from now on. */
  follow(fate: Fate): void;
  /** What it would write, by id: the document as text, "" for one that is deleted. */
  written(): ReadonlyMap<string, string>;
  /** Charges a scheduled call to the limits (1,000 calls, 16 MiB of arguments). */
  chargeScheduled(argsBytes: number): void;
  hasWrites(): boolean;
}

export type Savepoint = { readonly depth: number };

/** A system row as a plain encoded-JSON object, with `_id` and `_creationTime`. */
export type SystemRow = JsonObject & { _id: string; _creationTime: number };

/**
 * Ids do not tell their component: where it is not the app's own, pass it.
 */
export interface SystemRows {
  get(id: string, component?: ComponentPath): SystemRow | null;
  /** Rows of `table` whose leading index fields equal `equals`, in index order; `after`/`before` bound the next field. */
  list(
    table: string,
    index: string,
    options: {
      equals?: readonly JsonValue[];
      /** Exclusive lower and inclusive upper bound on the field after `equals`. */
      after?: JsonValue;
      upTo?: JsonValue;
      order?: "asc" | "desc";
      limit: number;
      component?: ComponentPath;
    },
  ): SystemRow[];
  insert(table: string, value: JsonObject, component?: ComponentPath): string;
  /** Shallow merge; a field set to undefined is removed. */
  patch(id: string, value: { [key: string]: JsonValue | undefined }, component?: ComponentPath): void;
  delete(id: string, component?: ComponentPath): void;
}

export type CommitResult = { ts: Timestamp };
export type CommitNotice = {
  ts: Timestamp;
  /** `component:table` names that changed. */
  tables: ReadonlySet<string>;
};

/** Opaque to all but the transaction layer: index-key intervals that a function looked at. */
export interface ReadSet {
  readonly size: number;
}

export interface Watch {
  close(): void;
}

/** Tables and indexes per component; changes are transactions like any other. */
/** How far the preparation of a schema is. */
export type SchemaProgress = {
  component: ComponentPath;
  /** Whether all rows have been held against it. */
  checked: boolean;
  indexesBuilt: number;
  /** New indexes that must be complete before the schema can be in force. */
  indexesTotal: number;
};

export interface Catalog {
  /**
   * Does the long part of `applySchema` in advance: builds new indexes, which nobody can query yet, and checks the rows.
   * Changes nothing that functions could notice. Throws as `applySchema` does, and "developer" `RaceDetected` where
   * another preparation for the component follows before this one is done.
   */
  prepareSchema(
    component: ComponentPath,
    schema: JsonValue | null,
    onProgress?: (progress: SchemaProgress) => void,
  ): Promise<void>;
  /**
   * Makes `schema` (the JSON of `schema.export()`) the law of a component: creates tables, backfills new indexes,
   * drops removed ones and checks every row. All of it comes into force at once, or nothing does; throws "developer"
   * naming the first row that breaks it. Staged indexes are built in the background afterwards.
   */
  applySchema(component: ComponentPath, schema: JsonValue | null): Promise<void>;
  /**
   * The same for several components, together with the writes of the transaction that `along` begins (of the engine's
   * own tables): one atomic step for all of it. `along` is called again where the step has to be repeated.
   */
  applySchemas(
    schemas: ReadonlyMap<ComponentPath, JsonValue | null>,
    along: () => Transaction,
  ): Promise<void>;
  /** Same checks, nothing written: what `deploy --dry-run` and `evaluate_schema` need. */
  checkSchema(component: ComponentPath, schema: JsonValue | null): Promise<void>;
  tableNames(component: ComponentPath): string[];
  /** For `v.id(table)`: the table's number in that component, or null. */
  tableNumber(component: ComponentPath, table: string): number | null;
}

// ------------------------------------------------------------------ functions

/** Who calls: resolved from a credential by `auth`, handed down unchanged. */
export type Identity =
  | { kind: "none" }
  /**
   * `attributes` is what `ctx.auth.getUserIdentity()` answers (tokenIdentifier, subject, issuer, claims); `token` is
   * the JWT that it was read from.
   */
  | { kind: "user"; attributes: JsonObject; expiresAtMs: number; token?: string }
  /** The deployment's key; may call internal functions. `actingAs` is `convex run --identity`. */
  | { kind: "admin"; actingAs: JsonObject | null }
  /** A credential that could not be checked on an HTTP action: asking for the identity throws there (B.1). */
  | { kind: "unknown"; reason: string };

export type FunctionKind = "query" | "mutation" | "action";

export type Call = {
  /** `messages:list`, `messages.js:list` and `dir/messages:list` are all understood. */
  path: string;
  component?: ComponentPath;
  /** Encoded JSON of the one argument object. */
  args: JsonValue;
  identity: Identity;
  requestId: string;
  /** For getRequestMetadata and logs. */
  caller?: { ip?: string; userAgent?: string };
};

export type Failure = {
  /** What the client may see: redacted to "[Request ID: x] Server Error" when `redactErrors` is on. */
  message: string;
  /** Encoded JSON of a ConvexError's data; never redacted. */
  data?: JsonValue;
};

/** `value` is encoded JSON text. */
export type Outcome = { ok: true; value: string } | { ok: false; failure: Failure };

export type QueryRun = {
  outcome: Outcome;
  logLines: string[];
  /** Snapshot that the result holds for. */
  ts: Timestamp;
  reads: ReadSet;
  journal: string | null;
  /** Whether it asked for the identity: if not, the result may be shared between callers. */
  usedIdentity: boolean;
  /** Whether it read the clock: such a result ages (engine brief F). */
  usedClock: boolean;
};

export type MutationRun = { outcome: Outcome; logLines: string[]; ts: Timestamp | null };
export type ActionRun = { outcome: Outcome; logLines: string[] };

export interface Functions {
  /**
   * `ts` is the snapshot to read, for several queries that must agree; the newest one by default. Throws "conflict"
   * `SnapshotExpired` where it is no longer kept.
   */
  query(call: Call, options?: { journal?: string | null; ts?: Timestamp }): Promise<QueryRun>;
  /** `once` makes it idempotent per client session (C.5): the stored result of an earlier run is given again. */
  mutation(call: Call, options?: { once?: { sessionId: string; requestId: number } }): Promise<MutationRun>;
  action(call: Call): Promise<ActionRun>;
  /** Kind of a public function (or internal, for an admin), null where there is none: lets `/api/function` dispatch. */
  kindOf(path: string, component?: ComponentPath): FunctionKind | null;
  /** HTTP actions of the app; answers 404 texts of D.8 itself. */
  http(request: Request, identity: Identity): Promise<Response>;
  readonly deploy: Deploy;
  /** Starts due jobs and crons; called once after boot. */
  start(): Promise<void>;
  /** Lets running functions end (bounded), stops the scheduler. */
  stop(): Promise<void>;
}

/** The CLI's side of a push (engine brief B.3). Bodies and answers are the CLI's own JSON. */
export interface Deploy {
  startPush(body: JsonValue): Promise<JsonValue>;
  /** What a push would change, without beginning it; the CLI asks when `evaluateSchema` refused. */
  evaluatePush(body: JsonValue): Promise<JsonValue>;
  evaluateSchema(body: JsonValue): Promise<JsonValue>;
  waitForSchema(body: JsonValue): Promise<JsonValue>;
  finishPush(body: JsonValue): Promise<JsonValue>;
  configHashes(): Promise<JsonValue>;
  /** Environment variables of the deployment. */
  env: {
    list(): { name: string; value: string }[];
    get(name: string): string | null;
    update(changes: { name: string; value: string | null }[]): Promise<void>;
  };
  /** Provider list of auth.config.ts of the pushed app. */
  authProviders(): AuthProvider[];
  /** Public and internal functions with validators, for `function-spec`. */
  functionSpec(): JsonValue;
  /** Hears of a finished push or changed variable: every subscription reruns. */
  onChange(listener: () => void): () => void;
  /** Lines of finished functions, for `convex logs` and `dev`: entries after `cursor`, waiting for the first. */
  logs(cursor: number): Promise<{ entries: JsonValue[]; newCursor: number }>;
}

export type AuthProvider =
  | { type: "customJwt"; issuer: string; jwks: string; algorithm: "RS256" | "ES256"; applicationID?: string }
  | { type: "oidc"; domain: string; applicationID: string };

// ---------------------------------------------------------------------- files

/** Files belong to a component, the app by default: no other one finds them under their id. */
export interface Files {
  /** `${origin}/api/storage/upload?token=...`, valid for one hour. */
  generateUploadUrl(component?: ComponentPath): string;
  /** Transactional half, used by system calls inside queries and mutations. */
  getUrl(transaction: Transaction, storageId: string, component?: ComponentPath): string | null;
  getMetadata(transaction: Transaction, storageId: string, component?: ComponentPath): JsonValue;
  remove(transaction: Transaction, storageId: string, component?: ComponentPath): void;
  /** Bytes first (fsync, rename), row last. Used by actions and the upload route. */
  store(
    blob: { bytes: Uint8Array; contentType: string | null; sha256?: string },
    component?: ComponentPath,
  ): Promise<string>;
  read(
    storageId: string,
    component?: ComponentPath,
  ): Promise<{ bytes: Uint8Array; contentType: string | null } | null>;
}

// --------------------------------------------------------------------- options

export type EngineOptions = {
  dataDir: string;
  host: string;
  port: number;
  sitePort: number;
  adminKey: string;
  /** Public origins that end up in URLs and in CONVEX_CLOUD_URL / CONVEX_SITE_URL; default: the listening addresses. */
  cloudOrigin?: string;
  siteOrigin?: string;
  /** Hide error texts from clients, as a production deployment does. */
  redactErrors: boolean;
  /**
   * `fresh`: each query and mutation gets new module state, as on Convex (development, tests).
   * `reuse`: realms are kept and shared in turn, several times faster (production on one host).
   */
  isolation: "fresh" | "reuse";
  /** `full` is the promise of law L5; the others exist for tests and measurements only. */
  fsync: "full" | "normal" | "off";
  clock: Clock;
  log: (line: string) => void;
  /** Where a test looks into a step, or ends the process in it. */
  faults?: Faults;
  /** Bounds the database file, in pages of 4 KiB: how a test runs out of disk. */
  pagesMax?: number;
  /** Factor on all limits of transactions; 1, the default, is Convex's. */
  limitScale?: number;
  /** Bad luck on purpose, for tests (see `chaos.ts`): a seed. Needs a clock that moves by itself. */
  chaosSeed?: number;
};
