"use client";

import { useEffect } from "react";

const TITLE = "Inbox · Pons";

/** Shows the number of unread messages in the tab. */
export function useUnreadTitle(unreadCount: number): void {
  useEffect(() => {
    document.title = unreadCount > 0 ? `(${unreadCount}) ${TITLE}` : TITLE;
    return () => {
      document.title = TITLE;
    };
  }, [unreadCount]);
}
