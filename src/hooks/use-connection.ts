"use client";

import { useConvex } from "convex/react";
import { useEffect, useState } from "react";
import { SECOND_MS } from "#shared/time";

/** `connecting` before the first contact, `online`, or `reconnecting` when contact was lost for a while. */
export type Connection = "connecting" | "online" | "reconnecting";

/** Shorter breaks (a laptop waking up, a new token) are not worth a banner. */
const PATIENCE_MS = 2 * SECOND_MS;

/** The state of the live connection to the backend. */
export function useConnection(): Connection {
  const client = useConvex();
  const [connection, setConnection] = useState<Connection>("connecting");

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const update = ({ isWebSocketConnected }: { isWebSocketConnected: boolean }) => {
      if (isWebSocketConnected) {
        clearTimeout(timer);
        timer = undefined;
        setConnection("online");
        return;
      }
      timer ??= setTimeout(() => setConnection("reconnecting"), PATIENCE_MS);
    };
    update(client.connectionState());
    const unsubscribe = client.subscribeToConnectionState(update);
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [client]);

  return connection;
}
