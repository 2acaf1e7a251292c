"use client";

import { LockIcon, XIcon } from "lucide-react";
import type { RefObject } from "react";
import { mayStillSend } from "#shared/domain/window";
import { useClock } from "@/hooks/use-clock";
import { useSendText } from "@/hooks/use-send-text";
import type { Conversation, Message } from "@/lib/backend";
import { contactName } from "@/lib/contact-name";
import { messageSummary } from "@/lib/message-summary";
import { Button } from "../ui/button";
import { Composer } from "./Composer";

/** The foot of a thread: the field to answer while the window is open, the reason why not when it is closed. */
export function ConversationComposer({
  conversation,
  replyTo,
  onReplyDone,
  fieldRef,
}: {
  conversation: Conversation;
  replyTo: Message | null;
  onReplyDone: () => void;
  fieldRef: RefObject<HTMLTextAreaElement | null>;
}) {
  const isOpen = useClock((now) => mayStillSend(conversation.windowExpiresAt ?? null, now));
  const sendText = useSendText(conversation);
  const name = contactName(conversation.contact);
  return (
    <footer className="shrink-0 border-t bg-background px-3 pt-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-6">
      <div className="mx-auto w-full max-w-4xl">
        {isOpen ? (
          <>
            {replyTo && <ReplyTo message={replyTo} customerName={name} onCancel={onReplyDone} />}
            <Composer
              conversationId={conversation._id}
              fieldRef={fieldRef}
              onSend={(outgoing) => {
                onReplyDone();
                return sendText(outgoing, replyTo);
              }}
            />
          </>
        ) : (
          <WindowClosed name={name} hasWritten={conversation.windowExpiresAt !== undefined} />
        )}
      </div>
    </footer>
  );
}

function ReplyTo({
  message,
  customerName,
  onCancel,
}: {
  message: Message;
  customerName: string;
  onCancel: () => void;
}) {
  return (
    <div className="mb-2 flex items-center gap-2 rounded-md border-primary border-l-3 bg-muted py-1 pr-1 pl-3">
      <p className="grid min-w-0 flex-1 grid-cols-1 text-sm">
        <span className="font-medium text-primary text-xs">
          Reply to {message.direction === "inbound" ? <bdi dir="auto">{customerName}</bdi> : "our message"}
        </span>
        <bdi dir="auto" className="truncate text-muted-foreground">
          {messageSummary(message)}
        </bdi>
      </p>
      <Button variant="ghost" size="icon" aria-label="Do not quote" onClick={onCancel} className="size-8">
        <XIcon className="size-4" aria-hidden="true" />
      </Button>
    </div>
  );
}

function WindowClosed({ name, hasWritten }: { name: string; hasWritten: boolean }) {
  return (
    <div role="status" className="flex items-start gap-3 rounded-lg bg-muted px-4 py-3 text-sm">
      <LockIcon className="mt-0.5 size-4 shrink-0 text-muted-foreground" aria-hidden="true" />
      <p>
        <span className="font-medium">
          {hasWritten ? "The reply window is closed." : "There is no reply window yet."}
        </span>{" "}
        WhatsApp lets a business answer freely for 24 hours after the customer's last message. You can write
        again as soon as <bdi dir="auto">{name}</bdi> does.
      </p>
    </div>
  );
}
