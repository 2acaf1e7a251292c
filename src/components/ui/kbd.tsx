import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

/** A key of the keyboard. */
export function Kbd({ className, ...props }: ComponentProps<"kbd">) {
  return (
    <kbd
      data-slot="kbd"
      className={cn(
        "inline-flex h-6 min-w-6 items-center justify-center rounded border border-border bg-muted px-1.5 font-sans text-muted-foreground text-xs",
        className,
      )}
      {...props}
    />
  );
}
