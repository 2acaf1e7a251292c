"use client";

import { useEffect, useEffectEvent, useRef, useState } from "react";
import { type CustomItemComponentProps, Virtualizer, type VirtualizerHandle } from "virtua";
import { useShortcuts } from "@/hooks/use-shortcuts";
import type { Conversation } from "@/lib/backend";
import { moveCursor } from "@/lib/move-cursor";
import { ConversationRow } from "./ConversationRow";

/** Height of a row (`h-18`): known, so that the list never has to measure. */
const ROW_HEIGHT_PX = 72;

/** Older conversations are asked for when this few rows are left below the view. */
const ROWS_AHEAD = 10;

type ConversationId = Conversation["_id"];

/** The rows on screen, out of any number; arrow keys and J/K walk through them. */
export function ConversationRows({
  conversations,
  openId,
  onNearEnd,
}: {
  conversations: readonly Conversation[];
  openId: ConversationId | undefined;
  onNearEnd: () => void;
}) {
  const list = useRef<VirtualizerHandle>(null);
  const container = useRef<HTMLDivElement>(null);
  const rows = useRef(new Map<string, HTMLAnchorElement>());
  const [cursor, setCursor] = useState<ConversationId | undefined>(openId);
  const cursorIndex = conversations.findIndex(({ _id }) => _id === cursor);

  const focusRow = (id: ConversationId | undefined): boolean => {
    const index = conversations.findIndex(({ _id }) => _id === id);
    if (id === undefined || index === -1) return false;
    setCursor(id);
    list.current?.scrollToIndex(index, { align: "nearest" });
    // The row may have been out of the view and is only there after the next drawing.
    requestAnimationFrame(() => rows.current.get(id)?.focus({ preventScroll: true }));
    return true;
  };

  const step = (by: 1 | -1) => (event: KeyboardEvent) => {
    const isArrow = event.key.startsWith("Arrow");
    const target = event.target instanceof Node ? event.target : null;
    if (isArrow && !container.current?.contains(target) && target !== document.body) return false;
    const ids = conversations.map(({ _id }) => _id);
    return focusRow(moveCursor(ids, cursorIndex === -1 ? openId : cursor, by));
  };
  useShortcuts({ next: step(1), previous: step(-1) });

  useFocusOnClose(openId, focusRow);

  const onScroll = (offset: number) => {
    const handle = list.current;
    if (!handle) return;
    const left = handle.scrollSize - offset - handle.viewportSize;
    if (left < ROWS_AHEAD * ROW_HEIGHT_PX) onNearEnd();
  };

  return (
    <div
      ref={container}
      className="scrollbar-thin min-h-0 flex-1 overflow-y-auto overscroll-contain pb-[env(safe-area-inset-bottom)]"
    >
      <Virtualizer
        ref={list}
        data={conversations}
        itemSize={ROW_HEIGHT_PX}
        keepMounted={cursorIndex === -1 ? [] : [cursorIndex]}
        onScroll={onScroll}
        as="ul"
        item={ListItem}
      >
        {(conversation, index) => (
          <ConversationRow
            key={conversation._id}
            conversation={conversation}
            isOpen={conversation._id === openId}
            isTabStop={cursorIndex === -1 ? index === 0 : index === cursorIndex}
            onFocus={() => setCursor(conversation._id)}
            ref={(element) => {
              if (element) rows.current.set(conversation._id, element);
              else rows.current.delete(conversation._id);
            }}
          />
        )}
      </Virtualizer>
    </div>
  );
}

/** Tells readers which row this is; how many there are in all is known only when the last page is loaded. */
function ListItem({ index, ...props }: CustomItemComponentProps) {
  return <li aria-posinset={index + 1} aria-setsize={-1} {...props} />;
}

/** When a conversation is closed, the focus goes back to its row. */
function useFocusOnClose(
  openId: ConversationId | undefined,
  focusRow: (id: ConversationId | undefined) => boolean,
): void {
  const previous = useRef(openId);
  const onChange = useEffectEvent((id: ConversationId | undefined) => {
    if (id === undefined && previous.current !== undefined) focusRow(previous.current);
    previous.current = id;
  });
  useEffect(() => onChange(openId), [openId]);
}
