import type { GenericDatabaseReader, GenericDatabaseWriter } from "convex/server";
import { type GenericId, type Infer, v } from "convex/values";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { type Condition, type Fields, meets, type Sort, sortRows } from "./authConditions";
import { fail } from "./errors";

/** The models of Better Auth that are stored here; the table of each has the prefix `auth_`. */
export const vModel = v.union(
  v.literal("user"),
  v.literal("session"),
  v.literal("account"),
  v.literal("verification"),
  v.literal("rateLimit"),
);
export type Model = Infer<typeof vModel>;

/** Fields that identify one row alone. Checked inside the transaction that writes, so two writers cannot both pass. */
const UNIQUE_FIELDS: Record<Model, readonly string[]> = {
  user: ["id", "email"],
  session: ["id", "token"],
  account: ["id"],
  verification: ["id"],
  rateLimit: ["id", "key"],
};

/** Every field `f` listed here has an index `ix_f` in `tables/auth`. */
const INDEXED_FIELDS: Record<Model, readonly string[]> = {
  user: ["id", "email"],
  session: ["id", "token", "userId", "expiresAt"],
  account: ["id", "userId", "accountId"],
  verification: ["id", "identifier", "expiresAt"],
  rateLimit: ["id", "key", "lastRequest"],
};

/** Rows that one operation may look at: Convex reads at most 32,000 documents in a transaction; this keeps well below. */
export const SCAN_ROWS_MAX = 8_000;

/** Rows that one pruning removes; what is left waits for the next one. */
const PRUNE_ROWS_MAX = 500;

type Row = Fields & { _id: GenericId<Table>; _creationTime: number };
type Table = `auth_${Model}`;
type StoreModel = Record<
  Table,
  {
    document: Row;
    fieldPaths: string;
    indexes: Record<string, string[]>;
    searchIndexes: Record<never, never>;
    vectorIndexes: Record<never, never>;
  }
>;

const table = (model: Model): Table => `auth_${model}`;

// Better Auth names models and fields at run time, which the generated types of single tables cannot express. The
// view is no wider than the auth_ tables, and the schema still checks each row that is written.
const reader = (ctx: QueryCtx) => ctx.db as unknown as GenericDatabaseReader<StoreModel>;
const writer = (ctx: MutationCtx) => ctx.db as unknown as GenericDatabaseWriter<StoreModel>;

export interface Selection {
  model: Model;
  where: Condition[];
  sortBy?: Sort;
  limit?: number;
  offset?: number;
}

/** The rows that meet the conditions, as Better Auth knows them (without Convex's own fields). */
export async function findRows(ctx: QueryCtx, selection: Selection): Promise<Fields[]> {
  const rows = await matchingRows(ctx, selection.model, selection.where);
  const sorted = selection.sortBy ? sortRows(rows, selection.sortBy) : rows;
  const start = selection.offset ?? 0;
  const end = selection.limit === undefined ? undefined : start + selection.limit;
  return sorted.slice(start, end).map(withoutSystemFields);
}

export async function countRows(ctx: QueryCtx, model: Model, where: Condition[]): Promise<number> {
  return (await matchingRows(ctx, model, where)).length;
}

/** Inserts a row and gives it back. Throws `already_exists` when a unique field has a taken value. */
export async function createRow(ctx: MutationCtx, model: Model, data: Fields): Promise<Fields> {
  await requireUnique(ctx, model, data, null);
  await writer(ctx).insert(table(model), data);
  return data;
}

/** Changes every matching row, or only the first one with `max: 1`, and gives back the changed rows. */
export async function updateRows(
  ctx: MutationCtx,
  change: { model: Model; where: Condition[]; set: Fields; max?: number },
): Promise<Fields[]> {
  const rows = await matchingRows(ctx, change.model, change.where);
  const changed: Fields[] = [];
  for (const row of rows.slice(0, change.max)) {
    await requireUnique(ctx, change.model, change.set, row._id);
    await writer(ctx).patch(row._id, change.set);
    changed.push({ ...withoutSystemFields(row), ...change.set });
  }
  return changed;
}

/** Deletes the matching rows, at most `max` of them, and gives back what they held. */
export async function deleteRows(
  ctx: MutationCtx,
  removal: { model: Model; where: Condition[]; max?: number },
): Promise<Fields[]> {
  const rows = (await matchingRows(ctx, removal.model, removal.where)).slice(0, removal.max);
  for (const row of rows) await writer(ctx).delete(row._id);
  return rows.map(withoutSystemFields);
}

/** Adds to the counters of the first matching row and sets other fields in the same step; null when none matches. */
export async function incrementRow(
  ctx: MutationCtx,
  change: { model: Model; where: Condition[]; increment: Record<string, number>; set: Fields },
): Promise<Fields | null> {
  const [row] = await matchingRows(ctx, change.model, change.where);
  if (row === undefined) return null;
  const counted = Object.entries(change.increment).map(([field, delta]) => {
    const before = row[field];
    return [field, (typeof before === "number" ? before : 0) + delta] as const;
  });
  const set = { ...Object.fromEntries(counted), ...change.set };
  await requireUnique(ctx, change.model, change.set, row._id);
  await writer(ctx).patch(row._id, set);
  return { ...withoutSystemFields(row), ...set };
}

/**
 * Removes what has ended, which Better Auth itself never does: sessions and verifications past their end and
 * counters that nobody has touched since `countersBefore`. Answers how many rows went.
 */
export async function pruneRows(ctx: MutationCtx, now: number, countersBefore: number): Promise<number> {
  let removed = 0;
  for (const [model, field, end] of [
    ["session", "expiresAt", now],
    ["verification", "expiresAt", now],
    ["rateLimit", "lastRequest", countersBefore],
  ] as const) {
    const rows = await writer(ctx)
      .query(table(model))
      .withIndex(`ix_${field}`, (q) => q.lt(field, end))
      .take(PRUNE_ROWS_MAX);
    for (const row of rows) await writer(ctx).delete(row._id);
    removed += rows.length;
  }
  return removed;
}

/** Whether the person owns the instance or is a member of an account. */
export async function isAdmitted(ctx: QueryCtx, userId: string): Promise<boolean> {
  const instance = await ctx.db
    .query("instance")
    .withIndex("by_key", (q) => q.eq("key", "instance"))
    .unique();
  if (instance?.ownerUserId === userId) return true;
  const membership = await ctx.db
    .query("accountMembers")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .first();
  return membership !== null;
}

async function matchingRows(ctx: QueryCtx, model: Model, where: Condition[]): Promise<Row[]> {
  const candidates = await candidateRows(ctx, model, where);
  return candidates.filter((row) => meets(row, where));
}

/** A superset of the matching rows through the best index that the conditions allow. */
async function candidateRows(ctx: QueryCtx, model: Model, where: Condition[]): Promise<Row[]> {
  const query = reader(ctx).query(table(model));
  const required = where.filter(
    ({ connector, mode, field }) =>
      connector === "AND" && mode === "sensitive" && INDEXED_FIELDS[model].includes(field),
  );
  const equal = required.find(({ operator, value }) => operator === "eq" && value !== null);
  if (equal !== undefined && !Array.isArray(equal.value)) {
    const { field, value } = equal;
    return await bounded(query.withIndex(`ix_${field}`, (q) => q.eq(field, value)));
  }
  const below = required.find(({ operator }) => operator === "lt" || operator === "lte");
  if (below !== undefined && !Array.isArray(below.value)) {
    const { field, value } = below;
    return await bounded(query.withIndex(`ix_${field}`, (q) => q.lte(field, value)));
  }
  return await bounded(query);
}

/** All rows of a query, or an error rather than a silent part of them. */
async function bounded(query: { take(n: number): Promise<Row[]> }): Promise<Row[]> {
  const rows = await query.take(SCAN_ROWS_MAX + 1);
  if (rows.length > SCAN_ROWS_MAX)
    fail("internal", { say: "The sign-in store was asked for too many rows." });
  return rows;
}

async function requireUnique(
  ctx: MutationCtx,
  model: Model,
  data: Fields,
  self: GenericId<Table> | null,
): Promise<void> {
  for (const field of UNIQUE_FIELDS[model]) {
    const value = data[field];
    if (value === undefined || value === null) continue;
    const taken = await reader(ctx)
      .query(table(model))
      .withIndex(`ix_${field}`, (q) => q.eq(field, value))
      .first();
    if (taken !== null && taken._id !== self) fail("already_exists", { field });
  }
}

function withoutSystemFields({ _id, _creationTime, ...fields }: Row): Fields {
  return fields;
}
