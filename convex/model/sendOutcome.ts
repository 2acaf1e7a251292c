import { defined } from "#shared/defined";
import type { SendState } from "#shared/domain/send-state";
import { refusal } from "#shared/errors";
import { hasScope, type Scope } from "#shared/scopes";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { type DoorRefusal, grantNumber } from "./grants";
import type { Caller } from "./identity";
import { principalKey } from "./principal";
import { findRequest } from "./sendRequests";

/** By which of its names a send is asked for; the first one that is given counts. */
export interface SendName {
  from?: string;
  messageId?: Id<"messages">;
  sendId?: Id<"outbox">;
  clientRequestId?: string;
}

/** Whoever may send may ask how it went, and so may whoever reads messages, where the same is written. */
const OUTCOME_SCOPES = ["send", "write", "messages:read"] as const satisfies readonly Scope[];

/** How a send went, in the words of the public contract. What was not sent from here does not exist. */
export async function readOutcome(ctx: QueryCtx, caller: Caller, name: SendName) {
  if (!OUTCOME_SCOPES.some((scope) => hasScope(caller.scopes, scope))) return refusal("scope_missing");
  const found = await findSend(ctx, caller, name);
  if ("refused" in found) return found;
  const { row, about } = found;
  const message = await ctx.db.get(about);
  if (message === null || !caller.grantedAccountIds.includes(row.accountId)) return refusal("not_found");
  // A reaction has no message of its own: what became of it stands in its row.
  const { wamid, error } = row.messageId === undefined ? row : message;
  return { outcome: OUTCOMES[row.state], message_id: about, ...defined({ wamid, error }) };
}

interface Found {
  row: Doc<"outbox">;
  /** The message that was made, or that a reaction points at. */
  about: Id<"messages">;
}

async function findSend(ctx: QueryCtx, caller: Caller, name: SendName): Promise<Found | DoorRefusal> {
  if (name.messageId !== undefined) {
    const row = await findSendOf(ctx, name.messageId);
    return row === null ? refusal("not_found") : { row, about: name.messageId };
  }
  const request = await findRequestBy(ctx, caller, name);
  if (request === null) return refusal("not_found");
  if ("refused" in request) return request;
  const row = await ctx.db.get(request.outboxId);
  return row === null ? refusal("not_found") : { row, about: request.messageId };
}

async function findRequestBy(
  ctx: QueryCtx,
  caller: Caller,
  { from, sendId, clientRequestId }: SendName,
): Promise<Doc<"sendRequests"> | DoorRefusal | null> {
  if (sendId !== undefined) {
    return await ctx.db
      .query("sendRequests")
      .withIndex("by_outbox", (q) => q.eq("outboxId", sendId))
      .unique();
  }
  if (clientRequestId === undefined) return null;
  const granted = await grantNumber(ctx, caller, hasScope(caller.scopes, "send") ? "send" : "write", from);
  if (granted.refused) return granted;
  const principal = principalKey({ kind: "key", key: caller.key });
  return await findRequest(ctx, granted.account._id, principal, clientRequestId);
}

/** The send that made a message, or null for a message that was not sent from here. */
export async function findSendOf(ctx: QueryCtx, messageId: Id<"messages">): Promise<Doc<"outbox"> | null> {
  return await ctx.db
    .query("outbox")
    .withIndex("by_message", (q) => q.eq("messageId", messageId))
    .unique();
}

const OUTCOMES = {
  queued: "pending",
  claimed: "pending",
  dispatching: "pending",
  accepted: "accepted",
  markedSent: "accepted",
  rejected: "rejected",
  cancelled: "rejected",
  unknown: "unknown",
} as const satisfies Record<SendState, string>;
