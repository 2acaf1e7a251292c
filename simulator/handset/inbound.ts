import { metaTimestamp } from "#shared/time";
import type { MediaType } from "#shared/whatsapp/webhook-types";
import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import { person } from "../start-state";
import { errorObject, messageEvent } from "../webhooks/payloads";
import { type BusinessNumber, type Customer, findCustomer, type StoredMessage } from "../world";
import type { Inbound, TypedInbound, UntypedInbound } from "./inbound-schema";
import { mediaLink, storeMedia } from "./media-store";
import { sampleFile } from "./sample-media";

export interface InboundResult {
  readonly messageId: string;
  readonly deliveries: readonly DeliveryEntry[];
}

/** A customer acts: the message is stored, opens the window, and its webhook is sent. A string says what is wrong. */
export async function receiveInbound(
  simulation: Simulation,
  request: Inbound,
): Promise<InboundResult | { problem: string; path: string }> {
  const { world } = simulation;
  const inbound = "typed" in request ? request.typed : request.untyped;
  const number =
    inbound.to === undefined ? world.numbers[0] : world.numbers.find(({ id }) => id === inbound.to);
  if (number === undefined) return { path: "to", problem: "There is no business number with this id." };
  const customer = whoActs(simulation, inbound);
  if (customer === null)
    return { path: "from", problem: "Give a phone in international form, or a known customer." };

  const at = inbound.timestamp === undefined ? simulation.clock.now() : inbound.timestamp * 1000;
  const id = inbound.id ?? simulation.ids.wamid("inbound", customer.phone.slice(1));
  const content = "typed" in request ? contentOf(simulation, request.typed) : untypedContent(request.untyped);
  const message = {
    timestamp: metaTimestamp(at),
    ...(inbound.reply_to !== undefined && { context: { from: number.digits, id: inbound.reply_to } }),
    ...content,
    id: typeof content["id"] === "string" ? content["id"] : id,
  };
  const stored = store(simulation, number, customer, message, at);
  // A notice from WhatsApp about a customer is not a message from the customer.
  if (stored.type !== "system") openWindow(customer, number, at);
  const deliveries = await simulation.sender.send(messageEvent(number, customer, message));
  return { messageId: stored.id, deliveries };
}

interface InboundContent extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

function whoActs(simulation: Simulation, inbound: TypedInbound | UntypedInbound): Customer | null {
  const known = findCustomer(simulation.world, inbound.from);
  const username = inbound.username?.replace(/^@/, "");
  if (known !== undefined) {
    if (inbound.name !== undefined) known.name = inbound.name;
    if (username !== undefined) known.username = username;
    return known;
  }
  const phone = `+${inbound.from.replace(/[\s+()-]/g, "")}`;
  if (!/^\+[1-9]\d{6,14}$/.test(phone)) return null;
  const customer = person(inbound.name ?? phone, phone, {
    userId: simulation.ids.digits(`user.${phone}`, 20),
    ...(username !== undefined && { username }),
  });
  simulation.addCustomer(customer);
  return customer;
}

function openWindow(customer: Customer, number: BusinessNumber, at: number): void {
  customer.lastWroteAt.set(number.id, Math.max(at, customer.lastWroteAt.get(number.id) ?? 0));
}

function store(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  message: InboundContent & { readonly id: string; readonly context?: { readonly id: string } },
  at: number,
): StoredMessage {
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
    ...(message.context !== undefined && { quotes: message.context.id }),
  };
  simulation.putMessage(stored);
  return stored;
}

/** A message object of somebody's own making; only a missing type is filled in, so that it can be stored. */
function rawContent(message: Readonly<Record<string, unknown>>): InboundContent {
  const { type, ...others } = message;
  return { type: typeof type === "string" ? type : "unknown", ...others };
}

function untypedContent(inbound: UntypedInbound): InboundContent {
  return { type: inbound.type, [inbound.type]: inbound[inbound.type] };
}

function contentOf(simulation: Simulation, inbound: TypedInbound): InboundContent {
  switch (inbound.type) {
    case "text":
      return { type: "text", text: { body: inbound.body } };
    case "image":
    case "video":
    case "document":
    case "audio":
    case "voice":
    case "sticker":
      return mediaContent(simulation, inbound);
    case "reaction":
      return {
        type: "reaction",
        reaction: { message_id: inbound.message_id, ...(inbound.emoji && { emoji: inbound.emoji }) },
      };
    case "location": {
      const { latitude, longitude, place, address, url } = inbound;
      return { type: "location", location: { latitude, longitude, name: place, address, url } };
    }
    case "button":
      return { type: "button", button: { payload: inbound.payload ?? inbound.text, text: inbound.text } };
    case "button_reply":
      return {
        type: "interactive",
        interactive: { type: "button_reply", button_reply: { id: inbound.reply_id, title: inbound.title } },
      };
    case "list_reply": {
      const { reply_id: id, title, description } = inbound;
      return {
        type: "interactive",
        interactive: { type: "list_reply", list_reply: { id, title, description } },
      };
    }
    case "unsupported":
      return {
        type: "unsupported",
        errors: [errorObject(UNSUPPORTED)],
        ...(inbound.label !== undefined && { unsupported: { type: inbound.label } }),
      };
    case "raw":
      return rawContent(inbound.message);
  }
}

const UNSUPPORTED = {
  code: 131051,
  title: "Message type unknown",
  details: "Message type is currently not supported.",
};

type MediaInbound = Extract<TypedInbound, { type: MediaType }>;

function mediaContent(simulation: Simulation, inbound: MediaInbound): InboundContent {
  const isVoice = inbound.type === "voice" || (inbound.type === "audio" && inbound.voice === true);
  const type = isVoice ? "voice" : inbound.type;
  const sample = sampleFile(type, simulation.ids.chance());
  const bytes = inbound.data === undefined ? sample.bytes : Buffer.from(inbound.data, "base64");
  const filename = inbound.type === "document" ? (inbound.filename ?? sample.filename) : undefined;
  const media = storeMedia(simulation, "customer", {
    type,
    bytes,
    mimeType: inbound.mime_type ?? sample.mimeType,
    ...(filename !== undefined && { filename }),
  });
  // Webhooks call a voice message `audio` with a flag.
  const wireType = isVoice ? "audio" : inbound.type;
  return {
    type: wireType,
    [wireType]: {
      ...("caption" in inbound && { caption: inbound.caption }),
      filename,
      mime_type: media.mimeType,
      // Webhooks give the digest in base64, the API in hex.
      sha256: Buffer.from(media.sha256Hex, "hex").toString("base64"),
      id: media.id,
      url: mediaLink(simulation, media),
      ...(wireType === "audio" && { voice: isVoice }),
      ...(inbound.type === "sticker" && { animated: inbound.animated ?? false }),
    },
  };
}
