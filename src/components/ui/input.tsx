import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

/** A one-line text field. 16 px on touch screens, because iOS zooms into anything smaller. */
export function Input({ className, ...props }: ComponentProps<"input">) {
  return (
    <input
      data-slot="input"
      className={cn(
        "touch-target h-9 w-full min-w-0 rounded-md border border-input bg-background px-3 text-base placeholder:text-muted-foreground focus-visible:outline-offset-0 read-only:bg-muted disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-destructive sm:text-sm",
        className,
      )}
      {...props}
    />
  );
}
