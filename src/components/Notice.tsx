import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** A quiet message in the middle of an empty place: what there is (or is not), and what to do next. */
export function Notice({
  title,
  icon: Icon,
  heading: Heading = "h2",
  role,
  children,
}: {
  title: string;
  icon?: LucideIcon;
  /** `h1` where the notice is the whole page. */
  heading?: "h1" | "h2";
  role?: "alert" | "status";
  children?: ReactNode;
}) {
  return (
    <div
      role={role}
      className="mx-auto flex h-full max-w-sm flex-col items-center justify-center gap-2 p-6 text-center text-muted-foreground text-sm"
    >
      {Icon && <Icon className="mb-1 size-7" strokeWidth={1.5} aria-hidden="true" />}
      <Heading className="font-medium text-base text-foreground">{title}</Heading>
      {children}
    </div>
  );
}
