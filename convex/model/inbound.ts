import type { WebhookItem } from "#shared/whatsapp/webhook-types";
import type { MutationCtx } from "../_generated/server";
import { applyFieldEvent, type EventScope } from "./fieldEvents";
import { applyMessage } from "./inboundMessages";
import type { ItemOutcome } from "./itemOutcome";
import { applyStatus } from "./statuses";

/**
 * Applies one item of a verified body to the account that it belongs to. Applying it again changes nothing. Meant to
 * run as its own subtransaction: when it throws, nothing of the item is stored and its neighbours go on.
 */
export async function applyItem(
  ctx: MutationCtx,
  scope: EventScope,
  item: WebhookItem,
  now: number,
): Promise<ItemOutcome> {
  if (item.kind === "event") return await applyFieldEvent(ctx, scope, item, now);
  if (scope.kind === "waba") return withoutNumber(item);
  const { account } = scope;
  switch (item.kind) {
    case "message":
    case "echo":
    case "history":
      return await applyMessage(ctx, account, item, now);
    case "status":
      return await applyStatus(ctx, account._id, item, now);
    case "error":
      return { state: "kept", reason: "account_error" };
    case "standby":
      return { state: "kept", reason: item.kind };
    case "other":
      return item.reason === "field"
        ? { state: "kept", reason: "field" }
        : { state: "dead", reason: item.reason };
    default:
      return item satisfies never;
  }
}

/** Updates of a WhatsApp Business account name no number and are kept; a message or status without one has no home. */
function withoutNumber(item: WebhookItem): ItemOutcome {
  const kept = item.kind === "other" || item.kind === "error";
  return kept ? { state: "kept", reason: "field" } : { state: "dead", reason: "no_number" };
}
