import type { Infer } from "convex/values";
import { firstEnd, type TokenEnds, warningDue } from "#shared/domain/token-expiry";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { tokenWarning } from "../tables/accounts";
import { tellAccount } from "./accountNews";
import { recordAudit } from "./audit";

type TokenWarning = Infer<typeof tokenWarning>;

/** Keeps on the account's row when its token ends; the same dates again write nothing. */
export async function noteTokenEnds(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  { expiresAt, dataAccessExpiresAt }: TokenEnds,
): Promise<void> {
  const isKnown = account.tokenExpiresAt === expiresAt && account.dataAccessExpiresAt === dataAccessExpiresAt;
  if (!isKnown) await ctx.db.patch(account._id, { tokenExpiresAt: expiresAt, dataAccessExpiresAt });
}

/** When the token of an account ends, as far as its row knows. */
export function endsOfToken({ tokenExpiresAt, dataAccessExpiresAt }: Doc<"accounts">): TokenEnds {
  return { expiresAt: tokenExpiresAt, dataAccessExpiresAt };
}

/**
 * Tells in the audit log and in the account's events that its token ends soon, once for each step of
 * `TOKEN_WARNING_DAYS`. `told` is what was told last; what holds now is returned, to be given back the next time.
 */
export async function tellTokenEnd(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  told: TokenWarning | undefined,
  now: number,
): Promise<TokenWarning | undefined> {
  const endsAt = firstEnd(endsOfToken(account));
  const days = endsAt === null ? null : warningDue(endsAt, now);
  if (endsAt === null || days === null) return undefined;
  if (told?.endsAt === endsAt && told.days <= days) return told;
  await recordAudit(ctx, {
    accountId: account._id,
    principal: "system",
    action: "account.token",
    outcome: `ends_within:${days}d`,
    at: now,
  });
  const fact = { change: "token", key: `${endsAt}:${days}`, at: now, source: "pons" } as const;
  await tellAccount(ctx, account._id, fact);
  return { endsAt, days };
}
