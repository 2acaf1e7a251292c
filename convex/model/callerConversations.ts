import { refusal } from "#shared/errors";
import type { Scope } from "#shared/scopes";
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { findContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { type DoorRefusal, type Granted, grantNumber } from "./grants";
import type { Caller } from "./identity";

/**
 * The conversation that a key works with in this call: scope first, then the number, then the customer, whom it names
 * as people do. A customer who is not there, is another's or has no conversation are one and the same refusal.
 */
export async function grantConversation(
  ctx: QueryCtx,
  caller: Caller,
  needed: Scope,
  { from, contact: name }: { from?: string; contact: string },
): Promise<(Granted & { conversation: Doc<"conversations"> }) | DoorRefusal> {
  const granted = await grantNumber(ctx, caller, needed, from);
  if (granted.refused) return granted;
  const contact = await findContact(ctx, granted.account._id, name);
  const conversation = contact === null ? null : await findConversationOf(ctx, contact);
  return conversation === null ? refusal("not_found") : { account: granted.account, conversation };
}
