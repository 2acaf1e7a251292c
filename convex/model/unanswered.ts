import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

/** Messages that one look back reads. Whoever wrote more than that without an answer has waited as long as before. */
const LOOK_BACK_ROWS_MAX = 50;

/** Notices of WhatsApp and calls are nobody's question. */
const NO_QUESTIONS: ReadonlySet<string> = new Set(["system", "call"]);

type Weighed = Pick<Doc<"messages">, "direction" | "type" | "status" | "imported">;

/** Whether somebody should answer the message. What was written before the number was connected is not asked again. */
function isQuestion({ direction, type, imported }: Weighed): boolean {
  return direction === "inbound" && imported !== true && !NO_QUESTIONS.has(type);
}

/** Whether the customer got something: a message that failed leaves the question open. Reactions are no messages. */
function isAnswer({ direction, type, status }: Weighed): boolean {
  return direction === "outbound" && status !== "failed" && !NO_QUESTIONS.has(type);
}

/**
 * Since when (ms) the customer waits once this message stands last in the conversation; undefined = nobody waits.
 */
export function unansweredAfter(
  { unansweredSince }: Pick<Doc<"conversations">, "unansweredSince">,
  message: Weighed,
  sortAt: number,
): number | undefined {
  if (isAnswer(message)) return undefined;
  return unansweredSince ?? (isQuestion(message) ? sortAt : undefined);
}

/**
 * Works out anew since when the customer waits: since the oldest question after the latest answer. Needed where the
 * end of the thread does not tell: a message came in between, or an answer turned out to have failed.
 */
export async function refreshUnanswered(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
): Promise<void> {
  const conversation = await ctx.db.get(conversationId);
  if (conversation === null) return;
  const newest = await ctx.db
    .query("messages")
    .withIndex("by_conversation_order", (q) => q.eq("conversationId", conversationId))
    .order("desc")
    .take(LOOK_BACK_ROWS_MAX);
  const answerAt = newest.findIndex(isAnswer);
  const questions = newest.slice(0, answerAt === -1 ? newest.length : answerAt).filter(isQuestion);
  const oldest = questions.at(-1)?.sortAt;
  const known = conversation.unansweredSince;
  const goesBackFurther = answerAt === -1 && newest.length === LOOK_BACK_ROWS_MAX;
  const unansweredSince = goesBackFurther && known !== undefined ? Math.min(known, oldest ?? known) : oldest;
  if (unansweredSince !== known) await ctx.db.patch(conversationId, { unansweredSince });
}
