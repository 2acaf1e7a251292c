"use client";

import { usePathname } from "next/navigation";
import { type MouseEvent, useMemo } from "react";
import { type InboxPlace, inboxPath, parseInboxPath } from "@/lib/inbox-path";

/** Where in the inbox the address bar says we are. */
export function useInboxPlace(): InboxPlace {
  const pathname = usePathname();
  return useMemo(() => parseInboxPath(pathname) ?? {}, [pathname]);
}

/**
 * Moves within the inbox. The page is the same for every place and its data is live, so nothing is asked of the
 * server: Next keeps `usePathname` and the back button in step with the history.
 */
export function goTo(place: InboxPlace): void {
  window.history.pushState(null, "", inboxPath(place));
}

/** Corrects the address without a step that "back" would return to. */
export function correctTo(place: InboxPlace): void {
  window.history.replaceState(null, "", inboxPath(place));
}

/** For links of the inbox: a plain click stays in the page, and "open in a new tab" works as everywhere. */
export function onInboxLinkClick(event: MouseEvent<HTMLAnchorElement>, place: InboxPlace): void {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!isPlain || event.defaultPrevented) return;
  event.preventDefault();
  goTo(place);
}
