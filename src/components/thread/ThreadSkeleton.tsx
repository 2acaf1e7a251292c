import { Skeleton } from "../ui/skeleton";
import { MessageListSkeleton } from "./MessageListSkeleton";

/** A conversation while it is loading. */
export function ThreadSkeleton() {
  return (
    <div className="flex h-full flex-col" role="status" aria-label="Loading the conversation">
      <div className="flex h-14 shrink-0 items-center gap-3 border-b bg-background px-4">
        <Skeleton className="size-9 rounded-full" />
        <Skeleton className="h-4 w-36" />
      </div>
      <MessageListSkeleton />
      <div className="h-16 shrink-0 border-t bg-background" />
    </div>
  );
}
