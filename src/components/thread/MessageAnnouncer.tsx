"use client";

import { useState } from "react";
import type { Message } from "@/lib/backend";
import { messageSummary } from "@/lib/message-summary";

/**
 * Reads new messages of the customer to those who listen. Kept apart from the list, whose lines come and go while
 * scrolling and would all be read again.
 */
export function MessageAnnouncer({
  newest,
  customerName,
}: {
  newest: Message | undefined;
  customerName: string;
}) {
  const [lastId, setLastId] = useState(newest?._id);
  const [text, setText] = useState("");
  if (newest && newest._id !== lastId) {
    setLastId(newest._id);
    if (newest.direction === "inbound") setText(`${customerName}: ${messageSummary(newest)}`);
  }
  return (
    <div role="log" aria-live="polite" aria-label="New messages" className="sr-only">
      {text && <p key={lastId}>{text}</p>}
    </div>
  );
}
