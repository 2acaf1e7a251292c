"use client";

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import { isSingleCharacter, type ShortcutAction, shortcutOf } from "@/lib/shortcuts";

export type ShortcutHandlers = Partial<Record<ShortcutAction, (event: KeyboardEvent) => boolean>>;

/**
 * Runs the handler of a pressed shortcut. A handler returns false when the key has no meaning at the moment, and the
 * browser then does with it what it always does. While somebody types, only Escape counts; in a dialog or a menu,
 * nothing does.
 */
export function useShortcuts(handlers: ShortcutHandlers): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || isLayerOpen()) return;
    if (isTyping(event.target) && event.key !== "Escape") return;
    if (isSingleCharacter(event) && !singleKeys.read()) return;
    const action = shortcutOf(event);
    if (action && handlers[action]?.(event)) event.preventDefault();
  });

  useEffect(() => {
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null
  );
}

function isLayerOpen(): boolean {
  return document.querySelector("[role=dialog], [role=menu]") !== null;
}

/** Whether single characters act; a choice of this browser, kept in its storage. */
export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const isOn = useSyncExternalStore(singleKeys.subscribe, singleKeys.read, () => true);
  return [isOn, singleKeys.write];
}

const STORAGE_KEY = "pons-single-keys";
const listeners = new Set<() => void>();

const singleKeys = {
  read: (): boolean => localStorage.getItem(STORAGE_KEY) !== "off",
  write: (on: boolean): void => {
    localStorage.setItem(STORAGE_KEY, on ? "on" : "off");
    for (const notify of listeners) notify();
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
