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
  // After a reset there may be a new message of the same id; the old one is no longer of this world.
  const isOfThisWorld = simulation.world.messages.get(message.id) === message;
  const number = simulation.world.numbers.find((candidate) => candidate.id === message.numberId);
  if (!isOfThisWorld || number === undefined) return [];
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
  if (failure !== null) {
    planInOrder(simulation, message, [{ delayMs: sent, status: "failed", error: failure }]);
    return;
  }
  const customer = findCustomer(simulation.world, message.peer);
  // A reaction is never reported as delivered or read.
  const reaches = message.type !== "reaction" && customer?.online === true;
  planInOrder(simulation, message, [
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
    planInOrder(simulation, message, [
      { delayMs: delivered, status: "delivered" },
      ...(customer.readReceipts ? [{ delayMs: read, status: "read" as const }] : []),
    ]);
  }
}

interface PlannedStatus {
  readonly delayMs: number;
  readonly status: SentStatus;
  readonly error?: StatusError;
}

/**
 * Plans the statuses of one message. Each is sent only after the one before has been answered or has failed, so that
 * a busy machine does not shuffle them; shuffling is what the fault rules are for.
 */
function planInOrder(simulation: Simulation, message: StoredMessage, plan: readonly PlannedStatus[]): void {
  let before: Promise<unknown> = Promise.resolve();
  for (const { delayMs, status, error } of plan) {
    simulation.clock.after(delayMs, async () => {
      before = before.then(() => reportStatus(simulation, message, status, error));
      await before;
    });
  }
}
