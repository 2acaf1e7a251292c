import { DAY_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

/** Whoever stored a file and did not write it down within a day is gone. */
const ORPHAN_AGE_MS = DAY_MS;
/** Files that one run of the sweeper compares; each costs one read. */
const SWEEP_FILES_MAX = 200;

/**
 * Writes down that one more row refers to a file. Everybody who stores a file calls this in the mutation that keeps its
 * id; a file that nobody holds is removed after a day.
 */
export async function holdFile(
  ctx: MutationCtx,
  storageId: Id<"_storage">,
  accountId: Id<"accounts">,
): Promise<void> {
  const row = await findStoredFile(ctx, storageId);
  if (row === null) await ctx.db.insert("storedFiles", { storageId, accountId, holders: 1 });
  else await ctx.db.patch(row._id, { holders: row.holders + 1 });
}

/** Takes one reference back; with the last one the file is deleted. */
export async function releaseFile(ctx: MutationCtx, storageId: Id<"_storage">): Promise<void> {
  const row = await findStoredFile(ctx, storageId);
  if (row !== null && row.holders > 1) {
    await ctx.db.patch(row._id, { holders: row.holders - 1 });
    return;
  }
  if (row !== null) await ctx.db.delete(row._id);
  if ((await ctx.db.system.get(storageId)) !== null) await ctx.storage.delete(storageId);
}

/** Who holds a file, or null for one that nobody holds. */
export async function findStoredFile(
  ctx: QueryCtx,
  storageId: Id<"_storage">,
): Promise<Doc<"storedFiles"> | null> {
  return await ctx.db
    .query("storedFiles")
    .withIndex("by_storage", (q) => q.eq("storageId", storageId))
    .unique();
}

/** Cron: removes the next files that nobody holds. Returns whether there may be more to compare. */
export async function sweepStoredFiles(ctx: MutationCtx, now: number): Promise<boolean> {
  const sweep = await ctx.db.query("storedFileSweeps").withIndex("by_creation_time").first();
  const files = await ctx.db.system
    .query("_storage")
    .withIndex("by_creation_time", (q) =>
      q.gt("_creationTime", sweep?.checkedUntil ?? 0).lt("_creationTime", now - ORPHAN_AGE_MS),
    )
    .take(SWEEP_FILES_MAX);
  for (const { _id } of files) {
    if ((await findStoredFile(ctx, _id)) === null) await ctx.storage.delete(_id);
  }
  const checkedUntil = doneUntil(files);
  if (checkedUntil !== undefined) {
    if (sweep === null) await ctx.db.insert("storedFileSweeps", { checkedUntil });
    else await ctx.db.patch(sweep._id, { checkedUntil });
  }
  return files.length === SWEEP_FILES_MAX;
}

/**
 * Up to when (ms) all files have been compared. A full batch may end between files of one moment; those of its last
 * moment are compared again, unless all of them are of that one.
 */
function doneUntil(files: readonly { _creationTime: number }[]): number | undefined {
  const last = files.at(-1)?._creationTime;
  if (files.length < SWEEP_FILES_MAX) return last;
  return files.findLast(({ _creationTime }) => _creationTime !== last)?._creationTime ?? last;
}
