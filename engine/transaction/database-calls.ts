import { developerError } from "../errors";
import { isJsonObject, parseJson, requireObject, requireString } from "../json";
import { readPage } from "../query/page";
import { planQuery, type QueryPlan } from "../query/plan";
import type { ScanSource } from "../query/scan";
import { QueryStream } from "../query/stream";
import type { ComponentPath, JsonObject, JsonValue } from "../types";
import { type CursorCodec, queryFingerprint } from "../values/cursor";
import { isUndefinedMarker } from "../values/encoded";
import { describeIdFault, tableNumberOf } from "../values/id";
import { isVisibleToFunctions } from "./catalog-state";
import { mergePatch, parseStored } from "./document";
import { isSystemName, type TableInfo } from "./table";
import type { EngineTransaction } from "./transaction";
import type { DocVersion } from "./write-log";

/** The operations that `call` answers. */
const OPERATIONS: ReadonlySet<string> = new Set([
  "1.0/get",
  "1.0/db/normalizeId",
  "1.0/queryStream",
  "1.0/queryStreamNext",
  "1.0/queryCleanup",
  "1.0/queryPage",
  "1.0/count",
  "1.0/insert",
  "1.0/shallowMerge",
  "1.0/replace",
  "1.0/remove",
]);

/**
 * The database calls of functions (`ctx.db` of `convex/server`): JSON text in, JSON text out, with the checks and the
 * texts that users of Convex know.
 */
export class DatabaseCalls {
  readonly #transaction: EngineTransaction;
  readonly #cursors: CursorCodec;
  /** Where the page ended that a subscription showed before. */
  readonly #journal: string | null;
  readonly #streams = new Map<number, QueryStream>();
  #nextStream = 0;
  #nextJournal: string | null = null;

  constructor(transaction: EngineTransaction, cursors: CursorCodec, journal: string | null) {
    this.#transaction = transaction;
    this.#cursors = cursors;
    this.#journal = journal;
  }

  /** Where the page of this run ended; null without one. */
  get nextJournal(): string | null {
    return this.#nextJournal;
  }

  answers(op: string): boolean {
    return OPERATIONS.has(op);
  }

  call(op: string, argsJson: string, component: ComponentPath): string {
    const what = `The arguments of ${op}`;
    const args = requireObject(parseJson(argsJson, what), what);
    switch (op) {
      case "1.0/get":
        return this.#get(args, component);
      case "1.0/db/normalizeId":
        return this.#normalizeId(args, component);
      case "1.0/queryStream":
        return this.#queryStream(args, component);
      case "1.0/queryStreamNext":
        return this.#queryStreamNext(args);
      case "1.0/queryCleanup":
        return String(this.#streams.delete(Number(args["queryId"])));
      case "1.0/queryPage":
        return this.#queryPage(args, component);
      case "1.0/count":
        return this.#count(args, component);
      case "1.0/insert":
        return this.#insert(args, component);
      case "1.0/shallowMerge":
        return this.#patch(args, component);
      case "1.0/replace":
        return this.#replace(args, component);
      case "1.0/remove":
        return this.#remove(args, component);
      default:
        throw developerError("UnknownOperation", `Unknown async operation ${op}`);
    }
  }

  #get(args: JsonObject, component: ComponentPath): string {
    const id = requireString(args["id"], "The id of db.get");
    const table = this.#tableOfId(id, component, "db.get", args["table"]);
    if (table !== null && isSystemName(table.name) !== (args["isSystem"] === true)) {
      throw systemTableError(table.name);
    }
    const isCharged = table === null || !isSystemName(table.name);
    if (isCharged) {
      this.#transaction.usage.chargeQuery();
    }
    const document = table === null ? null : this.#transaction.read(table, id);
    if (document === null) {
      return "null";
    }
    if (isCharged) {
      this.#transaction.usage.chargeRead(document.size);
    }
    return document.text;
  }

  #normalizeId(args: JsonObject, component: ComponentPath): string {
    const id = requireString(args["idString"], "The id of db.normalizeId");
    const name = requireString(args["table"], "The table of db.normalizeId");
    const number = tableNumberOf(id);
    const table = number === null ? null : this.#transaction.tableByNumber(component, number);
    const matches = table !== null && table.name === name && isVisibleToFunctions(name);
    return JSON.stringify({ id: matches ? id : null });
  }

  #queryStream(args: JsonObject, component: ComponentPath): string {
    const plan = this.#plan(args, component);
    const charge = this.#chargesOf(plan);
    const queryId = this.#nextStream;
    this.#nextStream += 1;
    this.#streams.set(queryId, new QueryStream(plan, this.#sourceOf(plan), charge));
    return JSON.stringify({ queryId });
  }

  #queryStreamNext(args: JsonObject): string {
    const queryId = Number(args["queryId"]);
    const stream = this.#streams.get(queryId);
    if (stream === undefined) {
      throw developerError("QueryNotFound", "in-progress query not found");
    }
    const document = stream.next();
    if (document === null) {
      this.#streams.delete(queryId);
      return '{"value":null,"done":true}';
    }
    return `{"value":${document.text},"done":false}`;
  }

  #queryPage(args: JsonObject, component: ComponentPath): string {
    if (this.#nextJournal !== null) {
      throw developerError(
        "MultiplePaginatedDatabaseQueries",
        "This query or mutation function ran multiple paginated queries. Convex only supports a single paginated query in each function.",
      );
    }
    const plan = this.#plan(args, component);
    const charge = this.#chargesOf(plan);
    const fingerprint = queryFingerprint(plan.source, component, plan.indexFields);
    const position = (cursor: JsonValue | undefined) =>
      typeof cursor === "string" ? this.#cursors.decode(cursor, fingerprint) : null;
    const page = readPage({
      plan,
      source: this.#sourceOf(plan),
      charge,
      start: position(args["cursor"]),
      end: position(args["endCursor"] ?? this.#journal),
      pageSize: Number(args["pageSize"]),
      rowsMax: optionalNumber(args["maximumRowsRead"]),
      bytesMax: optionalNumber(args["maximumBytesRead"]),
    });
    const continueCursor = this.#cursors.encode(page.end, fingerprint);
    const rest = JSON.stringify({
      isDone: page.end === "end",
      continueCursor,
      splitCursor: page.split === null ? null : this.#cursors.encode(page.split, fingerprint),
      pageStatus: page.status,
    });
    this.#nextJournal = continueCursor;
    return `{"page":[${page.rows.map((row) => row.text).join(",")}],${rest.slice(1)}`;
  }

  #count(args: JsonObject, component: ComponentPath): string {
    const name = requireString(args["table"], "The table of count");
    const source = { type: "FullTableScan", tableName: name, order: "asc" };
    const plan = planQuery({ source, operators: [] }, (table) => this.#transaction.table(component, table));
    this.#transaction.usage.chargeQuery();
    const stream = new QueryStream(plan, this.#sourceOf(plan), () => undefined);
    let count = 0;
    while (stream.next() !== null) {
      count += 1;
    }
    return String(count);
  }

  #insert(args: JsonObject, component: ComponentPath): string {
    this.#requireMutation("insert");
    const name = requireString(args["table"], "The table of db.insert");
    if (isSystemName(name)) {
      throw systemTableError(name);
    }
    const table = this.#transaction.ensureTable(component, name);
    const id = this.#transaction.insertRow(table, fieldsOf(args["value"], "db.insert"));
    return JSON.stringify({ _id: id });
  }

  #patch(args: JsonObject, component: ComponentPath): string {
    const { table, id, base } = this.#writable(args, component, "db.patch", "Update");
    const patch = fieldsOf(args["value"], "db.patch");
    return this.#transaction.writeRow(table, id, base, mergePatch(parseStored(base.text), patch));
  }

  #replace(args: JsonObject, component: ComponentPath): string {
    const { table, id, base } = this.#writable(args, component, "db.replace", "Replace");
    return this.#transaction.writeRow(table, id, base, fieldsOf(args["value"], "db.replace"));
  }

  #remove(args: JsonObject, component: ComponentPath): string {
    const { table, id, base } = this.#writable(args, component, "db.delete", "Delete");
    this.#transaction.deleteRow(table, id, base);
    return base.text;
  }

  #writable(
    args: JsonObject,
    component: ComponentPath,
    method: string,
    verb: string,
  ): { table: TableInfo; id: string; base: DocVersion } {
    this.#requireMutation(method.slice(3));
    const id = requireString(args["id"], `The id of ${method}`);
    const table = this.#tableOfId(id, component, method, args["table"]);
    if (table !== null && isSystemName(table.name)) {
      throw systemTableError(table.name);
    }
    const base = table === null ? null : this.#transaction.read(table, id);
    if (table === null || base === null) {
      throw developerError("NonexistentDocument", `${verb} on nonexistent document ID ${id}`);
    }
    return { table, id, base };
  }

  /** The table that an id argument belongs to; null where it is none that functions know. */
  #tableOfId(
    id: string,
    component: ComponentPath,
    method: string,
    expected: JsonValue | undefined,
  ): TableInfo | null {
    const number = tableNumberOf(id);
    if (number === null) {
      throw invalidId(method, describeIdFault(id));
    }
    const table = this.#transaction.tableByNumber(component, number);
    if (table === null || !isVisibleToFunctions(table.name)) {
      return null;
    }
    if (typeof expected === "string" && expected !== table.name) {
      throw invalidId(method, `expected to be an Id<"${expected}">, got Id<"${table.name}"> instead.`);
    }
    return table;
  }

  #requireMutation(what: string): void {
    if (this.#transaction.kind !== "mutation") {
      throw developerError("WriteInQuery", `Queries cannot write: ${what} is only available in mutations.`);
    }
  }

  #plan(args: JsonObject, component: ComponentPath): QueryPlan {
    return planQuery(args["query"] ?? null, (name) => this.#transaction.table(component, name));
  }

  #sourceOf(plan: QueryPlan): ScanSource | null {
    return plan.target === null ? null : this.#transaction.scanSource(plan.target.table);
  }

  /** Charges the query itself; what it answers is to be called for each row. Reads of system tables cost nothing. */
  #chargesOf(plan: QueryPlan): (version: DocVersion) => void {
    if (isSystemName(plan.tableName)) {
      return () => undefined;
    }
    this.#transaction.usage.chargeQuery();
    return this.#chargeRead;
  }

  readonly #chargeRead = (version: DocVersion): void => this.#transaction.usage.chargeRead(version.size);
}

function fieldsOf(value: JsonValue | undefined, method: string): JsonObject {
  if (isJsonObject(value) && !isUndefinedMarker(value)) {
    return value;
  }
  throw developerError(
    "InvalidArgument",
    `Invalid argument \`value\` for \`${method}\`: Value must be an Object`,
  );
}

function optionalNumber(value: JsonValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

const invalidId = (method: string, reason: string) =>
  developerError("InvalidArgument", `Invalid argument \`id\` for \`${method}\`: ${reason}`);

const systemTableError = (name: string) =>
  developerError(
    "SystemTableError",
    isSystemName(name)
      ? "System tables can only be accessed with db.system, and only read."
      : "User tables cannot be accessed with db.system.",
  );
