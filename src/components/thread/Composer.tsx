"use client";

import { SendHorizontalIcon, TriangleAlertIcon } from "lucide-react";
import { type KeyboardEvent, type RefObject, useEffect, useId, useState } from "react";
import { countCharacters } from "#shared/text";
import { type OutgoingText, useDraft } from "@/hooks/use-draft";
import type { FailureWords } from "@/lib/failure-words";
import { Button } from "../ui/button";
import { Textarea } from "../ui/textarea";

/** Meta's limit of a text message (`shared/whatsapp/outbound`); the backend refuses longer ones. */
const TEXT_CHARACTERS_MAX = 4096;

/** From here on the remaining characters are shown. */
const CHARACTERS_LEFT_SHOWN = 300;

/** How handing a text over went. `mayHaveArrived`: nobody knows, so the same text must stay the same message. */
export type SendOutcome = { ok: true } | { ok: false; words: FailureWords; mayHaveArrived: boolean };

/** The field in which an answer is written. Enter sends, Shift+Enter starts a new line. */
export function Composer({
  conversationId,
  onSend,
  fieldRef,
}: {
  conversationId: string;
  onSend: (outgoing: OutgoingText) => Promise<SendOutcome>;
  fieldRef: RefObject<HTMLTextAreaElement | null>;
}) {
  const draft = useDraft(conversationId);
  const [failure, setFailure] = useState<FailureWords | null>(null);
  const hintId = useId();
  const charactersLeft = TEXT_CHARACTERS_MAX - countCharacters(draft.text.trim());
  const canSend = draft.text.trim() !== "" && charactersLeft >= 0;

  const send = async () => {
    if (charactersLeft < 0) return;
    const outgoing = draft.take();
    if (!outgoing) return;
    setFailure(null);
    const outcome = await onSend(outgoing);
    if (outcome.ok) return;
    setFailure(outcome.words);
    draft.giveBack(outgoing, { keepsId: outcome.mayHaveArrived });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    void send();
  };

  useFocusWithMouse(fieldRef);

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      className="grid gap-2"
    >
      <div role="alert">{failure && <SendFailure failure={failure} />}</div>
      <div className="flex items-end gap-2">
        <Textarea
          ref={fieldRef}
          dir="auto"
          rows={1}
          aria-label="Message"
          aria-describedby={hintId}
          placeholder="Write a message"
          enterKeyHint="send"
          value={draft.text}
          onChange={(event) => {
            draft.change(event.target.value);
            setFailure(null);
          }}
          onKeyDown={onKeyDown}
          className="max-h-40 min-h-10 border-input/60 leading-6 focus-visible:border-ring focus-visible:outline-1"
        />
        <Button
          type="submit"
          size="icon"
          aria-label="Send"
          aria-disabled={!canSend}
          className="size-10 rounded-full"
        >
          <SendHorizontalIcon className="size-5" aria-hidden="true" />
        </Button>
      </div>
      <p id={hintId} className="sr-only">
        Enter sends, Shift and Enter start a new line.
      </p>
      {charactersLeft <= CHARACTERS_LEFT_SHOWN && (
        <p
          role="status"
          className={charactersLeft < 0 ? "text-destructive text-xs" : "text-muted-foreground text-xs"}
        >
          {charactersLeft < 0
            ? `${-charactersLeft} characters too long`
            : `${charactersLeft} characters left`}
        </p>
      )}
    </form>
  );
}

/** Enter alone. While an input method composes, Enter chooses a word; Safari reports that one with code 229. */
function isSendKey(event: KeyboardEvent): boolean {
  const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
  const isPlain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
  return event.key === "Enter" && isPlain && !isComposing;
}

/** Ready to type where that costs nothing: on a touch screen the keyboard would cover the conversation. */
function useFocusWithMouse(fieldRef: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    if (window.matchMedia("(pointer: fine)").matches) fieldRef.current?.focus({ preventScroll: true });
  }, [fieldRef]);
}

function SendFailure({ failure }: { failure: FailureWords }) {
  return (
    <p className="flex items-start gap-2 rounded-lg border border-destructive/40 px-3 py-2 text-sm">
      <TriangleAlertIcon className="mt-0.5 size-4 shrink-0 text-destructive" aria-hidden="true" />
      <span>
        <span className="font-medium">Not sent. </span>
        {failure.message} {failure.nextStep}
      </span>
    </p>
  );
}
