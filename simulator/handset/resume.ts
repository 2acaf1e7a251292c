import type { Simulation } from "../simulation";
import { findCustomer } from "../world";
import { laterFailure } from "./acceptance";
import { deliverWaiting, planStatuses } from "./statuses";

/** Messages that were on their way when the world was kept go on from where they were. */
export function resumeStatuses(simulation: Simulation): void {
  const { world } = simulation;
  for (const message of world.messages.values()) {
    const number = world.numbers.find(({ id }) => id === message.numberId);
    if (message.status !== "accepted" || number === undefined) continue;
    const customer = findCustomer(world, message.peer);
    planStatuses(simulation, message, laterFailure(simulation, number, customer, message));
  }
  for (const customer of world.customers) if (customer.online) deliverWaiting(simulation, customer);
}
