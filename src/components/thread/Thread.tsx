"use client";

import { useQuery } from "convex/react";
import { ArrowLeftIcon } from "lucide-react";
import { useRef, useState } from "react";
import { goTo, onInboxLinkClick } from "@/hooks/use-inbox-place";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { type Account, api, type Conversation, type Message } from "@/lib/backend";
import { contactDetail, contactName } from "@/lib/contact-name";
import { inboxPath } from "@/lib/inbox-path";
import { ContactAvatar } from "../inbox/ContactAvatar";
import { WindowBadge } from "../inbox/WindowBadge";
import { Button } from "../ui/button";
import { ConversationComposer } from "./ConversationComposer";
import { MessageList } from "./MessageList";
import { ThreadSkeleton } from "./ThreadSkeleton";

/** One conversation: who it is with, what was said, and the field to answer. */
export function Thread({
  account,
  conversationId,
}: {
  account: Account;
  conversationId: Conversation["_id"];
}) {
  const conversation = useQuery(api.conversations.get, { accountId: account._id, conversationId });
  const [replyTo, setReplyTo] = useState<Message | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const focusField = () => {
    field.current?.focus();
    return field.current !== null;
  };

  useShortcuts({
    compose: focusField,
    back: () => {
      if (replyTo) setReplyTo(null);
      else goTo({ account: account._id });
      return true;
    },
  });

  if (conversation === undefined) return <ThreadSkeleton />;
  return (
    <div className="flex h-full flex-col">
      <ThreadHeader account={account} conversation={conversation} />
      <MessageList
        conversation={conversation}
        onReply={(message) => {
          setReplyTo(message);
          focusField();
        }}
      />
      <ConversationComposer
        conversation={conversation}
        replyTo={replyTo}
        onReplyDone={() => setReplyTo(null)}
        fieldRef={field}
      />
    </div>
  );
}

function ThreadHeader({ account, conversation }: { account: Account; conversation: Conversation }) {
  const name = contactName(conversation.contact);
  const detail = contactDetail(conversation.contact);
  return (
    <header className="flex h-14 shrink-0 items-center gap-3 border-b bg-background px-4 max-md:pl-1">
      <span className="md:hidden">
        <BackToList account={account} />
      </span>
      <ContactAvatar name={name} className="size-9" />
      <div className="grid min-w-0 flex-1 grid-cols-1">
        <h2 className="truncate font-semibold text-[0.9375rem] leading-5">
          <bdi dir="auto">{name}</bdi>
        </h2>
        {detail && <p className="truncate text-muted-foreground text-xs leading-4">{detail}</p>}
      </div>
      <WindowBadge expiresAt={conversation.windowExpiresAt} size="chip" />
    </header>
  );
}

function BackToList({ account }: { account: Account }) {
  const place = { account: account._id };
  return (
    <Button variant="ghost" size="icon" asChild>
      <a
        href={inboxPath(place)}
        onClick={(event) => onInboxLinkClick(event, place)}
        aria-label="Back to the conversations"
      >
        <ArrowLeftIcon className="size-5" aria-hidden="true" />
      </a>
    </Button>
  );
}
