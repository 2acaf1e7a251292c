import type { z } from "zod";
import { makeEvents } from "../events/kinds";
import { addPerson } from "../handset/customers";
import { receiveInbound } from "../handset/inbound";
import { parseInbound } from "../handset/inbound-schema";
import { attachPersona } from "../handset/personas";
import { deliverWaiting } from "../handset/statuses";
import { json, type Reply } from "../http";
import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import { type Customer, findCustomer } from "../world";
import { problem, summary } from "./answers";
import type { customerBody, personaBody } from "./schemas";
import { describeState } from "./state";

/** `POST /_sim/customers`: somebody comes to WhatsApp, or is different from now on. */
export async function changeCustomer(
  simulation: Simulation,
  change: z.infer<typeof customerBody>,
): Promise<Reply> {
  const known = findCustomer(simulation.world, change.phone);
  const customer = known ?? addPerson(simulation, change.phone);
  if (customer === null) {
    return problem(404, "phone", "No customer has this username or user id, and it is no phone either.");
  }
  setHabits(simulation, customer, change);
  const told: DeliveryEntry[] = [];
  for (const body of systemMessages(change)) {
    const parsed = parseInbound({ from: customer.userId, ...body });
    // The schema of this call is stricter than that of a message; a wrong one is a defect.
    if ("error" in parsed) throw new TypeError(parsed.error.message);
    const result = await receiveInbound(simulation, parsed);
    if ("problem" in result) return problem(400, "newPhone", result.problem);
    told.push(...result.deliveries);
  }
  if (change.optedOut !== undefined && change.optedOut !== customer.optedOut) {
    const value = change.optedOut ? "stop" : "resume";
    const events = makeEvents(simulation, { field: "user_preferences", customer: customer.userId, value });
    if (!("ok" in events)) return problem(400, "optedOut", "There is no business number to tell.");
    for (const event of events.ok) told.push(...(await simulation.sender.send(event)));
  }
  simulation.journal.emit({ type: "state" });
  const shown = describeState(simulation).customers.find(({ userId }) => userId === customer.userId);
  return json(200, { ...shown, deliveries: told.map(summary) });
}

function setHabits(simulation: Simulation, customer: Customer, change: z.infer<typeof customerBody>): void {
  customer.name = change.name ?? customer.name;
  customer.readReceipts = change.readReceipts ?? customer.readReceipts;
  customer.phoneHidden = change.phoneHidden ?? customer.phoneHidden;
  customer.blocksUs = change.blocksUs ?? customer.blocksUs;
  if (change.username !== undefined) customer.username = change.username?.replace(/^@/, "");
  const comesBack = !customer.online && change.online === true;
  customer.online = change.online ?? customer.online;
  if (comesBack) deliverWaiting(simulation, customer);
}

function systemMessages({ newPhone, newUserId, newIdentity }: z.infer<typeof customerBody>): object[] {
  return [
    ...(newPhone === undefined ? [] : [{ type: "system", change: "number", new_phone: newPhone }]),
    ...(newUserId ? [{ type: "system", change: "user_id" }] : []),
    ...(newIdentity ? [{ type: "system", change: "identity" }] : []),
  ];
}

/** `POST /_sim/personas`: somebody acts by a script from now on, or no longer. */
export function changePersona(
  simulation: Simulation,
  { customer: who, script, latencyMs, choice, number: numberId }: z.infer<typeof personaBody>,
): Reply {
  const { world } = simulation;
  const customer = findCustomer(world, who) ?? addPerson(simulation, who);
  if (customer === null)
    return problem(404, "customer", "There is no such customer, and it is no phone either.");
  const number = numberId === undefined ? world.numbers[0] : world.numbers.find(({ id }) => id === numberId);
  if (number === undefined) return problem(404, "number", "There is no business number with this id.");
  if (script === null) customer.persona = null;
  else attachPersona(simulation, customer, { script, latencyMs, choice: choice ?? null }, number.id);
  simulation.journal.emit({ type: "state" });
  return json(200, { phone: customer.phone, persona: customer.persona });
}
