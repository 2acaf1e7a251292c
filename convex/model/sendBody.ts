import type { Infer } from "convex/values";
import { defined } from "#shared/defined";
import {
  type Built,
  buildMedia,
  buildReaction,
  buildTemplate,
  buildText,
  type Envelope,
  type TemplateComponent,
} from "#shared/whatsapp/outbound";
import { buildContacts, buildLocation } from "#shared/whatsapp/outbound-cards";
import { buildInteractive, type InteractiveInput } from "#shared/whatsapp/outbound-interactive";
import type { Doc } from "../_generated/dataModel";
import type { interactiveContent } from "../tables/sendContent";
import { headerInput } from "./headerFiles";

export type Payload = Doc<"outbox">["payload"];

/**
 * The body of `POST /messages` for a frozen payload, or what is wrong with it. The same at enqueue, where it is the
 * check of the content, and at each attempt, where only the callback data differs.
 */
export function buildSendBody(payload: Payload, callbackData?: string): Built {
  const replyTo = "replyToWamid" in payload ? payload.replyToWamid : undefined;
  const { to, recipient } = payload;
  const envelope: Envelope = {
    to: to === undefined ? { userId: recipient ?? "" } : { phone: to },
    ...defined({ replyTo, callbackData }),
  };
  switch (payload.type) {
    case "text":
      return buildText(envelope, payload.text, defined({ previewUrl: payload.previewUrl }));
    case "template":
      return buildTemplate(envelope, payload.name, payload.language, readComponents(payload.components));
    case "media": {
      const { graphMediaId, uploadId, link, media, caption, filename, voice } = payload;
      // Before it leaves, a file of ours gets Meta's id; until then its own stands for it.
      const source = link === undefined ? { id: graphMediaId ?? uploadId ?? "" } : { link };
      return buildMedia(envelope, media, source, defined({ caption, filename, voice }));
    }
    case "interactive": {
      const input = interactiveInput(payload.interactive);
      if (input === null) return { ok: false, field: "data", problem: "The data is no JSON object." };
      return buildInteractive(envelope, input);
    }
    case "location":
      return buildLocation(envelope, payload.location);
    case "contacts":
      return buildContacts(envelope, payload.contacts);
    case "reaction":
      return buildReaction(envelope, payload.targetWamid, payload.emoji === "" ? null : payload.emoji);
    default:
      return payload satisfies never;
  }
}

/** The components as they were frozen. They were made by `fillTemplate`, so reading them back needs no check. */
function readComponents(text: string): TemplateComponent[] {
  return JSON.parse(text) as TemplateComponent[];
}

/** The stored form as the builder takes it: the data of a flow is kept as text. Null when that is no JSON object. */
function interactiveInput(stored: Infer<typeof interactiveContent>): InteractiveInput | null {
  if (stored.type === "list" || stored.type === "location_request_message") return stored;
  const { header: given, ...content } = stored;
  const header = defined({ header: given === undefined ? undefined : headerInput(given) });
  if (content.type !== "flow") return { ...content, ...header };
  const { data, ...flow } = content;
  if (data === undefined) return { ...flow, ...header };
  const parsed = parseObject(data);
  return parsed === null ? null : { ...flow, ...header, data: parsed };
}

type FlowData = NonNullable<Extract<InteractiveInput, { type: "flow" }>["data"]>;

function parseObject(text: string): FlowData | null {
  try {
    const value: unknown = JSON.parse(text);
    // What comes out of JSON.parse is JSON; only its outermost kind is open.
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as FlowData) : null;
  } catch {
    return null;
  }
}
