export type MessageStatus =
  | "received"
  | "queued"
  | "sending"
  | "sent"
  | "delivered"
  | "read"
  | "played"
  | "failed"
  | "unknown";

export type TickMark = "clock" | "one" | "two" | "two-blue" | "failed" | "unknown";

export interface Tick {
  readonly mark: TickMark;
  readonly label: string;
}

const TICKS: Readonly<Record<Exclude<MessageStatus, "received">, Tick>> = {
  queued: { mark: "clock", label: "Waiting to be sent" },
  sending: { mark: "clock", label: "Sending" },
  sent: { mark: "one", label: "Sent" },
  delivered: { mark: "two", label: "Delivered" },
  read: { mark: "two-blue", label: "Read" },
  played: { mark: "two-blue", label: "Played" },
  failed: { mark: "failed", label: "Not sent" },
  unknown: { mark: "unknown", label: "May have been sent" },
};

/** The mark beside a message as WhatsApp draws it; a customer's own message has none. */
export function tick(status: MessageStatus): Tick | null {
  return status === "received" ? null : TICKS[status];
}
