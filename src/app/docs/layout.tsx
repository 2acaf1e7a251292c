import type { ReactNode } from "react";
import { DocsShell } from "@/components/docs/DocsShell";
import { source } from "@/lib/source";

export default function DocsLayout({ children }: { children: ReactNode }) {
  return <DocsShell tree={source.pageTree}>{children}</DocsShell>;
}
