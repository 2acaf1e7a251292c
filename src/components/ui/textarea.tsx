import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

/** A text field that grows with its content up to the height that `className` allows. */
export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      data-slot="textarea"
      className={cn(
        "touch-target field-sizing-content w-full min-w-0 resize-none rounded-lg border border-input bg-background px-3 py-2 text-base placeholder:text-muted-foreground focus-visible:outline-offset-0 disabled:cursor-not-allowed disabled:opacity-60 sm:text-[0.9375rem]",
        className,
      )}
      {...props}
    />
  );
}
