import { v } from "convex/values";
import { defined } from "#shared/defined";
import { cleanText } from "#shared/text";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { conversationMode } from "../tables/accountRules";
import { grantConversation } from "./callerConversations";
import { fail } from "./errors";
import type { DoorRefusal } from "./grants";
import type { Caller } from "./identity";
import { conversationModeOf, moveMode } from "./modes";

/** A reason is one line, a summary what somebody reads before they answer. */
const REASON_CHARACTERS_MAX = 200;
const SUMMARY_CHARACTERS_MAX = 4_000;
/** Hand-overs of one conversation that are shown, newest first. */
const HANDOFFS_SHOWN_MAX = 20;

export const handoffAnswer = v.object({
  conversationId: v.id("conversations"),
  mode: conversationMode,
  /** False when people were in charge already; the note is kept all the same. */
  changed: v.boolean(),
});

export const handoffView = v.object({
  _id: v.id("handoffs"),
  by: v.string(),
  reason: v.string(),
  summary: v.optional(v.string()),
  at: v.number(),
});

export interface HandoffRequest {
  from?: string;
  contact: string;
  reason: string;
  summary?: string;
}

/**
 * An agent gives the conversation to people: reason and summary are stored, the mode becomes `human`, the account's
 * stream tells it. From then on keys are refused in it. Throws `invalid_request`, naming the field.
 */
export async function handOffForCaller(
  ctx: MutationCtx,
  caller: Caller,
  args: HandoffRequest,
  now: number,
): Promise<typeof handoffAnswer.type | DoorRefusal> {
  const granted = await grantConversation(ctx, caller, "write", args);
  if (granted.refused) return granted;
  const { conversation } = granted;
  const reason = cleanText(args.reason).trim();
  const summary = args.summary === undefined ? undefined : cleanText(args.summary).trim();
  if (reason === "" || reason.length > REASON_CHARACTERS_MAX) fail("invalid_request", { field: "reason" });
  if (summary !== undefined && summary.length > SUMMARY_CHARACTERS_MAX) {
    fail("invalid_request", { field: "summary" });
  }
  const by = `key:${caller.apiKeyId}`;
  const note = { reason, ...defined({ summary: summary === "" ? undefined : summary }) };
  await ctx.db.insert("handoffs", {
    accountId: conversation.accountId,
    conversationId: conversation._id,
    by,
    ...note,
    at: now,
  });
  const changed = await moveMode(ctx, conversation, "handOff", by, now, { handoff: note });
  const mode = changed ? "human" : conversationModeOf(conversation);
  return { conversationId: conversation._id, mode, changed };
}

/** The newest hand-overs of a conversation. */
export async function listHandoffs(ctx: QueryCtx, conversationId: Id<"conversations">) {
  const rows = await ctx.db
    .query("handoffs")
    .withIndex("by_conversation", (q) => q.eq("conversationId", conversationId))
    .order("desc")
    .take(HANDOFFS_SHOWN_MAX);
  return rows.map(({ _id, by, reason, summary, at }: Doc<"handoffs">) => ({
    _id,
    by,
    reason,
    at,
    ...defined({ summary }),
  }));
}
