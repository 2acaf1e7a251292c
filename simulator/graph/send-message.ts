import { get, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import { numberProblem } from "../business/numbers";
import { laterFailure, recipientOf, refusalOf } from "../handset/acceptance";
import { freeEntryOf } from "../handset/entry-points";
import { planStatuses } from "../handset/statuses";
import { waIdOf } from "../handset/wa-id";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Customer, StoredMessage } from "../world";
import { type GraphFailure, invalid, invalidParameter, missing } from "./graph-error";
import { checkMessage } from "./message-rules";
import { findTemplate } from "./template-send-rules";

export type GraphResult = { readonly ok: unknown } | { readonly failure: GraphFailure };

/** `POST /{phone-number-id}/messages`: sends a message, or marks one as read. */
export function postMessages(simulation: Simulation, number: BusinessNumber, body: JsonObject): GraphResult {
  if (get(body, "messaging_product") !== "whatsapp") {
    return { failure: invalidParameter("The parameter messaging_product is required and must be whatsapp.") };
  }
  if (get(body, "status") !== undefined) return markRead(simulation, number, body);
  const recipient = resolveRecipient(simulation, number, body);
  if ("failure" in recipient) return recipient;
  const failure =
    numberProblem(number, simulation.clock.now()) ??
    blockedProblem(number, recipient) ??
    checkMessage(body, simulation, number);
  if (failure !== null) return { failure };
  const refusal = refusalOf(simulation, number, recipient, body);
  if (refusal !== null) return { failure: refusal };
  return accept(simulation, number, recipient, body);
}

interface Addressee {
  /** As the caller wrote it. */
  readonly input: string;
  readonly digits: string;
  readonly customer: Customer | undefined;
}

function resolveRecipient(
  simulation: Simulation,
  number: BusinessNumber,
  body: JsonObject,
): Addressee | { failure: GraphFailure } {
  const recipientType = getText(body, "recipient_type") ?? "individual";
  if (recipientType !== "individual") return { failure: invalid("Only individual recipients exist here.") };
  const input = getText(body, "to") ?? getText(body, "recipient") ?? "";
  if (input === "") return { failure: missing("to") };
  const byId = recipientOf(simulation, input);
  if (byId !== undefined) return { input, digits: byId.phone.slice(1), customer: byId };
  const digits = input.replace(/[\s+()-]/g, "");
  if (!/^\d{5,20}$/.test(digits))
    return { failure: invalid("The recipient is not a phone number or user id.") };
  if (digits === number.digits) {
    return { failure: { status: 400, code: 131021, message: "(#131021) Recipient cannot be sender" } };
  }
  // Without a plus Meta reads the digits as local to the business.
  const dialled = input.trim().startsWith("+") ? digits : `${number.countryCode}${digits}`;
  return { input, digits: dialled, customer: recipientOf(simulation, `+${dialled}`) };
}

/** Whom the business has blocked it cannot write to. */
function blockedProblem(number: BusinessNumber, to: Addressee): GraphFailure | null {
  if (to.customer === undefined || !number.state.blocked.has(to.customer.waId)) return null;
  return { status: 400, code: 130403, message: "(#130403) The recipient is blocked by the business" };
}

function accept(
  simulation: Simulation,
  number: BusinessNumber,
  to: Addressee,
  body: JsonObject,
): GraphResult {
  const type = getText(body, "type") ?? "text";
  const content = get(body, type);
  const quotes = getText(getObject(body, "context"), "message_id");
  const callbackData = getText(body, "biz_opaque_callback_data");
  const message: StoredMessage = {
    id: simulation.ids.wamid("outbound", to.digits),
    direction: "outbound",
    numberId: number.id,
    peer: to.digits,
    type,
    content,
    at: simulation.clock.now(),
    category: categoryOf(simulation, number, type, content),
    status: "accepted",
    ...(quotes !== undefined && { quotes }),
    ...(callbackData !== undefined && { callbackData }),
    ...freeEntryOf(simulation, number, to.customer),
  };
  simulation.putMessage(message);
  planStatuses(simulation, message, laterFailure(simulation, number, to.customer, message));
  const { customer } = to;
  const isByUserId = customer?.phoneHidden === true || to.input === customer?.userId;
  return {
    ok: {
      messaging_product: "whatsapp",
      contacts: [
        {
          input: to.input,
          ...(!customer?.phoneHidden && { wa_id: customer?.waId ?? waIdOf(to.digits) }),
          ...(isByUserId && { user_id: customer.userId }),
        },
      ],
      messages: [{ id: message.id, ...(type === "template" && { message_status: "accepted" }) }],
    },
  };
}

function categoryOf(
  simulation: Simulation,
  number: BusinessNumber,
  type: string,
  content: unknown,
): StoredMessage["category"] {
  if (type !== "template" || typeof content !== "object" || content === null) return "service";
  const template: JsonObject = { ...content };
  const name = getText(template, "name") ?? "";
  const language = getText(getObject(template, "language"), "code") ?? "";
  switch (findTemplate(simulation, number, name, language)?.category) {
    case "MARKETING":
      return "marketing";
    case "AUTHENTICATION":
      return "authentication";
    default:
      return "utility";
  }
}

function markRead(simulation: Simulation, number: BusinessNumber, body: JsonObject): GraphResult {
  if (get(body, "status") !== "read") return { failure: invalidParameter('Param status must be "read".') };
  const id = getText(body, "message_id") ?? "";
  if (id === "") return { failure: missing("message_id") };
  const message = simulation.world.messages.get(id);
  if (message === undefined || message.direction !== "inbound" || message.numberId !== number.id) {
    return { failure: invalid("The message id is not one of a message that this number received.") };
  }
  // Reading a message reads the earlier ones of the same chat as well.
  for (const earlier of simulation.world.messages.values()) {
    const same =
      earlier.direction === "inbound" && earlier.peer === message.peer && earlier.numberId === number.id;
    if (!same || earlier.at > message.at || earlier.status === "read") continue;
    earlier.status = "read";
    simulation.putMessage(earlier);
  }
  if (get(body, "typing_indicator") !== undefined)
    simulation.journal.emit({ type: "typing", peer: message.peer });
  return { ok: { success: true } };
}
