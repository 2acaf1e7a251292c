import { defined } from "#shared/defined";
import { refusal } from "#shared/errors";
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { fail } from "./errors";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { findMessage } from "./messages";
import { principalKey } from "./principal";
import { findSendOf } from "./sendOutcome";
import { findRequest } from "./sendRequests";
import { viewMessage } from "./views";

export interface StatusRequest {
  from?: string;
  /** Our id of a message or Meta's. */
  message?: string;
  /** The id that this key gave to a send. */
  clientRequestId?: string;
}

/**
 * How far a message has come, with the time of each step. A reaction is no message of its own: named by its
 * `client_request_id` it answers with the message that it points at and how the reaction itself went.
 */
export async function readTimeline(ctx: QueryCtx, caller: Caller, args: StatusRequest) {
  const granted = await grantNumber(ctx, caller, "messages:read", args.from);
  if (granted.refused) return granted;
  if ((args.message === undefined) === (args.clientRequestId === undefined)) {
    fail("invalid_request", { say: "Name the message by its id or by the client_request_id, not by both." });
  }
  const found = await findAsked(ctx, caller, granted.account, args);
  if (found === null) return refusal("not_found");
  const { message, send } = found;
  const isReaction = send !== null && send.messageId === undefined;
  return {
    message: await viewMessage(ctx, message),
    steps: isReaction ? [] : stepsOf(message, send),
    ...(isReaction && { reaction: { state: send.state, ...defined({ error: send.error }) } }),
  };
}

type Asked = { message: Doc<"messages">; send: Doc<"outbox"> | null };

async function findAsked(
  ctx: QueryCtx,
  caller: Caller,
  account: Doc<"accounts">,
  { message: name, clientRequestId }: StatusRequest,
): Promise<Asked | null> {
  if (name !== undefined) {
    const message = await findMessage(ctx, account._id, name);
    return message === null ? null : { message, send: await findSendOf(ctx, message._id) };
  }
  const principal = principalKey({ kind: "key", key: caller.key });
  const request = await findRequest(ctx, account._id, principal, clientRequestId ?? "");
  const message = request === null ? null : await ctx.db.get(request.messageId);
  return request === null || message === null ? null : { message, send: await ctx.db.get(request.outboxId) };
}

/** Each step that is known, by the clock of the one who told it, in the order of their times. */
function stepsOf({ direction, timestamp, statusHistory }: Doc<"messages">, send: Doc<"outbox"> | null) {
  const { sentAt, deliveredAt, readAt, playedAt, failedAt } = statusHistory;
  const steps = [
    { status: "queued" as const, at: send?.enqueuedAt },
    { status: "received" as const, at: direction === "inbound" ? timestamp : undefined },
    { status: "sent" as const, at: sentAt },
    { status: "delivered" as const, at: deliveredAt },
    { status: "read" as const, at: readAt },
    { status: "played" as const, at: playedAt },
    { status: "failed" as const, at: failedAt },
  ];
  return steps
    .flatMap(({ status, at }) => (at === undefined ? [] : [{ status, at }]))
    .sort((a, b) => a.at - b.at);
}
