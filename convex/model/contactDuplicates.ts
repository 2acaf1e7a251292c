import { defined } from "#shared/defined";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { appendEvent } from "./events";

/**
 * Notes that two contacts may be one person. One row per pair: what was decided about it once stays decided.
 */
export async function suggestDuplicate(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  pair: readonly [Id<"contacts">, Id<"contacts">],
  reason: Doc<"contactDuplicates">["reason"],
  seen: { at: number; wamid?: string } | undefined,
): Promise<void> {
  const [firstId, secondId] = pair[0] < pair[1] ? pair : [pair[1], pair[0]];
  if (firstId === secondId) return;
  const known = await ctx.db
    .query("contactDuplicates")
    .withIndex("by_pair", (q) => q.eq("accountId", accountId).eq("firstId", firstId).eq("secondId", secondId))
    .unique();
  if (known !== null) return;
  const duplicateId = await ctx.db.insert("contactDuplicates", {
    accountId,
    firstId,
    secondId,
    reason,
    state: "open",
    suggestedAt: seen?.at ?? 0,
    ...defined({ wamid: seen?.wamid }),
  });
  await appendEvent(ctx, {
    accountId,
    type: "contact.duplicate.suggested",
    dedupeKey: `${firstId}:${secondId}`,
    occurredAt: seen?.at ?? 0,
    payload: { duplicate: { id: duplicateId, reason, contactIds: [firstId, secondId] } },
  });
}
