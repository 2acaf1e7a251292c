import { isWindowOpen, SERVICE_WINDOW_MS } from "#shared/domain/window";
import { asObject, get, getText, type JsonObject } from "#shared/whatsapp/json";
import type { GraphFailure } from "../graph/graph-error";
import type { Simulation } from "../simulation";
import type { StatusError } from "../webhooks/payloads";
import { type BusinessNumber, type Customer, findCustomer, type StoredMessage } from "../world";
import { addPerson } from "./customers";
import { magicOf } from "./magic-numbers";
import { FAILURES } from "./statuses";

/** How long somebody with a magic number takes to act. */
const MAGIC_LATENCY_MS = 1_000;

/** Who a recipient is: a customer, or somebody with a magic number, who comes into being when first written to. */
export function recipientOf(simulation: Simulation, who: string): Customer | undefined {
  const known = findCustomer(simulation.world, who);
  const digits = who.replace(/\D/g, "");
  const magic = who.startsWith("+") && known === undefined ? magicOf(digits) : undefined;
  if (magic === undefined) return known;
  const customer = addPerson(simulation, `+${digits}`, { name: magic.name, ...magic.traits });
  if (customer !== null && magic.script !== undefined) {
    customer.persona = { script: magic.script, latencyMs: MAGIC_LATENCY_MS, turns: 0 };
  }
  return customer ?? undefined;
}

/** Why Meta refuses a message at once although it is well formed, or null. */
export function refusalOf(
  simulation: Simulation,
  number: BusinessNumber,
  to: { readonly digits: string; readonly customer: Customer | undefined },
  body: JsonObject,
): GraphFailure | null {
  const { customer } = to;
  const hash = get(body, "recipient_identity_key_hash");
  if (hash !== undefined && customer?.identityHash !== undefined && hash !== customer.identityHash) {
    return refused(
      137000,
      "Recipient identity key hash mismatch",
      "The identity of the recipient has changed.",
    );
  }
  const type = getText(body, "type") ?? "text";
  const { closedWindow, rateLimits } = simulation.tuning;
  if (closedWindow === "at_once" && type !== "template" && !hasOpenWindow(simulation, number, customer)) {
    return refused(131047, FAILURES.windowClosed.title, FAILURES.windowClosed.details);
  }
  if (!rateLimits) return null;
  if (magicOf(to.digits)?.pairLimited) return pairLimit;
  switch (simulation.rateLimits.take(number.id, to.digits, simulation.clock.now())) {
    case "pair":
      return pairLimit;
    case "number":
      return {
        ...refused(130429, "Rate limit hit", "Too many messages were sent from this number in a short time."),
        status: 429,
      };
    case null:
      return null;
  }
}

/** Why WhatsApp will fail the message after it has accepted it, or null when it reaches the phone. */
export function laterFailure(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer | undefined,
  message: StoredMessage,
): StatusError | null {
  const magic = magicOf(message.peer);
  if (customer === undefined || customer.blocksUs || magic?.failsWith === "undeliverable") {
    return FAILURES.undeliverable;
  }
  if (message.category === "marketing" && customer.optedOut) return FAILURES.optedOut;
  if (message.category === "marketing" && magic?.marketingHeldBack) return FAILURES.heldBack;
  if (message.type === "template") return null;
  if (!hasOpenWindow(simulation, number, customer)) return FAILURES.windowClosed;
  if (message.type !== "reaction") return null;
  const target = getText(asObject(message.content), "message_id") ?? "";
  return simulation.world.messages.has(target) ? null : FAILURES.badReaction;
}

function hasOpenWindow(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer | undefined,
): boolean {
  const magic = customer === undefined ? undefined : magicOf(customer.phone);
  if (magic !== undefined) return magic.windowClosed === undefined;
  const wroteAt = customer?.lastWroteAt.get(number.id);
  return wroteAt !== undefined && isWindowOpen(wroteAt + SERVICE_WINDOW_MS, simulation.clock.now());
}

function refused(code: number, title: string, details: string): GraphFailure {
  return { status: 400, code, message: `(#${code}) ${title}`, details };
}

const pairLimit = refused(
  131056,
  "(Business Account, Consumer Account) pair rate limit hit",
  "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.",
);
