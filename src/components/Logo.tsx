import { cn } from "@/lib/utils";

/** A bridge of two arches. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={cn("size-7", className)} aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path
        d="M5 12.5h22M7.5 22.5v-1a4.25 4.25 0 0 1 8.5 0v1m0 0v-1a4.25 4.25 0 0 1 8.5 0v1M7.5 12.5v10m17-10v10M16 12.5v4.75"
        fill="none"
        strokeWidth="2.2"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="stroke-primary-foreground"
      />
    </svg>
  );
}
