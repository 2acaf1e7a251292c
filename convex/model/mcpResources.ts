import { defined } from "#shared/defined";
import { type RefusalReason, refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { readConversation } from "./callerReads";
import { eventsAfter, lastSeq, newestEvents } from "./events";
import { grantNumber, refuseScope } from "./grants";
import type { Caller } from "./identity";
import { messageOf } from "./mcpPush";
import { readUsage } from "./rateLimits";
import { viewConversation, viewMessage } from "./views";

/** Events behind one read of a number's messages; several may be about one message. */
const EVENTS_READ_MAX = 60;

const MISSING: RefusalReason = "not_found";

/** The business numbers that the caller may use, in the order of the key. */
export async function readNumbers(ctx: QueryCtx, caller: Caller) {
  const accounts = await Promise.all(caller.grantedAccountIds.map((accountId) => ctx.db.get(accountId)));
  return accounts.flatMap((account) =>
    account === null || account.state !== "active"
      ? []
      : [
          {
            name: account.name,
            phoneNumber: account.phoneNumber,
            sending: account.sending?.state ?? ("active" as const),
            ...defined({ pausedFor: account.sending?.reason, quality: account.number?.quality }),
          },
        ],
  );
}

/** What the caller may do and how much of it is left. */
export async function readPolicy(ctx: QueryCtx, caller: Caller) {
  const { scopes, key } = caller;
  return {
    scopes: [...scopes],
    numbers: (await readNumbers(ctx, caller)).map(({ phoneNumber }) => phoneNumber),
    sends: await readUsage(ctx, key),
    ...defined({ expiresAt: key.expiresAt }),
  };
}

/**
 * Messages of a business number by the account's events: those that changed after a place, in the order of the
 * changes, or without a place the newest. `seq` is the place to go on from: whoever always goes on from it misses
 * nothing. A message that changed twice is given once, as it is now.
 */
export async function readNumberMessages(
  ctx: QueryCtx,
  caller: Caller,
  { number, after }: { number: string; after?: number },
) {
  const granted = await grantNumber(ctx, caller, "messages:read", number);
  if (granted.refused) return granted;
  const { account } = granted;
  const events =
    after === undefined
      ? (await newestEvents(ctx, account._id, EVENTS_READ_MAX)).reverse()
      : await eventsAfter(ctx, account._id, after, EVENTS_READ_MAX);
  const seq = events.at(-1)?.seq ?? after ?? 0;
  const ids = [...new Set(events.map(messageOf).filter((id) => id !== undefined))];
  const messages = await Promise.all(ids.map((id) => viewNumberMessage(ctx, account, id)));
  return {
    account: { accountId: account._id, name: account.name, phoneNumber: account.phoneNumber },
    messages: messages.filter((message) => message !== null),
    seq,
    more: after !== undefined && seq < (await lastSeq(ctx, account._id)),
  };
}

async function viewNumberMessage(ctx: QueryCtx, account: Doc<"accounts">, id: string) {
  const messageId = ctx.db.normalizeId("messages", id);
  const message = messageId === null ? null : await ctx.db.get(messageId);
  if (message === null || message.accountId !== account._id) return null;
  const conversation = await ctx.db.get(message.conversationId);
  if (conversation === null) return null;
  const { contact } = await viewConversation(ctx, conversation);
  return {
    conversationId: conversation._id,
    contact,
    message: await viewMessage(ctx, message),
  };
}

/** A conversation by its id, with the newest page of its messages. */
export async function readConversationById(ctx: QueryCtx, caller: Caller, id: string, limit: number) {
  const barred = refuseScope(caller, "messages:read");
  if (barred !== null) return barred;
  const conversationId = ctx.db.normalizeId("conversations", id);
  const conversation = conversationId === null ? null : await ctx.db.get(conversationId);
  const account = conversation === null ? null : await ctx.db.get(conversation.accountId);
  if (conversation === null || account === null) return refusal(MISSING);
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
  const messageId: Id<"messages"> | null = ctx.db.normalizeId("messages", id);
  const message = messageId === null ? null : await ctx.db.get(messageId);
  const account = message === null ? null : await ctx.db.get(message.accountId);
  if (message?.media === undefined || account === null) return refusal(MISSING);
  const granted = await grantNumber(ctx, caller, "messages:read", account.phoneNumberId);
  if (granted.refused) return granted;
  const { mime, bytes, storageId } = message.media;
  const url = storageId === undefined ? null : await ctx.storage.getUrl(storageId);
  return url === null ? refusal(MISSING) : { url, ...defined({ mime, bytes }) };
}
