import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

/**
 * The file of an account with this id, whatever its state, or null: one of another account and one that does not
 * exist are the same. Whoever sends it checks `principal` and `expiresAt`.
 */
export async function findUpload(
  ctx: QueryCtx,
  account: Doc<"accounts">,
  uploadId: string,
): Promise<Doc<"uploads"> | null> {
  const id = ctx.db.normalizeId("uploads", uploadId);
  const upload = id === null ? null : await ctx.db.get(id);
  return upload?.accountId === account._id ? upload : null;
}
