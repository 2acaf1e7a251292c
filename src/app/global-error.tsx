"use client";

import { ErrorScreen } from "@/components/ErrorScreen";
import { fontVariables } from "./fonts";
import "./globals.css";

/** Replaces the whole document when even the layout failed, so it brings its own. */
export default function GlobalError({ reset }: { error: Error; reset: () => void }) {
  return (
    <html lang="en" className={fontVariables}>
      <body>
        <title>Pons</title>
        <ErrorScreen onRetry={reset} />
      </body>
    </html>
  );
}
