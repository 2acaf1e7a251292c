import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Customer, StoredMessage } from "../world";
import type { InboundContent } from "./inbound-content";

export interface InboundResult {
  readonly messageId: string;
  readonly deliveries: readonly DeliveryEntry[];
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
  message: InboundContent & { readonly id: string; readonly context?: { readonly id?: string } },
  at: number,
): StoredMessage {
  const quotes = message.context?.id;
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
  };
  simulation.putMessage(stored);
  return stored;
}
