import type { Simulation } from "../simulation";
import { systemEvent } from "../webhooks/payloads";
import type { BusinessNumber, Customer } from "../world";
import { internationalPhone, isFreePhone, moveToPhone, renewIdentity, renewUserId } from "./customers";
import type { TypedInbound } from "./inbound-kinds";
import { type InboundProblem, type InboundResult, storeInbound } from "./inbound-store";

type Change = Extract<TypedInbound, { type: "system" }>;

/** Something about a customer changes, and WhatsApp tells so in a message of its own: it comes from the old number. */
export async function reportChange(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  change: Change,
  base: { readonly id: string; readonly timestamp: string },
  at: number,
): Promise<InboundResult | InboundProblem> {
  const before = { ...customer };
  const problem = apply(simulation, customer, change);
  if (problem !== null) return problem;
  const message = { ...base, type: "system", system: describe(before, customer, change) };
  storeInbound(simulation, number, customer, message, at);
  const deliveries = await simulation.sender.send(systemEvent(number, before, message));
  return { messageId: base.id, deliveries };
}

function apply(simulation: Simulation, customer: Customer, change: Change): InboundProblem | null {
  if (change.change === "user_id") renewUserId(simulation, customer);
  if (change.change === "identity") renewIdentity(simulation, customer);
  if (change.change !== "number") return null;
  const phone = internationalPhone(change.new_phone ?? "");
  if (phone === null) return { path: "new_phone", problem: "Give a phone in international form." };
  if (!isFreePhone(simulation, phone)) return { path: "new_phone", problem: "Somebody else has this phone." };
  moveToPhone(simulation, customer, phone);
  return null;
}

function describe(before: Customer, after: Customer, { change }: Change): object {
  const who = before.name;
  switch (change) {
    case "number":
      return {
        body: `${who} changed from ${before.waId} to ${after.waId}`,
        wa_id: after.waId,
        type: "user_changed_number",
        user_id: after.userId,
        previous_user_id: before.userId,
      };
    case "user_id":
      return {
        body: `${who} has a new user id`,
        ...(!after.phoneHidden && { wa_id: after.waId }),
        type: "user_changed_user_id",
        user_id: after.userId,
        previous_user_id: before.userId,
      };
    case "identity":
      return {
        body: `${who}'s security code changed`,
        ...(!after.phoneHidden && { wa_id: after.waId }),
        type: "customer_identity_changed",
        identity: after.identityHash,
        customer: after.waId,
      };
  }
}
