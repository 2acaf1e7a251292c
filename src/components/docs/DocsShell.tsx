import type { Root } from "fumadocs-core/page-tree";
import { DocsLayout } from "fumadocs-ui/layouts/docs";
import type { ReactNode } from "react";
import { Logo } from "../Logo";
import { DocsProvider } from "./DocsProvider";

/** The frame of the documentation: pages on the left, search, and the ways back. */
export function DocsShell({ tree, children }: { tree: Root; children: ReactNode }) {
  return (
    <DocsProvider>
      <DocsLayout
        tree={tree}
        nav={{
          title: (
            <span className="flex items-center gap-2 font-semibold">
              <Logo className="size-6" />
              Pons
            </span>
          ),
          url: "/",
        }}
        links={[{ text: "Inbox", url: "/dashboard" }]}
      >
        {children}
      </DocsLayout>
    </DocsProvider>
  );
}
