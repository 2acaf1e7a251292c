import { cn } from "@/lib/utils";
import { Skeleton } from "../ui/skeleton";

const BUBBLES = ["w-56", "w-40", "ml-auto w-64", "w-72", "ml-auto w-44", "ml-auto w-60"];

/** Messages while they are loading, at the bottom where the newest will be. */
export function MessageListSkeleton() {
  return (
    <div
      aria-hidden="true"
      className="mx-auto flex min-h-0 w-full max-w-4xl flex-1 flex-col justify-end gap-3 p-4"
    >
      {BUBBLES.map((shape) => (
        <Skeleton key={shape} className={cn("h-10 rounded-xl", shape)} />
      ))}
    </div>
  );
}
