"use client";

import { useClock } from "@/hooks/use-clock";
import { fullTime, relativeTime } from "@/lib/times";

/** A moment as "5 min" or "Yesterday"; the exact time on hover. */
export function RelativeTime({ at, className }: { at: number; className?: string }) {
  const label = useClock((now) => relativeTime(at, now));
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)} className={className}>
      {label}
    </time>
  );
}
