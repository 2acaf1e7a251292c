"use client";

import { useClock } from "@/hooks/use-clock";
import type { Message } from "@/lib/backend";
import type { ThreadItem } from "@/lib/thread-items";
import { dayName } from "@/lib/times";
import { MessageBubble } from "./MessageBubble";

/** One line of the thread: a day, the mark of what is unread, or a message. */
export function ThreadLine({
  item,
  customerName,
  isLast,
  onReply,
  onShowQuoted,
}: {
  item: ThreadItem;
  customerName: string;
  /** The last line keeps the list off the message field; a margin below the list would not be scrolled to. */
  isLast: boolean;
  onReply: (message: Message) => void;
  onShowQuoted: (wamid: string) => void;
}) {
  switch (item.kind) {
    case "day":
      return <DayLine at={item.at} />;
    case "unread":
      return (
        <p className="flex items-center gap-3 py-3 font-medium text-primary text-xs before:h-px before:flex-1 before:bg-primary/30 after:h-px after:flex-1 after:bg-primary/30">
          New messages
        </p>
      );
    case "message":
      return (
        <MessageBubble
          message={item.message}
          startsGroup={item.startsGroup}
          isLast={isLast}
          customerName={customerName}
          onReply={onReply}
          onShowQuoted={onShowQuoted}
        />
      );
  }
}

function DayLine({ at }: { at: number }) {
  const name = useClock((now) => dayName(at, now));
  return (
    <p className="py-3 text-center">
      <span className="rounded-full border bg-background px-3 py-1 font-medium text-muted-foreground text-xs">
        {name}
      </span>
    </p>
  );
}
