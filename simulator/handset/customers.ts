import type { Simulation } from "../simulation";
import { person } from "../start-state";
import { type Customer, findCustomer } from "../world";
import { waIdOf } from "./wa-id";

/** People in the world; more would make every look-up slow. */
const CUSTOMERS_MAX = 10_000;

/** Adds somebody to WhatsApp; null when this is no phone in international form, or nobody more fits in. */
export function addPerson(
  simulation: Simulation,
  dialled: string,
  traits: Partial<Omit<Customer, "phone" | "lastWroteAt" | "entryPoints" | "userId" | "waId">> = {},
): Customer | null {
  const phone = internationalPhone(dialled);
  if (phone === null || simulation.world.customers.length >= CUSTOMERS_MAX) return null;
  const { name = phone, ...others } = traits;
  const customer = person(name, phone, {
    ...others,
    waId: waIdOf(phone.slice(1)),
    userId: simulation.ids.digits(`user.${phone}`, 20),
  });
  simulation.addCustomer(customer);
  return customer;
}

/** A phone as people write it, in E.164, or null. */
export function internationalPhone(dialled: string): string | null {
  const phone = `+${dialled.replace(/[\s+()-]/g, "")}`;
  return /^\+[1-9]\d{6,14}$/.test(phone) ? phone : null;
}

/** Whether a phone is free to move to. */
export function isFreePhone(simulation: Simulation, phone: string): boolean {
  return findCustomer(simulation.world, phone) === undefined;
}

/**
 * Somebody moves to another phone. WhatsApp gives a new user id, and the chat goes on: messages so far belong to the
 * new number.
 */
export function moveToPhone(simulation: Simulation, customer: Customer, phone: string): void {
  const before = customer.phone.slice(1);
  customer.phone = phone;
  customer.waId = waIdOf(phone.slice(1));
  renewUserId(simulation, customer);
  for (const message of simulation.world.messages.values()) {
    if (message.peer === before) message.peer = phone.slice(1);
  }
  simulation.journal.emit({ type: "state" });
}

export function renewUserId(simulation: Simulation, customer: Customer): void {
  const country = customer.userId.split(".")[0] ?? "ZZ";
  customer.userId = `${country}.${simulation.ids.digits(`user.${customer.phone}`, 20)}`;
  simulation.journal.emit({ type: "state" });
}

/** Somebody has installed WhatsApp anew: the key that identifies the phone is another one. */
export function renewIdentity(simulation: Simulation, customer: Customer): void {
  customer.identityHash = simulation.ids.secret(`identity.${customer.phone}`).slice(0, 12);
  simulation.journal.emit({ type: "state" });
}
