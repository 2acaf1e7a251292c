"use client";

import { ClockIcon } from "lucide-react";
import { useClock } from "@/hooks/use-clock";
import { windowBadge } from "@/lib/window-badge";
import { Badge } from "../ui/badge";

const VARIANTS = { open: "open", soon: "warning", ending: "destructive", closed: "muted" } as const;

/** How long the customer can still be answered freely. Counts down by itself. */
export function WindowBadge({
  expiresAt,
  size = "default",
}: {
  expiresAt: number | undefined;
  size?: "default" | "chip";
}) {
  const tone = useClock((now) => windowBadge(expiresAt, now).tone);
  const label = useClock((now) => windowBadge(expiresAt, now).label);
  const description = useClock((now) => windowBadge(expiresAt, now).description);
  return (
    <Badge variant={VARIANTS[tone]} size={size} title={description}>
      {tone !== "closed" && <ClockIcon className="size-3" aria-hidden="true" />}
      <span aria-hidden="true">{label}</span>
      <span className="sr-only">{description}</span>
    </Badge>
  );
}
