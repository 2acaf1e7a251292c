/**
 * Tables that the engine keeps for itself, stored like any other so that they share transactions, conflict checks
 * and subscriptions. Numbers are part of every stored id: never reuse or change one. User tables start at 10001.
 * Fields of an index that a row lacks count as undefined, as everywhere.
 */
export type SystemTable = {
  readonly name: string;
  readonly number: number;
  readonly indexes: { readonly [name: string]: readonly string[] };
  /** Whether `ctx.db.system` shows it to functions. */
  readonly visible?: true;
};

export const SYSTEM_TABLES: readonly SystemTable[] = [
  // Shown to functions. Written by files/ and scheduler/, in the shapes of Convex's documentation.
  { name: "_storage", number: 1, indexes: {}, visible: true },
  { name: "_scheduled_functions", number: 2, indexes: {}, visible: true },
  // scheduler/: what _scheduled_functions may not show. `state` is pending | running | done.
  { name: "_jobs", number: 3, indexes: { by_jobId: ["jobId"], by_state_and_dueMs: ["state", "dueMs"] } },
  { name: "_crons", number: 4, indexes: { by_name: ["name"], by_nextMs: ["nextMs"] } },
  // files/: where the bytes are, and the unguessable name they are served under.
  { name: "_file_blobs", number: 5, indexes: { by_storageId: ["storageId"], by_token: ["token"] } },
  // functions/: results of mutations by client session, so that a repeated request is answered, not run (C.5).
  {
    name: "_session_requests",
    number: 6,
    indexes: { by_session_and_request: ["sessionId", "requestId"], by_ts: ["tsMs"] },
  },
  // deploy/: pushes, environment variables, function handles.
  { name: "_deployments", number: 7, indexes: {} },
  { name: "_environment", number: 8, indexes: { by_name: ["name"] } },
  { name: "_function_handles", number: 9, indexes: { by_component_and_path: ["component", "path"] } },
  // Large values (module sources, stored results) cut into pieces below the document limit.
  { name: "_chunks", number: 10, indexes: { by_owner_and_n: ["owner", "n"] } },
  // deploy/: which components are mounted, and which ones were.
  { name: "_components", number: 11, indexes: { by_path: ["path"] } },
  // transfer/: exports and imports of the CLI, and how far they are.
  { name: "_exports", number: 21, indexes: {} },
  { name: "_snapshot_imports", number: 22, indexes: {} },
];
