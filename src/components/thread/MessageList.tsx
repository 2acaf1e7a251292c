"use client";

import { useMutation, usePaginatedQuery } from "convex/react";
import { useEffect, useMemo, useState } from "react";
import { usePageVisible } from "@/hooks/use-page-visible";
import { api, type Conversation, type Message } from "@/lib/backend";
import { contactName } from "@/lib/contact-name";
import { firstUnread, threadItems } from "@/lib/thread-items";
import { MessageAnnouncer } from "./MessageAnnouncer";
import { MessageListSkeleton } from "./MessageListSkeleton";
import { MessageScroller } from "./MessageScroller";

/** Messages per page: a few screens. */
const PAGE_ROWS = 40;

/** The messages of a conversation, live; older ones come as somebody scrolls back to them. */
export function MessageList({
  conversation,
  onReply,
}: {
  conversation: Conversation;
  onReply: (message: Message) => void;
}) {
  const ids = { accountId: conversation.accountId, conversationId: conversation._id };
  const { results, status, loadMore } = usePaginatedQuery(api.messages.list, ids, {
    initialNumItems: PAGE_ROWS,
  });
  const isLoaded = status !== "LoadingFirstPage";
  const [isAtEnd, setAtEnd] = useState(true);
  const firstUnreadId = useFirstUnread(results, isLoaded, conversation.unreadCount);
  useMarkSeen(conversation, isAtEnd && isLoaded);

  const isComplete = status === "Exhausted";
  const items = useMemo(
    () => threadItems(results, { isComplete, firstUnreadId }),
    [results, isComplete, firstUnreadId],
  );

  if (!isLoaded) return <MessageListSkeleton />;
  const name = contactName(conversation.contact);
  return (
    <>
      <MessageScroller
        items={items}
        label={`Messages with ${name}`}
        customerName={name}
        isLoadingOlder={status === "LoadingMore"}
        onNearStart={() => status === "CanLoadMore" && loadMore(PAGE_ROWS)}
        onAtEnd={setAtEnd}
        onReply={onReply}
      />
      <MessageAnnouncer newest={results[0]} customerName={name} />
    </>
  );
}

/** What was unread when the conversation was opened stays marked while it is open, although it is read by then. */
function useFirstUnread(newestFirst: Message[], isLoaded: boolean, unreadCount: number): string | undefined {
  const [id, setId] = useState<string | null>(null);
  if (isLoaded && id === null) setId(firstUnread(newestFirst, unreadCount) ?? "");
  return id || undefined;
}

/** Seen is what a person had before their eyes: the newest message in view, in a page that is in front. */
function useMarkSeen({ accountId, _id, unreadCount }: Conversation, isNewestInView: boolean): void {
  const markSeen = useMutation(api.conversations.markSeen);
  const isInView = usePageVisible() && isNewestInView;
  useEffect(() => {
    if (!isInView || unreadCount === 0) return;
    markSeen({ accountId, conversationId: _id }).catch((error: unknown) => {
      console.warn("The conversation could not be marked as seen.", error);
    });
  }, [isInView, unreadCount, markSeen, accountId, _id]);
}
