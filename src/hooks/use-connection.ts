"use client";

import { useConvex } from "convex/react";
import { useEffect, useState } from "react";
import { SECOND_MS } from "#shared/time";

/** Shorter breaks (a laptop waking up, a new token) are not worth a banner. */
const SILENCE_MS = 2 * SECOND_MS;

/** A request that waits longer than this waits for a connection that looks alive and is not. */
const ANSWER_MS = 8 * SECOND_MS;

/** Whether the live connection to the backend is lost, so that what is on screen may be old. */
export function useIsDisconnected(): boolean {
  const client = useConvex();
  const [isDisconnected, setDisconnected] = useState(false);

  useEffect(() => {
    let aliveAt = Date.now();
    const check = () => {
      const now = Date.now();
      const { isWebSocketConnected, timeOfOldestInflightRequest } = client.connectionState();
      if (isWebSocketConnected && navigator.onLine) aliveAt = now;
      const waitingMs = now - (timeOfOldestInflightRequest?.getTime() ?? now);
      setDisconnected(now - aliveAt > SILENCE_MS || waitingMs > ANSWER_MS);
    };
    const timer = setInterval(check, SECOND_MS);
    return () => clearInterval(timer);
  }, [client]);

  return isDisconnected;
}
