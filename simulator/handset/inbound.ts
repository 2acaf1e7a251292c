import { metaTimestamp } from "#shared/time";
import { get, getObject, getText } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import { messageEvent } from "../webhooks/payloads";
import { type BusinessNumber, type Customer, findCustomer } from "../world";
import { addPerson } from "./customers";
import { enterFromAd } from "./entry-points";
import { contentOf, type InboundContent, untypedContent } from "./inbound-content";
import type { TypedInbound, UntypedInbound } from "./inbound-kinds";
import type { Inbound } from "./inbound-schema";
import {
  type InboundProblem,
  type InboundResult,
  type MessageContext,
  openWindow,
  storeInbound,
} from "./inbound-store";
import { magicOf } from "./magic-numbers";
import { reportChange } from "./system-messages";

/** What a customer does without saying anything new. Such messages leave the window as it is. */
const SILENT_TYPES: ReadonlySet<string> = new Set(["system", "edit", "revoke"]);

/** A customer acts: the message is stored, opens the window, and its webhook is sent. */
export async function receiveInbound(
  simulation: Simulation,
  request: Inbound,
): Promise<InboundResult | InboundProblem> {
  const { world } = simulation;
  const inbound = "typed" in request ? request.typed : request.untyped;
  const number =
    inbound.to === undefined ? world.numbers[0] : world.numbers.find(({ id }) => id === inbound.to);
  if (number === undefined) return { path: "to", problem: "There is no business number with this id." };
  const customer = whoActs(simulation, inbound);
  if (customer === null)
    return { path: "from", problem: "Give a phone in international form, or a known customer." };
  if (customer.blocksUs) {
    return { path: "from", problem: "This person has blocked the business; unblock it first." };
  }

  // Whom the business has blocked writes without knowing it, and nothing arrives (Meta: "Block users").
  if (number.state.blocked.has(customer.waId)) {
    const unheard = inbound.id ?? simulation.ids.wamid("inbound", customer.phone.slice(1));
    return { messageId: unheard, deliveries: [] };
  }

  const at = inbound.timestamp === undefined ? simulation.clock.now() : inbound.timestamp * 1000;
  const id = inbound.id ?? simulation.ids.wamid("inbound", customer.phone.slice(1));
  const base = { timestamp: metaTimestamp(at), ...contextOf(number, inbound), ...extrasOf(inbound), id };
  if ("typed" in request && request.typed.type === "system") {
    return reportChange(simulation, number, customer, request.typed, base, at);
  }
  const problem = "typed" in request ? originalProblem(simulation, customer, request.typed) : null;
  if (problem !== null) return problem;
  const content =
    "typed" in request && request.typed.type !== "system"
      ? contentOf(simulation, request.typed)
      : untypedContent({ ...inbound });
  if ("typed" in request) changeOriginal(simulation, request.typed, content);
  const message = { ...base, ...content, id: typeof content["id"] === "string" ? content["id"] : id };
  const stored = storeInbound(simulation, number, customer, message, at);
  if (!SILENT_TYPES.has(stored.type)) openWindow(customer, number, at);
  if (inbound.referral !== undefined) enterFromAd(number, customer, at);
  return {
    messageId: stored.id,
    deliveries: await simulation.sender.send(messageEvent(number, customer, message)),
  };
}

function whoActs(simulation: Simulation, inbound: TypedInbound | UntypedInbound): Customer | null {
  const known = findCustomer(simulation.world, inbound.from);
  const username = inbound.username?.replace(/^@/, "");
  if (known !== undefined) {
    if (inbound.name !== undefined) known.name = inbound.name;
    if (username !== undefined) known.username = username;
    return known;
  }
  const magic = magicOf(inbound.from.replace(/\D/g, ""));
  const name = inbound.name ?? magic?.name;
  return addPerson(simulation, inbound.from, {
    ...magic?.traits,
    ...(name !== undefined && { name }),
    ...(username !== undefined && { username }),
  });
}

/** Meta's `context`: what is quoted, where it was forwarded from, which product it is about. */
function contextOf(
  number: BusinessNumber,
  { reply_to, forwarded, frequently_forwarded, referred_product }: TypedInbound | UntypedInbound,
): { readonly context?: MessageContext } {
  const context = {
    ...((reply_to !== undefined || referred_product !== undefined) && { from: number.digits }),
    ...(reply_to !== undefined && { id: reply_to }),
    ...(forwarded && { forwarded }),
    ...(frequently_forwarded && { frequently_forwarded }),
    ...(referred_product !== undefined && { referred_product }),
  };
  return Object.keys(context).length === 0 ? {} : { context };
}

function extrasOf({ referral, group_id }: TypedInbound | UntypedInbound): object {
  return { ...(referral !== undefined && { referral }), ...(group_id !== undefined && { group_id }) };
}

/** People edit and remove messages of their own only; one that the world never had cannot be checked. */
function originalProblem(
  simulation: Simulation,
  customer: Customer,
  inbound: TypedInbound,
): InboundProblem | null {
  if (inbound.type !== "edit" && inbound.type !== "revoke") return null;
  const original = simulation.world.messages.get(inbound.message_id);
  const isTheirs =
    original === undefined || (original.direction === "inbound" && original.peer === customer.phone.slice(1));
  return isTheirs ? null : { path: "message_id", problem: "This message is not one of this person's." };
}

/** The message that is edited or removed is from now on what the person made of it. */
function changeOriginal(simulation: Simulation, inbound: TypedInbound, content: InboundContent): void {
  if (inbound.type !== "edit" && inbound.type !== "revoke") return;
  const original = simulation.world.messages.get(inbound.message_id);
  if (original === undefined) return;
  if (inbound.type === "revoke") original.revoked = true;
  else {
    const edited = getObject(getObject(content, "edit"), "message");
    original.content = get(edited, getText(edited, "type") ?? "text");
    original.edited = true;
  }
  simulation.putMessage(original);
}
