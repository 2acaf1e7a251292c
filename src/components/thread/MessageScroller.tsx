"use client";

import { ArrowDownIcon } from "lucide-react";
import { useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import { toast } from "sonner";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Message } from "@/lib/backend";
import type { ThreadItem } from "@/lib/thread-items";
import { Button } from "../ui/button";
import { ThreadLine } from "./ThreadLine";

/** Within this distance of the end the reader follows the conversation and new messages scroll into view. */
const AT_END_PX = 48;

/** Older messages are asked for this far before the start is reached. */
const NEAR_START_PX = 600;

/**
 * The scrolling middle of a thread. It opens at the newest message, stays there while the reader is there, keeps the
 * place when older messages come in front, and counts what arrives while the reader is elsewhere.
 */
export function MessageScroller({
  items,
  label,
  customerName,
  isLoadingOlder,
  onNearStart,
  onAtEnd,
  onReply,
}: {
  items: readonly ThreadItem[];
  label: string;
  customerName: string;
  isLoadingOlder: boolean;
  onNearStart: () => void;
  onAtEnd: (isAtEnd: boolean) => void;
  onReply: (message: Message) => void;
}) {
  const scroller = useRef<HTMLElement>(null);
  const virtualizer = useRef<VirtualizerHandle>(null);
  const lastOffset = useRef(0);
  const [isAtEnd, setAtEnd] = useState(true);
  const [newCount, setNewCount] = useState(0);
  const lastIndex = items.length - 1;
  const isPrepended = useIsPrepended(items);

  const scrollToEnd = () => virtualizer.current?.scrollToIndex(lastIndex, { align: "end" });
  const reportEnd = (atEnd: boolean) => {
    if (atEnd) setNewCount(0);
    if (atEnd === isAtEnd) return;
    setAtEnd(atEnd);
    onAtEnd(atEnd);
  };
  const onScroll = (offset: number) => {
    const handle = virtualizer.current;
    if (!handle) return;
    const atEnd = handle.scrollSize - handle.viewportSize - offset <= AT_END_PX;
    const movedUp = offset < lastOffset.current;
    lastOffset.current = offset;
    // Away from the end without having moved up: what is there has grown, and the reader still follows.
    if (isAtEnd && !atEnd && !movedUp) scrollToEnd();
    else reportEnd(atEnd);
    if (offset < NEAR_START_PX) onNearStart();
  };

  useAppended(items, (added) => {
    const isOwn = added.some((item) => item.kind === "message" && item.message.direction === "outbound");
    if (isAtEnd || isOwn) scrollToEnd();
    else setNewCount((count) => count + added.filter((item) => item.kind === "message").length);
  });

  const showMessage = (wamid: string) => {
    const index = items.findIndex((item) => item.kind === "message" && item.message.wamid === wamid);
    if (index !== -1) virtualizer.current?.scrollToIndex(index, { align: "center" });
    else toast("That message is further back. Scroll up to load it.");
  };

  return (
    <div className="relative min-h-0 flex-1">
      {isLoadingOlder && <OlderNotice />}
      <section
        ref={scroller}
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
        tabIndex={0}
        className="scrollbar-thin flex h-full flex-col overflow-y-auto overscroll-contain px-3 [overflow-anchor:none] focus-visible:-outline-offset-2 sm:px-6"
      >
        <div className="grow" />
        <div className="mx-auto w-full max-w-4xl">
          <Virtualizer
            ref={virtualizer}
            scrollRef={scroller}
            data={items}
            shift={isPrepended}
            as="ol"
            item="li"
            onScroll={onScroll}
            onResize={() => isAtEnd && scrollToEnd()}
          >
            {(item, index) => (
              <ThreadLine
                key={item.key}
                item={item}
                customerName={customerName}
                onReply={onReply}
                onShowQuoted={showMessage}
                isLast={index === lastIndex}
              />
            )}
          </Virtualizer>
        </div>
      </section>
      {!isAtEnd && (
        <Button
          variant="outline"
          onClick={scrollToEnd}
          className="absolute right-4 bottom-3 rounded-full shadow-md sm:right-6"
        >
          <ArrowDownIcon className="size-4" aria-hidden="true" />
          {newCount > 0 ? `${newCount} new` : <span className="sr-only">To the newest message</span>}
        </Button>
      )}
    </div>
  );
}

function OlderNotice() {
  return (
    <p
      role="status"
      className="-translate-x-1/2 absolute top-2 left-1/2 z-10 rounded-full border bg-background px-3 py-1 text-muted-foreground text-xs shadow-sm"
    >
      Loading older messages
    </p>
  );
}

/** True for the one drawing that has older lines in front: the list then keeps its place counted from the end. */
function useIsPrepended(items: readonly ThreadItem[]): boolean {
  const [seen, setSeen] = useState({ items, isPrepended: false });
  const { isPrepended } = seen;
  useLayoutEffect(() => {
    if (isPrepended) setSeen((current) => ({ ...current, isPrepended: false }));
  }, [isPrepended]);

  if (seen.items === items) return isPrepended;
  const oldFirst = seen.items[0]?.key;
  const hasOlder =
    oldFirst !== undefined && items[0]?.key !== oldFirst && items.some(({ key }) => key === oldFirst);
  setSeen({ items, isPrepended: hasOlder });
  return hasOlder;
}

/** Opens at the end, then calls back with the lines that were added after the last one. */
function useAppended(items: readonly ThreadItem[], onAppended: (added: readonly ThreadItem[]) => void): void {
  const lastKey = useRef<string | undefined>(undefined);
  const onItems = useEffectEvent((current: readonly ThreadItem[]) => {
    const from = current.findIndex(({ key }) => key === lastKey.current);
    const added = current.slice(from + 1);
    lastKey.current = current.at(-1)?.key;
    if (added.length > 0) onAppended(added);
  });
  useLayoutEffect(() => onItems(items), [items]);
}
