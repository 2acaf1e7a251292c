import type { EventItem } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { applyPreference } from "./consent";
import type { ItemOutcome } from "./inbound";
import { applyTemplateEvent } from "./templates";

/**
 * Whom an event concerns: one number, or a whole WhatsApp Business account, whose numbers that are connected here
 * and vouched for by the signature are given.
 */
export type EventScope =
  | { kind: "number"; account: Doc<"accounts"> }
  | { kind: "waba"; wabaId: string; accountIds: readonly Id<"accounts">[] };

/**
 * Applies what Meta tells beside messages and statuses, by calling the owner of the table that it changes. Applying
 * it again changes nothing. What nobody acts upon is kept: it stands in the stored body.
 */
export async function applyFieldEvent(
  ctx: MutationCtx,
  scope: EventScope,
  item: EventItem,
  now: number,
): Promise<ItemOutcome> {
  const { event } = item;
  switch (event.type) {
    case "preference":
      return scope.kind === "number"
        ? await applyPreference(ctx, scope.account, event, now)
        : { state: "kept", reason: event.type };
    case "templateStatus":
    case "templateQuality":
    case "templateCategory":
    case "templateText":
      await applyTemplateEvent(ctx, accountsOf(scope), event, now, item.entryAtMs ?? now);
      return { state: "processed" };
    case "numberQuality":
    case "numberName":
    case "numberPin":
    case "numberUsername":
    case "account":
    case "alert":
    case "capability":
    case "customerId":
    case "addressBook":
    case "call":
    case "group":
    case "handover":
    case "historyRefused":
    case "flow":
    case "conversion":
    case "setting":
      return { state: "kept", reason: event.type };
    default:
      return event satisfies never;
  }
}

function accountsOf(scope: EventScope): readonly Id<"accounts">[] {
  return scope.kind === "number" ? [scope.account._id] : scope.accountIds;
}
