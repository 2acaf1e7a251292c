import { asObject, get } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import type { StatusError } from "../webhooks/payloads";
import { type Customer, findCustomer, type StoredMessage } from "../world";
import { fetchLinkedFiles, linkedFiles } from "./linked-files";
import { magicOf } from "./magic-numbers";
import { answerByScript } from "./personas";
import { type PlannedStatus, plan } from "./status-plans";

/** Reasons for which WhatsApp fails a message after it accepted it. */
export const FAILURES = {
  windowClosed: {
    code: 131047,
    title: "Re-engagement message",
    details:
      "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
  },
  undeliverable: { code: 131026, title: "Message undeliverable", details: "Message Undeliverable." },
  optedOut: {
    code: 131050,
    title: "User has stopped receiving marketing messages",
    details: "Unable to deliver the message. The recipient has chosen to stop receiving marketing messages.",
  },
  heldBack: {
    code: 131049,
    title: "This message was not delivered to maintain healthy ecosystem engagement.",
    details: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
  },
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
  const { sent } = delaysFor(simulation, message);
  if (failure !== null) {
    plan(simulation, message, [{ delayMs: sent, status: "failed", error: failure }]);
    return;
  }
  const customer = findCustomer(simulation.world, message.peer);
  // A reaction is never reported as delivered or read.
  const reaches = message.type !== "reaction" && customer?.online === true;
  const files = simulation.tuning.fetchLinks ? linkedFiles(message) : [];
  const check = () => fetchLinkedFiles(files, simulation.closing);
  plan(simulation, message, [
    { delayMs: sent, status: "sent", ...(files.length > 0 && { check }) },
    ...(reaches ? reaching(simulation, message, customer) : []),
  ]);
}

/** A phone comes back: everything that waited for it is delivered and, where receipts are on, read. */
export function deliverWaiting(simulation: Simulation, customer: Customer): void {
  for (const message of simulation.world.messages.values()) {
    const waits =
      message.direction === "outbound" && message.status === "sent" && message.type !== "reaction";
    if (!waits || findCustomer(simulation.world, message.peer) !== customer) continue;
    plan(simulation, message, reaching(simulation, message, customer));
  }
}

/** The message appears on the phone, and is read where receipts are on; a voice message is then played. */
function reaching(simulation: Simulation, message: StoredMessage, customer: Customer): PlannedStatus[] {
  const { delivered, read } = delaysFor(simulation, message);
  const isVoice = message.type === "audio" && get(asObject(message.content), "voice") === true;
  return [
    { delayMs: delivered, status: "delivered", onReported: () => answerByScript(simulation, message) },
    ...(customer.readReceipts ? [{ delayMs: read, status: "read" as const }] : []),
    ...(customer.readReceipts && isVoice
      ? [{ delayMs: read + (read - delivered), status: "played" as const }]
      : []),
  ];
}

function delaysFor(simulation: Simulation, message: StoredMessage) {
  const { sent, delivered, read } = simulation.settings.statusDelaysMs;
  const slowness = magicOf(message.peer)?.slowness ?? 1;
  return { sent: sent * slowness, delivered: delivered * slowness, read: read * slowness };
}
