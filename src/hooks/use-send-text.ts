"use client";

import { insertAtTop, useMutation } from "convex/react";
import { ConvexError } from "convex/values";
import type { SendOutcome } from "@/components/thread/Composer";
import { api, type Conversation, type Message } from "@/lib/backend";
import { failureWords, refusalWords } from "@/lib/failure-words";
import { messageSummary } from "@/lib/message-summary";
import type { OutgoingText } from "./use-draft";

/** Hands a text to the backend. Its bubble is there at once and becomes the real one under the same key. */
export function useSendText(conversation: Conversation) {
  const ids = { accountId: conversation.accountId, conversationId: conversation._id };
  const mutate = useMutation(api.messages.sendText);

  return async (outgoing: OutgoingText, replyTo: Message | null): Promise<SendOutcome> => {
    const send = mutate.withOptimisticUpdate((localQueryStore, args) => {
      insertAtTop({
        paginatedQuery: api.messages.list,
        argsToMatch: ids,
        localQueryStore,
        item: optimisticMessage(args, replyTo),
      });
    });
    try {
      const result = await send({ ...ids, ...outgoing, ...(replyTo && { replyToMessageId: replyTo._id }) });
      if (!("refused" in result)) return { ok: true };
      return { ok: false, words: refusalWords(result), mayHaveArrived: false };
    } catch (error) {
      // A typed error is the backend's own "no": its transaction left nothing behind.
      return { ok: false, words: failureWords(error), mayHaveArrived: !(error instanceof ConvexError) };
    }
  };
}

/** The message as it will be, until the backend's own row takes its place. */
function optimisticMessage(outgoing: OutgoingText, replyTo: Message | null): Message {
  return {
    // Never sent anywhere: the row of the backend replaces it, and the key of its line is the request id.
    _id: outgoing.clientRequestId as Message["_id"],
    direction: "outbound",
    type: "text",
    text: outgoing.text,
    reactions: [],
    ...(replyTo?.wamid && { replyTo: { wamid: replyTo.wamid, preview: messageSummary(replyTo) } }),
    status: "queued",
    timestamp: Date.now(),
    clientRequestId: outgoing.clientRequestId,
    sender: { kind: "user" },
  };
}
