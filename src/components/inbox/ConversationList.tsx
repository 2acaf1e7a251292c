"use client";

import { usePaginatedQuery } from "convex/react";
import { MessageCircleDashedIcon, SearchIcon } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { type Account, api, type Conversation } from "@/lib/backend";
import { formatPhone, matchesContact } from "@/lib/contact-name";
import { Notice } from "../Notice";
import { Button } from "../ui/button";
import { ConversationFilter } from "./ConversationFilter";
import { ConversationRows } from "./ConversationRows";
import { ConversationRowsSkeleton } from "./ConversationRowsSkeleton";

/** Conversations per page: about two screens, so that scrolling seldom waits. */
const PAGE_ROWS = 30;

/** The conversations of an account, live, newest activity first, with a filter over those that are loaded. */
export function ConversationList({
  account,
  openId,
}: {
  account: Account;
  openId: Conversation["_id"] | undefined;
}) {
  const { results, status, loadMore } = usePaginatedQuery(
    api.conversations.list,
    { accountId: account._id },
    { initialNumItems: PAGE_ROWS },
  );
  const [text, setText] = useState("");
  const [isUnreadOnly, setUnreadOnly] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({
    filter: () => {
      field.current?.focus();
      field.current?.select();
      return field.current !== null;
    },
  });

  const shown = useMemo(
    () =>
      results.filter(
        ({ contact, unreadCount, _id }) =>
          // The open conversation stays, or it would vanish at the moment in which reading it makes it read.
          (!isUnreadOnly || unreadCount > 0 || _id === openId) && matchesContact(contact, text),
      ),
    [results, text, isUnreadOnly, openId],
  );
  const isFiltered = text.trim() !== "" || isUnreadOnly;
  const canLoadMore = status === "CanLoadMore";

  return (
    <>
      <ConversationFilter
        ref={field}
        text={text}
        onText={setText}
        isUnreadOnly={isUnreadOnly}
        onUnreadOnly={setUnreadOnly}
      />
      {status === "LoadingFirstPage" ? (
        <ConversationRowsSkeleton />
      ) : shown.length > 0 ? (
        <ConversationRows
          conversations={shown}
          openId={openId}
          onNearEnd={() => canLoadMore && !isFiltered && loadMore(PAGE_ROWS)}
        />
      ) : (
        <EmptyList account={account} isFiltered={isFiltered} />
      )}
      {isFiltered && canLoadMore && (
        <div className="border-sidebar-border border-t p-2">
          <Button variant="ghost" className="w-full" onClick={() => loadMore(PAGE_ROWS)}>
            Look in older conversations
          </Button>
        </div>
      )}
    </>
  );
}

function EmptyList({ account, isFiltered }: { account: Account; isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Notice title="Nothing found" icon={SearchIcon} role="status">
        <p>No loaded conversation matches. Try another name or number.</p>
      </Notice>
    );
  }
  return (
    <Notice title="No conversations yet" icon={MessageCircleDashedIcon}>
      <p>
        As soon as somebody writes to {formatPhone(account.phoneNumber)} on WhatsApp, the message is here.
        With <code>npm run dev</code> you can write as a customer in the simulator.
      </p>
    </Notice>
  );
}
