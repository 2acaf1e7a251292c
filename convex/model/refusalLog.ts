import type { RefusalReason } from "#shared/errors";
import type { MutationCtx } from "../_generated/server";
import { type AuditEntry, recordAudit } from "./audit";
import { takeRefusalLine } from "./rateLimits";

/** What was asked for and why it was refused; the outcome of every such line is `refused`. */
export type RefusedEntry = Omit<AuditEntry, "outcome" | "reason"> & { reason: RefusalReason };

/**
 * Writes down a refusal with its reason, in the transaction that answers with it. A flood of refused calls must not
 * become a flood of lines: after `REFUSAL_LINES_PER_HOUR` of one principal in one account, a single line says that
 * further ones of the hour are left out.
 */
export async function recordRefusal(ctx: MutationCtx, entry: RefusedEntry): Promise<void> {
  const { accountId, principal, at } = entry;
  const room = await takeRefusalLine(ctx, `${accountId ?? "deployment"} ${principal}`);
  if (room === "line") await recordAudit(ctx, { ...entry, outcome: "refused" });
  if (room === "last") {
    const left = { action: "refusals.left_out", outcome: "refused", reason: entry.reason, at };
    await recordAudit(ctx, { ...(accountId !== undefined && { accountId }), principal, ...left });
  }
}
