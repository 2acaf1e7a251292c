import { defined } from "#shared/defined";
import type { RefusalReason } from "#shared/errors";
import { refusal } from "#shared/errors";
import { hasScope, type Scope } from "#shared/scopes";
import { kindOfName, type MediaKind } from "#shared/whatsapp/media-kinds";
import type { MutationCtx } from "../_generated/server";
import { grantConversation } from "./callerConversations";
import { grantNumber, mayReachCustomers } from "./grants";
import type { Caller } from "./identity";
import { enqueue, validate } from "./outbox";
import { principalKey } from "./principal";
import { requestRead } from "./readMarks";
import { recordRefusal } from "./refusalLog";
import type { Draft, DraftContent, DraftFile, DraftRecipient } from "./sendDraft";

/** What every send of an API key takes beside its content. */
export interface CallerSend {
  from?: string;
  replyTo?: string;
  clientRequestId?: string;
  sendTwice?: boolean;
  validateOnly?: boolean;
  confirmToken?: string;
}

/** Takes a draft of an API key for sending: scope and number first, then the rules that hold for everybody. */
export async function sendForCaller(
  ctx: MutationCtx,
  caller: Caller,
  args: CallerSend & { contact?: string },
  content: DraftContent,
  now: number,
) {
  const granted = await grantNumber(ctx, caller, scopeFor(caller, content), args.from);
  if (granted.refused) {
    await recordUngranted(ctx, caller, granted.reason, args, now);
    return granted;
  }
  const draft: Draft = {
    principal: { kind: "key", key: caller.key },
    account: granted.account,
    recipient: recipientOf(args.contact, content),
    content,
    ...defined({ replyTo: args.replyTo, clientRequestId: args.clientRequestId, sendTwice: args.sendTwice }),
    ...defined({ confirmToken: args.confirmToken }),
    now,
  };
  return args.validateOnly === true ? await validate(ctx, draft) : await enqueue(ctx, draft);
}

/** The key may not use that number, or not send: told to the account that the key was made for. */
async function recordUngranted(
  ctx: MutationCtx,
  caller: Caller,
  reason: RefusalReason,
  { validateOnly }: CallerSend,
  at: number,
): Promise<void> {
  if (validateOnly === true) return;
  const { accountId, key } = caller;
  const principal = principalKey({ kind: "key", key });
  await recordRefusal(ctx, { accountId, principal, action: "message.send", reason, at });
}

/** A reaction changes a message that is there; whoever may write or send may react. */
function scopeFor({ scopes }: Caller, { type }: DraftContent): Scope {
  return type === "reaction" && !hasScope(scopes, "send") ? "write" : "send";
}

function recipientOf(contact: string | undefined, content: DraftContent): DraftRecipient {
  if (content.type === "reaction") return { kind: "message", messageId: content.messageId };
  return { kind: "contact", text: contact ?? "" };
}

/** Marks what a customer wrote as read on behalf of an API key: scope and number first, then the conversation. */
export async function readForCaller(
  ctx: MutationCtx,
  caller: Caller,
  args: { from?: string; contact: string; typing?: boolean },
  now: number,
) {
  const granted = await grantConversation(ctx, caller, "write", args);
  if (granted.refused) return granted;
  // A receipt and a typing sign reach the customer as a word does.
  if (!mayReachCustomers(caller.key)) return refusal("scope_missing", { say: "The key works inbound only." });
  return await requestRead(ctx, granted.conversation, { kind: "key" }, args.typing === true, now);
}

/**
 * How WhatsApp shows a file of which nobody said it: an upload as what its bytes were judged to be, anything else by the
 * ending of its name. Tells nothing of an upload of others, which the send itself refuses.
 */
export async function kindOfFile(
  ctx: MutationCtx,
  file: DraftFile,
  filename: string | undefined,
): Promise<MediaKind> {
  if ("uploadId" in file) {
    const id = ctx.db.normalizeId("uploads", file.uploadId);
    const upload = id === null ? null : await ctx.db.get(id);
    return upload?.kind ?? "document";
  }
  const name = "link" in file ? pathOf(file.link) : "";
  return kindOfName(filename ?? "") ?? kindOfName(name) ?? "document";
}

/** The path of an address, without the query in which a name could stand that is not the file's. */
function pathOf(link: string): string {
  return link.split(/[?#]/, 1)[0] ?? "";
}
