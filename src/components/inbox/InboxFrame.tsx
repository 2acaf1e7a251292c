import type { ReactNode } from "react";
import { cn } from "@/lib/utils";

/** The two panes. On a phone there is room for one: the thread when one is open, else the list. */
export function InboxFrame({
  showsThread,
  banner,
  list,
  thread,
}: {
  showsThread: boolean;
  banner?: ReactNode;
  list: ReactNode;
  thread: ReactNode;
}) {
  return (
    <div className="flex h-dvh flex-col pt-[env(safe-area-inset-top)] pr-[env(safe-area-inset-right)] pl-[env(safe-area-inset-left)]">
      {banner}
      <main className="grid min-h-0 flex-1 grid-cols-1 md:grid-cols-[20rem_minmax(0,1fr)] lg:grid-cols-[23rem_minmax(0,1fr)]">
        <h1 className="sr-only">Inbox</h1>
        <section
          aria-label="Conversations"
          className={cn(
            "min-h-0 min-w-0 border-sidebar-border bg-sidebar text-sidebar-foreground md:border-r",
            showsThread && "max-md:hidden",
          )}
        >
          {list}
        </section>
        <section
          aria-label="Messages"
          className={cn("min-h-0 min-w-0 bg-thread", !showsThread && "max-md:hidden")}
        >
          {thread}
        </section>
      </main>
    </div>
  );
}
