import { developerError, EngineError } from "../errors";
import { isJsonObject, parseJson, requireObject, requireString } from "../json";
import { readPage } from "../query/page";
import { planQuery, type QueryPlan } from "../query/plan";
import type { ScanSource } from "../query/scan";
import { QueryStream } from "../query/stream";
import type {
  BeginOptions,
  ComponentPath,
  JsonObject,
  JsonValue,
  Savepoint,
  Timestamp,
  Transaction,
} from "../types";
import { type CursorCodec, queryFingerprint } from "../values/cursor";
import { isUndefinedMarker } from "../values/encoded";
import { describeIdFault, encodeId, tableNumberOf } from "../values/id";
import { encodeKey, encodeKeys } from "../values/key";
import { IDENTIFIER_LENGTH_MAX } from "../values/limits";
import { isVisibleToFunctions } from "./catalog-state";
import { buildDocument, mergePatch, parseStored } from "./document";
import { Reads } from "./read-set";
import { enforceSchema, RowWriter } from "./row-writer";
import type { Snapshot } from "./snapshot";
import { SystemRowsOf } from "./system-rows";
import { isSystemName, type TableInfo } from "./table";
import { Usage } from "./usage";
import { CATALOG_XID, type DocVersion } from "./write-log";

/** What a transaction needs of the database that began it. */
export type TransactionHost = {
  readonly cursors: CursorCodec;
  /** 16 bytes for a new id. */
  randomId(): Uint8Array;
  /** The creation time of the next new document, in milliseconds. */
  nextCreationTime(nowMs: number): number;
  /** The table that a transaction is about to create; the same answer to all that create it at once. */
  reserveTable(component: ComponentPath, name: string): TableInfo;
};

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

type SavedState = { readonly mark: number; readonly usage: ReturnType<Usage["saveWrites"]> };

/** `[A-Za-z_][A-Za-z0-9_]*`, but not underscores alone. */
const TABLE_NAME = /^(?=.*[A-Za-z0-9])[A-Za-z_][A-Za-z0-9_]*$/;

export class EngineTransaction implements Transaction {
  readonly kind: "query" | "mutation";
  readonly nowMs: number;
  readonly reads = new Reads();
  readonly snapshot: Snapshot;
  readonly usage: Usage;
  readonly system: SystemRowsOf;
  readonly writer: RowWriter;
  readonly #host: TransactionHost;
  readonly #component: ComponentPath;
  readonly #journal: string | null;
  /** Tables that this transaction creates, by `component:name`. */
  readonly #created = new Map<string, TableInfo>();
  readonly #streams = new Map<number, QueryStream>();
  readonly #savepoints: SavedState[] = [];
  #nextStream = 0;
  #nextJournal: string | null = null;
  #hasPage = false;

  constructor(host: TransactionHost, snapshot: Snapshot, options: BeginOptions) {
    this.kind = options.kind;
    this.nowMs = options.nowMs;
    this.snapshot = snapshot;
    this.usage = new Usage(options.unlimited === true);
    this.#host = host;
    this.#component = options.component ?? "";
    this.#journal = options.journal ?? null;
    this.writer = new RowWriter(snapshot, this.reads);
    this.system = new SystemRowsOf(this);
  }

  get beginTs(): Timestamp {
    return this.snapshot.ts;
  }

  get nextJournal(): string | null {
    return this.#nextJournal;
  }

  answers(op: string): boolean {
    return OPERATIONS.has(op);
  }

  call(op: string, argsJson: string, component = this.#component): string {
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

  savepoint(): Savepoint {
    this.#savepoints.push({ mark: this.writer.mark, usage: this.usage.saveWrites() });
    return { depth: this.#savepoints.length };
  }

  rollbackTo(savepoint: Savepoint): void {
    const saved = this.#savepoints[savepoint.depth - 1];
    if (saved === undefined) {
      throw new EngineError("internal", "UnknownSavepoint", "The savepoint was already undone.");
    }
    this.#savepoints.length = savepoint.depth - 1;
    this.writer.undoTo(saved.mark);
    this.usage.restoreWrites(saved.usage);
  }

  metrics(): Record<string, { used: number; remaining: number }> {
    return this.usage.metrics();
  }

  chargeScheduled(argsBytes: number): void {
    this.usage.chargeScheduled(argsBytes);
  }

  hasWrites(): boolean {
    return this.writer.hasChanges();
  }

  get createdTables(): Iterable<TableInfo> {
    return this.#created.values();
  }

  // ---------------------------------------------------------------- tables

  /** The table called `name`, or null. Either answer enters the read set where it may change. */
  table(component: ComponentPath, name: string): TableInfo | null {
    const table =
      this.snapshot.catalog.table(component, name) ?? this.#created.get(`${component}:${name}`) ?? null;
    if (table === null) {
      this.reads.addPoint(CATALOG_XID, encodeKeys([component, name]));
    }
    return table;
  }

  tableByNumber(component: ComponentPath, number: number): TableInfo | null {
    const known = this.snapshot.catalog.tableByNumber(component, number);
    if (known !== null) {
      return known;
    }
    for (const table of this.#created.values()) {
      if (table.component === component && table.number === number) {
        return table;
      }
    }
    return null;
  }

  /** The table called `name`, created with this transaction where there is none. */
  ensureTable(component: ComponentPath, name: string): TableInfo {
    const table = this.table(component, name);
    if (table !== null) {
      return table;
    }
    if (!TABLE_NAME.test(name) || name.length > IDENTIFIER_LENGTH_MAX) {
      throw developerError(
        "InvalidTableName",
        `Invalid table name ${name}: use letters, digits and underscores (at most ${IDENTIFIER_LENGTH_MAX}), beginning with a letter.`,
      );
    }
    const created = this.#host.reserveTable(component, name);
    this.#created.set(`${component}:${name}`, created);
    return created;
  }

  scanSource(table: TableInfo): ScanSource {
    return { snapshot: this.snapshot, ownWrites: () => this.writer.overlayOf(table), reads: this.reads };
  }

  // ------------------------------------------------------------------ rows

  /** The document with this id, entered in the read set. */
  read(table: TableInfo, id: string): DocVersion | null {
    this.reads.addPoint(table.byId.xid, encodeKey(id));
    return this.writer.get(table, id);
  }

  /** A new document; answers its id. */
  insertRow(table: TableInfo, fields: JsonObject): string {
    const id = encodeId(table.number, this.#host.randomId());
    const document = buildDocument(fields, id, this.#host.nextCreationTime(this.nowMs));
    this.#enforce(table, document.value);
    this.usage.chargeWrite(document.size);
    this.writer.set(table, id, document, true);
    return id;
  }

  /** Replaces the fields of a document; one that stays the same is not written. */
  writeRow(table: TableInfo, id: string, base: DocVersion, fields: JsonObject): string {
    const creationTime = parseStored(base.text)["_creationTime"] ?? 0;
    const document = buildDocument(fields, id, creationTime);
    if (document.text !== base.text) {
      this.#enforce(table, document.value);
      this.usage.chargeWrite(document.size);
      this.writer.set(table, id, document);
    }
    return document.text;
  }

  deleteRow(table: TableInfo, id: string, base: DocVersion): void {
    this.usage.chargeWrite(base.size);
    this.writer.set(table, id, null);
  }

  #enforce(table: TableInfo, document: JsonObject): void {
    if (table.validator !== null) {
      enforceSchema(table, document, {
        tableNumber: (name) =>
          (
            this.snapshot.catalog.table(table.component, name) ??
            this.#created.get(`${table.component}:${name}`)
          )?.number ?? null,
        tableName: (number) => this.tableByNumber(table.component, number)?.name ?? null,
      });
    }
  }

  // ------------------------------------------------------------ operations

  #get(args: JsonObject, component: ComponentPath): string {
    const id = requireString(args["id"], "The id of db.get");
    const table = this.#tableOfId(id, component, "db.get", args["table"]);
    if (table !== null && isSystemName(table.name) !== (args["isSystem"] === true)) {
      throw systemTableError(table.name);
    }
    this.usage.chargeQuery();
    const document = table === null ? null : this.read(table, id);
    if (document === null) {
      return "null";
    }
    this.usage.chargeRead(document.size);
    return document.text;
  }

  #normalizeId(args: JsonObject, component: ComponentPath): string {
    const id = requireString(args["idString"], "The id of db.normalizeId");
    const name = requireString(args["table"], "The table of db.normalizeId");
    const number = tableNumberOf(id);
    const table = number === null ? null : this.tableByNumber(component, number);
    const matches = table !== null && table.name === name && isVisibleToFunctions(name);
    return JSON.stringify({ id: matches ? id : null });
  }

  #queryStream(args: JsonObject, component: ComponentPath): string {
    const plan = this.#plan(args, component);
    this.usage.chargeQuery();
    const queryId = this.#nextStream;
    this.#nextStream += 1;
    this.#streams.set(queryId, new QueryStream(plan, this.#sourceOf(plan), this.#chargeRead));
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
    if (component !== "") {
      throw developerError(
        "PaginationUnsupportedInComponents",
        "paginate() is only supported in the app, not in components.",
      );
    }
    if (this.#hasPage) {
      throw developerError(
        "MultiplePaginatedDatabaseQueries",
        "This query or mutation function ran multiple paginated queries. Convex only supports a single paginated query in each function.",
      );
    }
    const plan = this.#plan(args, component);
    this.usage.chargeQuery();
    const fingerprint = queryFingerprint(plan.source, component, plan.indexFields);
    const position = (cursor: JsonValue | undefined) =>
      typeof cursor === "string" ? this.#host.cursors.decode(cursor, fingerprint) : null;
    const page = readPage({
      plan,
      source: this.#sourceOf(plan),
      charge: this.#chargeRead,
      start: position(args["cursor"]),
      end: position(args["endCursor"] ?? this.#journal),
      pageSize: Number(args["pageSize"]),
      rowsMax: optionalNumber(args["maximumRowsRead"]),
      bytesMax: optionalNumber(args["maximumBytesRead"]),
    });
    const continueCursor = this.#host.cursors.encode(page.end, fingerprint);
    const rest = JSON.stringify({
      isDone: page.end === "end",
      continueCursor,
      splitCursor: page.split === null ? null : this.#host.cursors.encode(page.split, fingerprint),
      pageStatus: page.status,
    });
    this.#hasPage = true;
    this.#nextJournal = continueCursor;
    return `{"page":[${page.rows.map((row) => row.text).join(",")}],${rest.slice(1)}`;
  }

  #count(args: JsonObject, component: ComponentPath): string {
    const name = requireString(args["table"], "The table of count");
    const source = { type: "FullTableScan", tableName: name, order: "asc" };
    const plan = planQuery({ source, operators: [] }, (table) => this.table(component, table));
    this.usage.chargeQuery();
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
    const table = this.ensureTable(component, name);
    const id = this.insertRow(table, fieldsOf(args["value"], "db.insert"));
    return JSON.stringify({ _id: id });
  }

  #patch(args: JsonObject, component: ComponentPath): string {
    const { table, id, base } = this.#writable(args, component, "db.patch", "Update");
    const patch = fieldsOf(args["value"], "db.patch");
    return this.writeRow(table, id, base, mergePatch(parseStored(base.text), patch));
  }

  #replace(args: JsonObject, component: ComponentPath): string {
    const { table, id, base } = this.#writable(args, component, "db.replace", "Replace");
    return this.writeRow(table, id, base, fieldsOf(args["value"], "db.replace"));
  }

  #remove(args: JsonObject, component: ComponentPath): string {
    const { table, id, base } = this.#writable(args, component, "db.delete", "Delete");
    this.deleteRow(table, id, base);
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
    const base = table === null ? null : this.read(table, id);
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
    const table = this.tableByNumber(component, number);
    if (table === null || !isVisibleToFunctions(table.name)) {
      return null;
    }
    if (typeof expected === "string" && expected !== table.name) {
      throw invalidId(method, `expected to be an Id<"${expected}">, got Id<"${table.name}"> instead.`);
    }
    return table;
  }

  #requireMutation(what: string): void {
    if (this.kind !== "mutation") {
      throw developerError("WriteInQuery", `Queries cannot write: ${what} is only available in mutations.`);
    }
  }

  #plan(args: JsonObject, component: ComponentPath): QueryPlan {
    return planQuery(args["query"] ?? null, (name) => this.table(component, name));
  }

  #sourceOf(plan: QueryPlan): ScanSource | null {
    return plan.target === null ? null : this.scanSource(plan.target.table);
  }

  readonly #chargeRead = (version: DocVersion): void => this.usage.chargeRead(version.size);
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
