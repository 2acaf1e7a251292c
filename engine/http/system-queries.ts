import { EngineError } from "../errors";
import { isJsonObject, parseJson, requireObject, requireString } from "../json";
import type {
  Call,
  Database,
  Functions,
  JsonObject,
  JsonValue,
  QueryRun,
  SystemRow,
  Timestamp,
  Transaction,
} from "../types";

/** Rows that one look at a whole table reads at a time; it is repeated until the end. */
const TABLE_PAGE_ROWS = 1_000;

/** All that the engine remembers, and more. */
const IMPORTS_LISTED = 100;

export type SystemQueryParts = {
  database: Database;
  functions: Functions;
  cloudOrigin: string;
  siteOrigin: string;
};

type SystemCall = { transaction: Transaction; args: JsonObject; component: string };
type SystemQuery = (call: SystemCall, parts: SystemQueryParts) => JsonValue;

/** The queries under `_system/cli` that the official CLI subscribes to, by path. */
const SYSTEM_QUERIES: ReadonlyMap<string, SystemQuery> = new Map<string, SystemQuery>([
  ["queryEnvironmentVariables:default", (_, { functions }) => functions.deploy.env.list()],
  ["queryEnvironmentVariables:get", getEnvironmentVariable],
  ["tables:default", listTables],
  ["tableData:default", readTablePage],
  ["tableSize:default", ({ transaction, args, component }) => countRows(transaction, args, component)],
  ["queryTable:default", watchTable],
  ["exports:getLatest", ({ transaction }) => newestJobs(transaction, "_exports", 1)[0] ?? null],
  [
    "queryImport:default",
    ({ transaction, args }) => transaction.system.get(requireString(args["importId"], "importId")),
  ],
  ["queryImport:list", ({ transaction }) => newestJobs(transaction, "_snapshot_imports", IMPORTS_LISTED)],
  ["modules:apiSpec", (_, { functions }) => functions.deploy.functionSpec()],
  ["convexUrl:cloudUrl", (_, { cloudOrigin }) => cloudOrigin],
  ["convexUrl:siteUrl", (_, { siteOrigin }) => siteOrigin],
]);

const PREFIX = "_system/cli/";

/**
 * Wraps `functions.query` so that an administrator can also subscribe to the system queries of the CLI. Everybody
 * else gets what they would get for a function that does not exist.
 */
export function withSystemQueries(parts: SystemQueryParts): Functions["query"] {
  return async (call, options) => {
    const isSystem = call.identity.kind === "admin" && call.path.startsWith(PREFIX);
    return isSystem ? runSystemQuery(parts, call, options?.ts) : parts.functions.query(call, options);
  };
}

function runSystemQuery(parts: SystemQueryParts, call: Call, ts: Timestamp | undefined): QueryRun {
  const transaction = parts.database.begin({
    kind: "query",
    nowMs: parts.database.clock.nowMs(),
    unlimited: true,
    ...(ts === undefined ? {} : { ts }),
  });
  return {
    outcome: outcomeOf(parts, call, transaction),
    logLines: [],
    ts: transaction.beginTs,
    reads: transaction.reads,
    journal: null,
    usedIdentity: false,
    usedClock: false,
  };
}

function outcomeOf(parts: SystemQueryParts, call: Call, transaction: Transaction): QueryRun["outcome"] {
  const name = call.path.slice(PREFIX.length);
  const query = SYSTEM_QUERIES.get(name.includes(":") ? name : `${name}:default`);
  if (query === undefined) {
    return { ok: false, failure: { message: `This backend has no system query ${call.path}.` } };
  }
  try {
    const args = requireObject(call.args, "The arguments");
    return {
      ok: true,
      value: JSON.stringify(query({ transaction, args, component: call.component ?? "" }, parts)),
    };
  } catch (error) {
    if (error instanceof EngineError && error.kind === "developer") {
      return { ok: false, failure: { message: error.message } };
    }
    throw error;
  }
}

/** Exports or imports, the newest first. */
const newestJobs = (transaction: Transaction, table: string, limit: number): SystemRow[] =>
  transaction.system.list(table, "by_creation_time", { order: "desc", limit });

function getEnvironmentVariable({ args }: SystemCall, { functions }: SystemQueryParts): JsonValue {
  const name = requireString(args["name"], "name");
  const value = functions.deploy.env.get(name);
  return value === null ? null : { name, value };
}

/** All in one page: there are as many tables as somebody has written down in a schema. */
function listTables({ component }: SystemCall, { database }: SystemQueryParts): JsonValue {
  const names = database.catalog.tableNames(component).filter((name) => !name.startsWith("_"));
  return { page: names.map((name) => ({ name })), isDone: true, continueCursor: "" };
}

function readTablePage({ transaction, args, component }: SystemCall): JsonValue {
  const { cursor, numItems } = requireObject(args["paginationOpts"], "paginationOpts");
  return readPage(transaction, component, {
    table: requireString(args["table"], "table"),
    order: args["order"] === "asc" ? "asc" : "desc",
    cursor: cursor ?? null,
    pageSize: typeof numItems === "number" ? numItems : TABLE_PAGE_ROWS,
  });
}

function countRows(transaction: Transaction, args: JsonObject, component: string): number {
  const table = requireString(args["tableName"], "tableName");
  let rows = 0;
  let cursor: JsonValue = null;
  for (;;) {
    const page: JsonObject = readPage(transaction, component, {
      table,
      order: "asc",
      cursor,
      pageSize: TABLE_PAGE_ROWS,
    });
    rows += Array.isArray(page["page"]) ? page["page"].length : 0;
    if (page["isDone"] === true) {
      return rows;
    }
    cursor = page["continueCursor"] ?? null;
  }
}

/** Changes with every change of the table, which is all that `convex dev` wants to know. */
function watchTable({ transaction, args, component }: SystemCall): JsonValue {
  return { rows: countRows(transaction, args, component), ts: transaction.beginTs.toString() };
}

function readPage(
  transaction: Transaction,
  component: string,
  page: { table: string; order: "asc" | "desc"; cursor: JsonValue; pageSize: number },
): JsonObject {
  const answer = transaction.call(
    "1.0/queryPage",
    JSON.stringify({
      query: { source: { type: "FullTableScan", tableName: page.table, order: page.order }, operators: [] },
      cursor: page.cursor,
      endCursor: null,
      pageSize: page.pageSize,
      version: "1.48.0",
    }),
    component,
  );
  const parsed = parseJson(answer, "A page of the table");
  if (!isJsonObject(parsed)) {
    throw new EngineError("internal", "BadPage", "A page of a table came back as something else.");
  }
  return parsed;
}
