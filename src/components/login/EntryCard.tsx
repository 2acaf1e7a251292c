import type { ReactNode } from "react";
import { Logo } from "../Logo";

/** The frame of every page that somebody sees before they are in: one card, and above it where they are. */
export function EntryCard({
  title,
  text,
  children,
}: {
  title: string;
  text: ReactNode;
  children?: ReactNode;
}) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center bg-sidebar px-4 py-10">
      <div className="w-full max-w-sm">
        <a href="/" className="mx-auto mb-8 flex w-fit items-center gap-2.5 rounded-md font-semibold text-lg">
          <Logo />
          Pons
        </a>
        <div className="rounded-xl border bg-card p-6 text-card-foreground shadow-xs">
          <h1 className="font-semibold text-xl tracking-tight">{title}</h1>
          <div className="mt-1 mb-6 text-muted-foreground text-sm last:mb-0">{text}</div>
          {children}
        </div>
      </div>
    </main>
  );
}
