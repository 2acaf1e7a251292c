"use client";

import { RootProvider } from "fumadocs-ui/provider/next";
import dynamic from "next/dynamic";
import type { ReactNode } from "react";

/** Loaded when somebody searches for the first time. */
const SearchDialog = dynamic(() => import("./DocsSearch").then((module) => module.DocsSearch));

/**
 * What the pages of the documentation need. The theme belongs to the whole app, so it stays with the app's own
 * provider; with it goes the stock shortcut that turned the page dark on the letter "d".
 */
export function DocsProvider({ children }: { children: ReactNode }) {
  return (
    <RootProvider theme={{ enabled: false, hotKey: false }} search={{ SearchDialog }}>
      {children}
    </RootProvider>
  );
}
