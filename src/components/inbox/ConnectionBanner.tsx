"use client";

import { CloudOffIcon } from "lucide-react";
import { useIsDisconnected } from "@/hooks/use-connection";

/** Says that what is on screen may be old. What is sent meanwhile waits and leaves with the next contact. */
export function ConnectionBanner() {
  const isDisconnected = useIsDisconnected();
  return (
    <div role="status">
      {isDisconnected && (
        <p className="flex items-center justify-center gap-2 border-b bg-muted px-4 py-1.5 text-center text-sm">
          <CloudOffIcon className="size-4 shrink-0 text-warning" aria-hidden="true" />
          No connection. Trying again; messages you send now will wait.
        </p>
      )}
    </div>
  );
}
