"use client";

import { useRef, useState } from "react";
import { readDraft, writeDraft } from "@/lib/drafts";
import { OWN_REQUEST_PREFIX } from "@/lib/thread-items";

/** A text on its way out, with the id under which it counts once however often it is handed over. */
export interface OutgoingText {
  readonly text: string;
  readonly clientRequestId: string;
}

/**
 * The unsent text of a conversation. `take` empties the field and hands the text over in one step, so that a second
 * Enter before the next drawing finds nothing to send.
 */
export function useDraft(conversationId: string) {
  const [text, setText] = useState(() => readDraft(conversationId));
  const current = useRef(text);
  /** A text that came back without anybody knowing whether it arrived keeps its id for the next try. */
  const returned = useRef<OutgoingText | null>(null);

  const change = (next: string) => {
    current.current = next;
    setText(next);
    writeDraft(conversationId, next);
  };

  const take = (): OutgoingText | null => {
    const trimmed = current.current.trim();
    if (trimmed === "") return null;
    const isRetry = returned.current?.text === trimmed;
    const clientRequestId =
      isRetry && returned.current
        ? returned.current.clientRequestId
        : OWN_REQUEST_PREFIX + crypto.randomUUID();
    returned.current = null;
    change("");
    return { text: trimmed, clientRequestId };
  };

  /** Puts a text back in front of whatever was typed meanwhile. `keepsId`: the same text is the same message. */
  const giveBack = (outgoing: OutgoingText, { keepsId }: { keepsId: boolean }) => {
    if (keepsId) returned.current = outgoing;
    const meanwhile = current.current;
    change(meanwhile === "" ? outgoing.text : `${outgoing.text}\n${meanwhile}`);
  };

  return { text, change, take, giveBack };
}
