import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";
import type { DoorRefusal } from "./grants";

export type Principal = { kind: "user"; userId: string } | { kind: "key"; key: Doc<"apiKeys"> };
export interface TextDraft {
  principal: Principal;
  account: Doc<"accounts">;
  recipient: { kind: "conversation"; conversation: Doc<"conversations"> } | { kind: "contact"; text: string };
  text: string;
  replyTo?: string;
  clientRequestId?: string;
  now: number;
}
export async function enqueueText(
  _ctx: MutationCtx,
  _draft: TextDraft,
): Promise<
  { outcome: "pending"; messageId: Id<"messages">; conversationId: Id<"conversations"> } | DoorRefusal
> {
  fail("unavailable");
}
export async function validateText(
  _ctx: MutationCtx,
  _draft: TextDraft,
): Promise<{ valid: true; conversationId: Id<"conversations">; windowExpiresAt?: number } | DoorRefusal> {
  fail("unavailable");
}
