import { toHex } from "#shared/bytes";
import { CLIENT_REQUEST_ID_FORM, DUPLICATE_GUARD_MS } from "#shared/domain/limits";
import { DAY_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";

/** How long the same `client_request_id` gives the same answer. Agents repeat a call within minutes, not days. */
export const REQUEST_KEPT_MS = DAY_MS;

/** SHA-256 of what the hash stands for; two requests are the same when all their parts are, in whatever key order. */
export async function hashOf(parts: readonly unknown[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts, inKeyOrder));
  return toHex(await crypto.subtle.digest("SHA-256", bytes));
}

function inKeyOrder(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The earlier send under this id, or null. Throws `invalid_request` for an id that is not 1 to 64 printable characters. */
export async function findRequest(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  principal: string,
  clientRequestId: string,
): Promise<Doc<"sendRequests"> | null> {
  if (!CLIENT_REQUEST_ID_FORM.test(clientRequestId)) fail("invalid_request", { field: "clientRequestId" });
  return await ctx.db
    .query("sendRequests")
    .withIndex("by_principal_request", (q) =>
      q.eq("accountId", accountId).eq("principal", principal).eq("clientRequestId", clientRequestId),
    )
    .unique();
}

/** The same content to the same customer by the same principal a moment ago, or null. */
export async function findRecentTwin(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
  principal: string,
  contentHash: string,
  now: number,
): Promise<Doc<"sendRequests"> | null> {
  return await ctx.db
    .query("sendRequests")
    .withIndex("by_principal_content", (q) =>
      q
        .eq("conversationId", conversationId)
        .eq("principal", principal)
        .eq("contentHash", contentHash)
        .gt("at", now - DUPLICATE_GUARD_MS),
    )
    .first();
}
