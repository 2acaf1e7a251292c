"use client";

import {
  TOC,
  TOCPopover,
  type TOCPopoverProps,
  type TOCProps,
  TOCProvider,
} from "fumadocs-ui/layouts/docs/page/slots/toc";
import type { ReactNode } from "react";

function Main(props: TOCProps) {
  return (
    <Landmark label="On this page">
      <TOC {...props} />
    </Landmark>
  );
}

function Popover(props: TOCPopoverProps) {
  return (
    <Landmark label="Sections of this page">
      <TOCPopover {...props} />
    </Landmark>
  );
}

/** The stock lists stand outside of every landmark. `contents` keeps them in the places of the page's grid. */
function Landmark({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav aria-label={label} className="contents">
      {children}
    </nav>
  );
}

/** The list of headings: beside the text where there is room, behind a button above it where there is not. */
export const tableOfContents = { provider: TOCProvider, main: Main, popover: Popover };
