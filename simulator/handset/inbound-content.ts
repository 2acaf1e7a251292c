import type { MediaType } from "#shared/whatsapp/webhook-types";
import type { Simulation } from "../simulation";
import { errorObject } from "../webhooks/payloads";
import type { TypedInbound, UntypedInbound } from "./inbound-kinds";
import { mediaLink, storeMedia } from "./media-store";
import { sampleFile } from "./sample-media";

/** A message object without what stands on every one of them. */
export interface InboundContent extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

export function untypedContent(inbound: UntypedInbound): InboundContent {
  return { type: inbound.type, [inbound.type]: inbound[inbound.type] };
}

/** The content of a message as Meta's webhooks write it. What changes the world is not of these kinds. */
export function contentOf(
  simulation: Simulation,
  inbound: Exclude<TypedInbound, { type: "system" }>,
): InboundContent {
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
    case "contacts":
      return { type: "contacts", contacts: inbound.contacts };
    case "button":
      return { type: "button", button: { payload: inbound.payload ?? inbound.text, text: inbound.text } };
    case "button_reply":
      return interactive("button_reply", { id: inbound.reply_id, title: inbound.title });
    case "list_reply": {
      const { reply_id: id, title, description } = inbound;
      return interactive("list_reply", { id, title, description });
    }
    case "nfm_reply": {
      const { flow: name, body, response = {}, response_json = JSON.stringify(response) } = inbound;
      return interactive("nfm_reply", { name, body, response_json });
    }
    case "call_permission_reply": {
      const { response, is_permanent, expiration_timestamp, response_source } = inbound;
      return interactive("call_permission_reply", {
        response,
        is_permanent,
        expiration_timestamp,
        response_source,
      });
    }
    case "order":
      return { type: "order", order: inbound.order };
    case "edit":
      return {
        type: "edit",
        edit: {
          original_message_id: inbound.message_id,
          message: { context: { id: inbound.message_id }, ...editedContent(simulation, inbound) },
        },
      };
    case "revoke":
      return { type: "revoke", revoke: { original_message_id: inbound.message_id } };
    case "unsupported":
      return {
        type: "unsupported",
        errors: [errorObject(UNSUPPORTED)],
        ...(inbound.label !== undefined && { unsupported: { type: inbound.label } }),
      };
    case "raw": {
      // A message object of somebody's own making; only a missing type is filled in, so that it can be stored.
      const { type, ...others } = inbound.message;
      return { type: typeof type === "string" ? type : "unknown", ...others };
    }
  }
}

const UNSUPPORTED = {
  code: 131051,
  title: "Message type unknown",
  details: "Message type is currently not supported.",
};

function interactive(type: string, reply: object): InboundContent {
  return { type: "interactive", interactive: { type, [type]: reply } };
}

/** What a message is after an edit; an edited picture comes with a new media id. */
function editedContent(
  simulation: Simulation,
  { text = "", message }: Extract<TypedInbound, { type: "edit" }>,
): InboundContent {
  if (message === undefined) return { type: "text", text: { body: text } };
  if (message.type === "text") return message;
  return mediaContent(simulation, { from: "", ...message });
}

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
