"use client";

import { useSyncExternalStore } from "react";

/** Whether a person can see this page now: its tab is in front and the window has the focus. */
export function usePageVisible(): boolean {
  return useSyncExternalStore(subscribe, isVisible, () => false);
}

function subscribe(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  window.addEventListener("focus", listener);
  window.addEventListener("blur", listener);
  return () => {
    document.removeEventListener("visibilitychange", listener);
    window.removeEventListener("focus", listener);
    window.removeEventListener("blur", listener);
  };
}

function isVisible(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
