import { Skeleton } from "../ui/skeleton";
import { ConnectionBanner } from "./ConnectionBanner";
import { ConversationRowsSkeleton } from "./ConversationRowsSkeleton";
import { InboxFrame } from "./InboxFrame";

/** The inbox while the connection is being made: the same places, so that nothing jumps. */
export function InboxSkeleton() {
  return (
    <InboxFrame
      showsThread={false}
      banner={<ConnectionBanner />}
      list={
        <div className="flex h-full flex-col" role="status" aria-label="Loading the inbox">
          <div className="flex h-14 items-center gap-3 px-4">
            <Skeleton className="size-8 rounded-md" />
            <Skeleton className="h-4 w-32" />
          </div>
          <div className="px-3 pb-2">
            <Skeleton className="h-9 w-full" />
          </div>
          <ConversationRowsSkeleton />
        </div>
      }
      thread={null}
    />
  );
}
