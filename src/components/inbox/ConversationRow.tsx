"use client";

import type { Ref } from "react";
import { onInboxLinkClick } from "@/hooks/use-inbox-place";
import type { Conversation } from "@/lib/backend";
import { contactName } from "@/lib/contact-name";
import { inboxPath } from "@/lib/inbox-path";
import { cn } from "@/lib/utils";
import { Badge } from "../ui/badge";
import { ContactAvatar } from "./ContactAvatar";
import { RelativeTime } from "./RelativeTime";
import { Ticks } from "./Ticks";
import { WindowBadge } from "./WindowBadge";

/** One conversation in the list. Only one row at a time is in the tab order; the arrow keys move between rows. */
export function ConversationRow({
  conversation,
  isOpen,
  isTabStop,
  onFocus,
  ref,
}: {
  conversation: Conversation;
  isOpen: boolean;
  isTabStop: boolean;
  onFocus: () => void;
  ref: Ref<HTMLAnchorElement>;
}) {
  const { accountId, contact, preview, previewStatus, lastMessageAt, unreadCount, windowExpiresAt } =
    conversation;
  const place = { account: accountId, conversation: conversation._id };
  const name = contactName(contact);
  const isUnread = unreadCount > 0;
  return (
    <a
      ref={ref}
      href={inboxPath(place)}
      onClick={(event) => onInboxLinkClick(event, place)}
      onFocus={onFocus}
      tabIndex={isTabStop ? 0 : -1}
      aria-current={isOpen ? "page" : undefined}
      className={cn(
        "flex h-18 items-center gap-3 px-4 hover:bg-sidebar-accent/60 focus-visible:-outline-offset-2",
        isOpen && "bg-sidebar-accent hover:bg-sidebar-accent",
      )}
    >
      <ContactAvatar name={name} />
      <span className="grid min-w-0 flex-1 grid-cols-1 gap-0.5">
        <span className="flex items-baseline gap-2">
          <bdi
            dir="auto"
            className={cn(
              "min-w-0 flex-1 truncate text-left text-[0.9375rem]",
              isUnread ? "font-semibold" : "font-medium",
            )}
          >
            {name}
          </bdi>
          <RelativeTime
            at={lastMessageAt}
            className={cn(
              "shrink-0 text-xs tabular-nums",
              isUnread ? "font-medium text-primary" : "text-muted-foreground",
            )}
          />
        </span>
        <span className="flex h-5 items-center gap-1.5">
          {previewStatus && <Ticks status={previewStatus} className="text-muted-foreground" />}
          <bdi
            dir="auto"
            className={cn(
              "min-w-0 flex-1 truncate text-left text-sm",
              isUnread ? "text-foreground" : "text-muted-foreground",
            )}
          >
            {preview}
          </bdi>
          <WindowBadge expiresAt={windowExpiresAt} />
          {isUnread && (
            <Badge size="count">
              {unreadCount > 99 ? "99+" : unreadCount}
              <span className="sr-only"> unread</span>
            </Badge>
          )}
        </span>
      </span>
    </a>
  );
}
