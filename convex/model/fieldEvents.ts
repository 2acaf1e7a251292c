import type { WebhookEvent } from "#shared/whatsapp/webhook-events-types";
import type { EventItem } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { applyNumberEvent } from "./accountEvents";
import { applyCall } from "./calls";
import { applyPreference } from "./consent";
import { changeIds, ensureContact } from "./contacts";
import type { ItemOutcome } from "./itemOutcome";
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
    case "templateStatus":
    case "templateQuality":
    case "templateCategory":
    case "templateText":
      await applyTemplateEvent(ctx, idsOf(scope), event, now, item.entryAtMs ?? now);
      return { state: "processed" };
    case "numberQuality":
    case "numberName":
    case "numberPin":
    case "numberUsername":
    case "account":
    case "alert":
    case "capability":
      for (const account of await accountsOf(ctx, scope)) {
        await applyNumberEvent(ctx, account, event, now, item.entryAtMs ?? now);
      }
      return { state: "processed" };
    case "preference":
      return scope.kind === "number" ? await applyPreference(ctx, scope.account, event, now) : NO_NUMBER;
    case "customerId":
      return scope.kind === "number" ? await applyCustomerId(ctx, scope.account, event, now) : NO_NUMBER;
    case "call":
      return scope.kind === "number" ? await applyCall(ctx, scope.account, event, now) : NO_NUMBER;
    case "addressBook":
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

function idsOf(scope: EventScope): readonly Id<"accounts">[] {
  return scope.kind === "number" ? [scope.account._id] : scope.accountIds;
}

/** What concerns one customer of one number cannot be told to a whole account. */
const NO_NUMBER: ItemOutcome = { state: "dead", reason: "no_number" };

async function accountsOf(ctx: MutationCtx, scope: EventScope): Promise<Doc<"accounts">[]> {
  if (scope.kind === "number") return [scope.account];
  const accounts = await Promise.all(scope.accountIds.map((accountId) => ctx.db.get(accountId)));
  return accounts.filter((account) => account !== null);
}

/** The same person has a new user id; the old one stays theirs for what was written under it. */
async function applyCustomerId(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  event: Extract<WebhookEvent, { type: "customerId" }>,
  now: number,
): Promise<ItemOutcome> {
  const { customer, previousUserId, userId } = event;
  const at = event.atMs ?? now;
  // The party names the new id; the contact is found by the old one, or by the number.
  const known = { ...customer, ...(previousUserId !== undefined && { userId: previousUserId }) };
  const contact = await ensureContact(ctx, account._id, known, { at });
  if (contact === null) return { state: "dead", reason: "no_sender" };
  await changeIds(ctx, contact, { userId, parentUserId: customer.parentUserId }, "id_changed", { at });
  return { state: "processed" };
}
