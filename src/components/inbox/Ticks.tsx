import {
  CheckCheckIcon,
  CheckIcon,
  CircleHelpIcon,
  ClockIcon,
  type LucideIcon,
  TriangleAlertIcon,
} from "lucide-react";
import { type MessageStatus, type TickMark, tick } from "@/lib/ticks";
import { cn } from "@/lib/utils";

const ICONS: Readonly<Record<TickMark, LucideIcon>> = {
  clock: ClockIcon,
  one: CheckIcon,
  two: CheckCheckIcon,
  "two-blue": CheckCheckIcon,
  failed: TriangleAlertIcon,
  unknown: CircleHelpIcon,
};

const COLOURS: Readonly<Partial<Record<TickMark, string>>> = {
  "two-blue": "text-tick-read",
  failed: "text-destructive",
  unknown: "text-warning",
};

/** WhatsApp's ticks, with their meaning in words for readers and on hover. */
export function Ticks({ status, className }: { status: MessageStatus; className?: string }) {
  const shown = tick(status);
  if (!shown) return null;
  const Icon = ICONS[shown.mark];
  return (
    <span title={shown.label} className={cn("inline-flex", className)}>
      <Icon className={cn("size-4", COLOURS[shown.mark])} aria-hidden="true" />
      <span className="sr-only">{shown.label}</span>
    </span>
  );
}
