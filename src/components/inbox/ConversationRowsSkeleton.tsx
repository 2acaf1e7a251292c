import { Skeleton } from "../ui/skeleton";

const ROWS = ["w-28", "w-36", "w-24", "w-32", "w-40", "w-28", "w-36", "w-24"];

/** Conversations while they are loading. */
export function ConversationRowsSkeleton() {
  return (
    <div aria-hidden="true">
      {ROWS.map((width, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: eight grey rows that never change places
        <div key={index} className="flex h-18 items-center gap-3 px-4">
          <Skeleton className="size-10 rounded-full" />
          <div className="flex-1 space-y-2">
            <Skeleton className={`h-3.5 ${width}`} />
            <Skeleton className="h-3 w-3/4" />
          </div>
        </div>
      ))}
    </div>
  );
}
