"use client";

import { MessagesSquareIcon } from "lucide-react";
import type { ReactNode } from "react";
import { goTo } from "@/hooks/use-inbox-place";
import { useUnreadTitle } from "@/hooks/use-unread-title";
import type { Account, Conversation } from "@/lib/backend";
import { ErrorBoundary } from "../ErrorBoundary";
import { Notice } from "../Notice";
import { Thread } from "../thread/Thread";
import { Button } from "../ui/button";
import { Kbd } from "../ui/kbd";
import { AccountSwitcher } from "./AccountSwitcher";
import { ConversationList } from "./ConversationList";
import { InboxFrame } from "./InboxFrame";

/** One account: its conversations beside the open one. Either half can fail without taking the other along. */
export function AccountInbox({
  accounts,
  account,
  openId,
  menu,
  banner,
}: {
  accounts: readonly Account[];
  account: Account;
  openId: Conversation["_id"] | undefined;
  menu: ReactNode;
  banner: ReactNode;
}) {
  useUnreadTitle(accounts.reduce((sum, { unreadCount }) => sum + unreadCount, 0));
  return (
    <InboxFrame
      showsThread={openId !== undefined}
      banner={banner}
      list={
        <div className="flex h-full flex-col">
          <header className="flex h-14 shrink-0 items-center gap-1 pr-3 pl-2">
            <AccountSwitcher accounts={accounts} current={account} />
            {menu}
          </header>
          <ErrorBoundary title="The conversations could not be loaded">
            <ConversationList account={account} openId={openId} />
          </ErrorBoundary>
        </div>
      }
      thread={
        openId ? (
          <ErrorBoundary
            key={openId}
            title="This conversation could not be opened"
            way={<CloseThread account={account} />}
          >
            <Thread account={account} conversationId={openId} />
          </ErrorBoundary>
        ) : (
          <NothingOpen />
        )
      }
    />
  );
}

function CloseThread({ account }: { account: Account }) {
  return <Button onClick={() => goTo({ account: account._id })}>Back to the conversations</Button>;
}

function NothingOpen() {
  return (
    <Notice title="Choose a conversation" icon={MessagesSquareIcon}>
      <p className="flex flex-wrap items-center justify-center gap-1.5">
        <Kbd>J</Kbd> <Kbd>K</Kbd> walk through the list, <Kbd>Enter</Kbd> opens, <Kbd>?</Kbd> shows all keys.
      </p>
    </Notice>
  );
}
