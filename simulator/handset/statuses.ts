import type { Simulation } from "../simulation";
import type { StatusError } from "../webhooks/payloads";
import { type Customer, findCustomer, type StoredMessage } from "../world";
import { plan } from "./status-plans";

/** Reasons for which WhatsApp fails a message after it accepted it. */
export const FAILURES = {
  windowClosed: {
    code: 131047,
    title: "Re-engagement message",
    details:
      "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
  },
  undeliverable: { code: 131026, title: "Message undeliverable", details: "Message Undeliverable." },
  badReaction: {
    code: 131009,
    title: "Parameter value is not valid",
    details: "The message to react to does not exist.",
  },
} as const satisfies Record<string, StatusError>;

/** What happens to an accepted message: it fails with the given reason, or it goes as far as the phone lets it. */
export function planStatuses(
  simulation: Simulation,
  message: StoredMessage,
  failure: StatusError | null,
): void {
  const { sent, delivered, read } = simulation.settings.statusDelaysMs;
  if (failure !== null) {
    plan(simulation, message, [{ delayMs: sent, status: "failed", error: failure }]);
    return;
  }
  const customer = findCustomer(simulation.world, message.peer);
  // A reaction is never reported as delivered or read.
  const reaches = message.type !== "reaction" && customer?.online === true;
  plan(simulation, message, [
    { delayMs: sent, status: "sent" },
    ...(reaches ? [{ delayMs: delivered, status: "delivered" as const }] : []),
    ...(reaches && customer.readReceipts ? [{ delayMs: read, status: "read" as const }] : []),
  ]);
}

/** A phone comes back: everything that waited for it is delivered and, where receipts are on, read. */
export function deliverWaiting(simulation: Simulation, customer: Customer): void {
  const { delivered, read } = simulation.settings.statusDelaysMs;
  for (const message of simulation.world.messages.values()) {
    const waits =
      message.direction === "outbound" && message.status === "sent" && message.type !== "reaction";
    if (!waits || findCustomer(simulation.world, message.peer) !== customer) continue;
    plan(simulation, message, [
      { delayMs: delivered, status: "delivered" },
      ...(customer.readReceipts ? [{ delayMs: read, status: "read" as const }] : []),
    ]);
  }
}
