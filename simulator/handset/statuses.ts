import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import { type StatusError, statusEvent } from "../webhooks/payloads";
import { type Customer, findCustomer, type SentStatus, type StoredMessage } from "../world";

/** How far a message is; a later report of an earlier stage is still sent, but the message does not go back. */
const RANKS: Record<StoredMessage["status"], number> = {
  accepted: 0,
  received: 0,
  sent: 1,
  failed: 2,
  delivered: 3,
  read: 4,
  played: 5,
};

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

/** Reports one status of a message of the business, now. */
export async function reportStatus(
  simulation: Simulation,
  message: StoredMessage,
  status: SentStatus,
  error?: StatusError,
): Promise<DeliveryEntry[]> {
  const number = simulation.world.numbers.find((candidate) => candidate.id === message.numberId);
  if (number === undefined) return [];
  if (RANKS[status] > RANKS[message.status]) {
    message.status = status;
    if (error !== undefined) message.error = { code: error.code, title: error.title };
    simulation.putMessage(message);
  }
  const customer = findCustomer(simulation.world, message.peer);
  return simulation.sender.send(
    statusEvent(number, customer, message, status, simulation.clock.now(), error),
  );
}

/** What happens to an accepted message: it fails with the given reason, or it goes as far as the phone lets it. */
export function planStatuses(
  simulation: Simulation,
  message: StoredMessage,
  failure: StatusError | null,
): void {
  const { sent, delivered, read } = simulation.settings.statusDelaysMs;
  const later = (delayMs: number, status: SentStatus, error?: StatusError) =>
    simulation.clock.after(
      delayMs,
      async () => void (await reportStatus(simulation, message, status, error)),
    );
  if (failure !== null) {
    later(sent, "failed", failure);
    return;
  }
  later(sent, "sent");
  // A reaction is never reported as delivered or read.
  if (message.type === "reaction") return;
  const customer = findCustomer(simulation.world, message.peer);
  if (customer?.online !== true) return;
  later(delivered, "delivered");
  if (customer.readReceipts) later(read, "read");
}

/** A phone comes back: everything that waited for it is delivered and, where receipts are on, read. */
export function deliverWaiting(simulation: Simulation, customer: Customer): void {
  const { delivered, read } = simulation.settings.statusDelaysMs;
  for (const message of simulation.world.messages.values()) {
    const waits =
      message.direction === "outbound" && message.status === "sent" && message.type !== "reaction";
    if (!waits || findCustomer(simulation.world, message.peer) !== customer) continue;
    simulation.clock.after(
      delivered,
      async () => void (await reportStatus(simulation, message, "delivered")),
    );
    if (!customer.readReceipts) continue;
    simulation.clock.after(read, async () => void (await reportStatus(simulation, message, "read")));
  }
}
