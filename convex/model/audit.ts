import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

type Entry = Omit<Doc<"auditLog">, "_id" | "_creationTime">;

/** Appends one line to the audit log, in the transaction of the thing that it is about. */
export async function recordAudit(ctx: MutationCtx, entry: Entry): Promise<void> {
  await ctx.db.insert("auditLog", entry);
}
