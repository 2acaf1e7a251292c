import type { Message } from "@/lib/backend";

/** What a person has to know about a message that did not arrive, or may not have. */
export function MessageTrouble({ message: { status, error } }: { message: Message }) {
  if (status === "failed") {
    return (
      <p className="max-w-[75%] px-1 pt-0.5 text-right text-destructive text-xs">
        Not sent. {error?.message ?? "WhatsApp gave no reason."}
        {error && <span className="text-muted-foreground"> ({error.code})</span>}
      </p>
    );
  }
  if (status === "unknown") {
    return (
      <p className="max-w-[75%] px-1 pt-0.5 text-right text-warning text-xs">
        May have been sent. WhatsApp's answer got lost; look for it with the customer before you send it
        again.
      </p>
    );
  }
  return null;
}
