import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Customer, StoredMessage } from "../world";
import type { InboundContent } from "./inbound-content";

export interface InboundResult {
  readonly messageId: string;
  readonly deliveries: readonly DeliveryEntry[];
}

/** Meta's `context` of a message. */
export interface MessageContext {
  readonly id?: string;
  readonly forwarded?: true;
  readonly frequently_forwarded?: true;
}

export interface InboundProblem {
  readonly path: string;
  readonly problem: string;
}

/** A customer has turned to the business: the window is open for a day from then, and never closes earlier for it. */
export function openWindow(customer: Customer, number: BusinessNumber, at: number): void {
  customer.lastWroteAt.set(number.id, Math.max(at, customer.lastWroteAt.get(number.id) ?? 0));
}

/** Keeps a message from a customer as the world and the page know it. */
export function storeInbound(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  message: InboundContent & {
    readonly id: string;
    readonly context?: MessageContext;
    readonly referral?: unknown;
  },
  at: number,
): StoredMessage {
  const { id: quotes, forwarded, frequently_forwarded } = message.context ?? {};
  const stored: StoredMessage = {
    id: message.id,
    direction: "inbound",
    numberId: number.id,
    peer: customer.phone.slice(1),
    type: message.type,
    content: message[message.type],
    at,
    category: "service",
    status: "received",
    ...(quotes !== undefined && { quotes }),
    ...(message.referral !== undefined && { referral: message.referral }),
    ...((forwarded || frequently_forwarded) && { forwarded: true as const }),
  };
  simulation.putMessage(stored);
  return stored;
}
