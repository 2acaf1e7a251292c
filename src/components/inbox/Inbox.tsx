"use client";

import { useQuery } from "convex/react";
import { PlugIcon, SearchXIcon } from "lucide-react";
import dynamic from "next/dynamic";
import { useEffect, useState } from "react";
import { Toaster } from "sonner";
import { correctTo, useInboxPlace } from "@/hooks/use-inbox-place";
import { useShortcuts } from "@/hooks/use-shortcuts";
import { api } from "@/lib/backend";
import type { SignedInUser } from "../Dashboard";
import { Notice } from "../Notice";
import { Button } from "../ui/button";
import { AccountInbox } from "./AccountInbox";
import { ConnectionBanner } from "./ConnectionBanner";
import { InboxSkeleton } from "./InboxSkeleton";
import { UserMenu } from "./UserMenu";

/** Loaded when somebody asks for it. */
const ShortcutHelp = dynamic(() => import("./ShortcutHelp").then((module) => module.ShortcutHelp));

/** The inbox of the account that the address names; without one, of the first that the person belongs to. */
export function Inbox({ user }: { user: SignedInUser }) {
  const accounts = useQuery(api.accounts.list);
  const place = useInboxPlace();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const showHelp = () => {
    setHelpOpen(true);
    return true;
  };
  useShortcuts({ help: showHelp });

  const firstId = accounts?.[0]?._id;
  const isUndecided = place.account === undefined;
  useEffect(() => {
    if (isUndecided && firstId) correctTo({ account: firstId });
  }, [isUndecided, firstId]);

  const menu = <UserMenu user={user} onShowShortcuts={showHelp} />;
  const account = accounts?.find(({ _id }) => _id === place.account);
  return (
    <>
      {account && accounts ? (
        <AccountInbox
          key={account._id}
          accounts={accounts}
          account={account}
          openId={place.conversation}
          menu={menu}
          banner={<ConnectionBanner />}
        />
      ) : accounts === undefined || (isUndecided && firstId) ? (
        <InboxSkeleton />
      ) : (
        <main className="flex h-dvh flex-col">
          <div className="flex justify-end p-3">{menu}</div>
          {firstId ? <UnknownAccount /> : <NoAccount />}
        </main>
      )}
      {isHelpOpen && <ShortcutHelp onClose={() => setHelpOpen(false)} />}
      <Toaster position="top-center" />
    </>
  );
}

function UnknownAccount() {
  return (
    <Notice title="There is no such inbox" icon={SearchXIcon} heading="h1">
      <p>The address is wrong, or the account is not yours.</p>
      <Button className="mt-2" onClick={() => correctTo({})}>
        Open my inbox
      </Button>
    </Notice>
  );
}

function NoAccount() {
  return (
    <Notice title="Connect a WhatsApp number" icon={PlugIcon} heading="h1">
      <p>No business number is connected yet. On the machine that runs Pons:</p>
      <pre className="w-full overflow-x-auto rounded-lg border bg-muted p-3 text-left text-foreground text-xs">
        npm run pons -- accounts add
      </pre>
      <p>
        The{" "}
        <a className="text-primary underline underline-offset-4" href="/docs">
          documentation
        </a>{" "}
        says which values it needs. This page changes by itself.
      </p>
    </Notice>
  );
}
