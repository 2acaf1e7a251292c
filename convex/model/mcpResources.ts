import { defined } from "#shared/defined";
import { refusal } from "#shared/errors";
import type { QueryCtx } from "../_generated/server";
import { readConversation } from "./callerReads";
import { grantNumber, refuseScope } from "./grants";
import type { Caller } from "./identity";

/** A conversation by its id, with the newest page of its messages. */
export async function readConversationById(ctx: QueryCtx, caller: Caller, id: string, limit: number) {
  const barred = refuseScope(caller, "messages:read");
  if (barred !== null) return barred;
  const conversationId = ctx.db.normalizeId("conversations", id);
  const conversation = conversationId === null ? null : await ctx.db.get(conversationId);
  const account = conversation === null ? null : await ctx.db.get(conversation.accountId);
  if (conversation === null || account === null) return refusal("not_found");
  return await readConversation(ctx, caller, {
    from: account.phoneNumberId,
    contact: conversation.contactId,
    limit,
  });
}

/** Where the file of a message is, for the app, which hands on the bytes and never the address. */
export async function locateMedia(ctx: QueryCtx, caller: Caller, id: string) {
  const barred = refuseScope(caller, "messages:read");
  if (barred !== null) return barred;
  const messageId = ctx.db.normalizeId("messages", id);
  const message = messageId === null ? null : await ctx.db.get(messageId);
  const account = message === null ? null : await ctx.db.get(message.accountId);
  if (message?.media === undefined || message.revokedAt !== undefined || account === null)
    return refusal("not_found");
  const granted = await grantNumber(ctx, caller, "messages:read", account.phoneNumberId);
  if (granted.refused) return granted;
  const { mime, bytes, storageId } = message.media;
  const url = storageId === undefined ? null : await ctx.storage.getUrl(storageId);
  return url === null ? refusal("not_found") : { url, ...defined({ mime, bytes }) };
}
