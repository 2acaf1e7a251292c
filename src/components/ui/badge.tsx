import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

const badgeVariants = cva(
  "inline-flex shrink-0 items-center gap-1 rounded-full font-medium tabular-nums whitespace-nowrap",
  {
    variants: {
      variant: {
        default: "bg-primary text-primary-foreground",
        open: "text-primary",
        warning: "text-warning",
        destructive: "text-destructive",
        muted: "text-muted-foreground",
      },
      size: {
        default: "text-xs",
        count: "h-5 min-w-5 justify-center px-1.5 text-xs",
        chip: "h-6 border border-border px-2 text-xs",
      },
    },
    defaultVariants: { variant: "default", size: "default" },
  },
);

/** A short fact beside something: a count, a state. */
export function Badge({
  className,
  variant,
  size,
  ...props
}: ComponentProps<"span"> & VariantProps<typeof badgeVariants>) {
  return <span data-slot="badge" className={cn(badgeVariants({ variant, size }), className)} {...props} />;
}
