import { defined } from "#shared/defined";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { requireConversation } from "./conversations";
import { enqueue, validate } from "./outbox";
import { personAsPrincipal } from "./principal";
import type { Draft, DraftContent } from "./sendDraft";

/** What every send of a member takes beside its content. */
export interface MemberSend {
  conversationId: Id<"conversations">;
  clientRequestId: string;
  replyToMessageId?: Id<"messages">;
  validateOnly?: boolean;
}

/** Takes a draft of a member for sending. Throws `not_found` for a conversation that is not of the account. */
export async function sendForMember(
  ctx: MutationCtx & { account: Doc<"accounts">; userId: string },
  args: MemberSend,
  content: DraftContent,
  now: number,
) {
  const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
  const draft: Draft = {
    principal: await personAsPrincipal(ctx, ctx.userId),
    account: ctx.account,
    recipient: { kind: "conversation", conversation },
    content,
    clientRequestId: args.clientRequestId,
    ...defined({ replyTo: args.replyToMessageId }),
    now,
  };
  return args.validateOnly === true ? await validate(ctx, draft) : await enqueue(ctx, draft);
}
