import { v } from "convex/values";
import { OWN_WORD_CHARACTERS_MAX, OWN_WORDS_MAX, plainWord } from "#shared/domain/consent-words";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { conversationMode, retentionRules } from "../tables/accountRules";
import { recordAudit } from "./audit";
import { fail } from "./errors";

/** What an account has decided for itself; every field that is missing means the default. */
export type AccountRules = Omit<Doc<"accountRules">, "_id" | "_creationTime" | "accountId">;

/** The rules as doors take and return them. */
export const accountRulesFields = {
  optOutWords: v.optional(v.array(v.string())),
  optInWords: v.optional(v.array(v.string())),
  defaultMode: v.optional(conversationMode),
  memberReplyTakesOver: v.optional(v.boolean()),
  handBackMinutes: v.optional(v.number()),
  sendsReadReceipts: v.optional(v.boolean()),
  retention: v.optional(retentionRules),
};

/** A month: whoever wants longer wants no hand-back. */
const HAND_BACK_MINUTES_MAX = 31 * 24 * 60;
/** Ten years, the longest period for which a business keeps papers. */
const RETENTION_DAYS_MAX = 3_660;
/** A chain that is cut shorter than a month explains nothing when somebody asks. */
const AUDIT_DAYS_MIN = 30;

/** The rules of an account; empty when it never changed any. */
export async function readAccountRules(ctx: QueryCtx, accountId: Id<"accounts">): Promise<AccountRules> {
  const row = await rulesRow(ctx, accountId);
  if (row === null) return {};
  const { _id, _creationTime, accountId: _, ...rules } = row;
  return rules;
}

/** Replaces the rules of an account as a whole. Throws `invalid_request`, naming the field. */
export async function writeAccountRules(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  rules: AccountRules,
  principal: string,
  now: number,
): Promise<void> {
  checkRules(rules);
  const row = await rulesRow(ctx, accountId);
  if (row === null) await ctx.db.insert("accountRules", { accountId, ...rules });
  else await ctx.db.replace(row._id, { accountId, ...rules });
  await recordAudit(ctx, { accountId, principal, action: "account.rules", outcome: "done", at: now });
}

function checkRules(rules: AccountRules): void {
  for (const field of ["optOutWords", "optInWords"] as const) {
    const words = rules[field] ?? [];
    const fine = words.every((word) => plainWord(word) !== "" && word.length <= OWN_WORD_CHARACTERS_MAX);
    if (!fine || words.length > OWN_WORDS_MAX) fail("invalid_request", { field });
  }
  if (!isWhole(rules.handBackMinutes, 1, HAND_BACK_MINUTES_MAX)) {
    fail("invalid_request", { field: "handBackMinutes" });
  }
  for (const [field, least] of Object.entries(RETENTION_DAYS_MIN)) {
    const days = Object.entries(rules.retention ?? {}).find(([name]) => name === field)?.[1];
    if (!isWhole(days, least, RETENTION_DAYS_MAX)) fail("invalid_request", { field });
  }
}

const RETENTION_DAYS_MIN = { rawBodyDays: 0, auditDays: AUDIT_DAYS_MIN, eventDays: 1 };

function isWhole(value: number | undefined, least: number, most: number): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most);
}

async function rulesRow(ctx: QueryCtx, accountId: Id<"accounts">): Promise<Doc<"accountRules"> | null> {
  return await ctx.db
    .query("accountRules")
    .withIndex("by_account", (q) => q.eq("accountId", accountId))
    .unique();
}
