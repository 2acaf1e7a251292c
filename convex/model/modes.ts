import { type ConversationMode, modeObstacle } from "#shared/domain/conversation-mode";
import type { RefusalReason } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { readAccountRules } from "./accountRules";
import type { Principal } from "./principal";

/** Why this principal may not write in the conversation (`human_in_control`, `conversation_paused`), or null. */
export function checkMode(
  conversation: Pick<Doc<"conversations">, "mode">,
  principal: Pick<Principal, "kind">,
): Extract<RefusalReason, "human_in_control" | "conversation_paused"> | null {
  return principal.kind === "user" ? null : modeObstacle(conversationModeOf(conversation));
}

/** The mode of a conversation; rows without one are in mode `agent`. */
export function conversationModeOf({ mode }: Pick<Doc<"conversations">, "mode">): ConversationMode {
  return mode ?? "agent";
}

/** The mode that a new conversation of the account begins with. */
export async function firstMode(ctx: QueryCtx, accountId: Id<"accounts">): Promise<ConversationMode> {
  return (await readAccountRules(ctx, accountId)).defaultMode ?? "agent";
}
