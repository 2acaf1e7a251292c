import { defined } from "#shared/defined";
import { isRefusalReason } from "#shared/errors";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import { fail } from "./errors";
import { takeRequestTokens } from "./rateLimits";
import { recordRefusal } from "./refusalLog";

/** Lines of one transaction; the writer sends what has gathered since the last one. */
export const AUDITED_CALLS_MAX = 100;

export interface AuditedCall {
  apiKeyId: Id<"apiKeys">;
  tool: string;
  argumentHash: string;
  target?: string;
  outcome: string;
  /** How long the call took. */
  ms: number;
  /** When it was answered (ms). */
  at: number;
}

/** Allows the next requests of a key, or says how long to wait (ms). A key that is gone gets nothing. */
export async function takeRequests(ctx: MutationCtx, apiKeyId: Id<"apiKeys">) {
  const key = await ctx.db.get(apiKeyId);
  if (key === null || key.revokedAt !== undefined) fail("unauthorized");
  return await takeRequestTokens(ctx, key);
}

/**
 * One line in the audit log for each call, under the account that the key was made for; refused ones say why, and are
 * as few as `recordRefusal` lets through. A call whose key is gone with its account leaves no line, because there is
 * nobody who could read it. Throws `invalid_request`.
 */
export async function recordCalls(ctx: MutationCtx, calls: readonly AuditedCall[]): Promise<void> {
  if (calls.length > AUDITED_CALLS_MAX) fail("invalid_request", { field: "calls" });
  for (const { apiKeyId, outcome, target, ...call } of calls) {
    const key = await ctx.db.get(apiKeyId);
    if (key === null) continue;
    const { accountId } = key;
    const line = {
      accountId,
      principal: `key:${apiKeyId}`,
      action: "mcp.call",
      ...call,
      ...defined({ target }),
    };
    if (isRefusalReason(outcome)) await recordRefusal(ctx, { ...line, reason: outcome });
    else await recordAudit(ctx, { ...line, outcome });
  }
}
