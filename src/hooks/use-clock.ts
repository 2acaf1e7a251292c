"use client";

import { useSyncExternalStore } from "react";
import { SECOND_MS } from "#shared/time";

const listeners = new Set<() => void>();
let ticker: ReturnType<typeof setInterval> | undefined;

/** One timer for the whole page, running only while something on it shows time. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticker ??= setInterval(() => {
    for (const notify of listeners) notify();
  }, SECOND_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticker);
    ticker = undefined;
  };
}

/**
 * What `select` makes of the present moment (ms). The component draws again only when that value changes, so a label
 * in minutes costs nothing in the seconds between. `select` must return a plain value, not an object.
 */
export function useClock<Value extends string | number | boolean>(select: (now: number) => Value): Value {
  const snapshot = () => select(Date.now());
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}
