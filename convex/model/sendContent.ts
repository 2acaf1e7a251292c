import type { Infer } from "convex/values";
import { defined } from "#shared/defined";
import type { SendPurpose } from "#shared/domain/consent-state";
import { preview } from "#shared/text";
import { DAY_MS } from "#shared/time";
import type { MediaKind } from "#shared/whatsapp/media-kinds";
import { readContent } from "#shared/whatsapp/message-content";
import type { Recipient } from "#shared/whatsapp/outbound";
import { contentPreview } from "#shared/whatsapp/preview";
import { fillTemplate } from "#shared/whatsapp/template-fill";
import { templateValues } from "#shared/whatsapp/template-values";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import type { interactiveContent } from "../tables/sendContent";
import { headerUpload } from "./headerFiles";
import { isOwnContent, type StoredContent, storedContent } from "./inboundContent";
import { findMessage } from "./messages";
import { principalKey } from "./principal";
import { type Refused, refuse } from "./refused";
import { buildSendBody, type Payload } from "./sendBody";
import type { Draft, DraftContent, DraftFile } from "./sendDraft";
import { refuseTemplate, requireUsableTemplate } from "./templateReads";
import { templateDefinition } from "./templateRow";
import { findTemplate } from "./templates";
import { requireSendable } from "./uploads";

/** Meta: "Reaction messages": a message older than this takes no reaction. */
const REACTION_AGE_MS_MAX = 30 * DAY_MS;

/**
 * The columns of the message row that a send makes, with what the conversation list shows of it; everything else of the
 * row follows from its conversation.
 */
export type SentColumns = StoredContent;

/** A content that WhatsApp would take. `shown` is null for a reaction, which makes no message. */
export interface SendableContent {
  kind: "content";
  payload: Payload;
  shown: SentColumns | null;
  /** The message that a reaction points at. */
  target: Doc<"messages"> | null;
}

/**
 * Turns what somebody wants to send into the frozen payload and the columns of its message. Refuses what WhatsApp
 * would refuse (`invalid_message`, `invalid_recipient`, `media_refused`) and quoted or reacted-to messages of another
 * conversation (`not_found`). `conversation` is null while the customer has none.
 */
export async function checkContent(
  ctx: QueryCtx,
  draft: Draft,
  conversation: Doc<"conversations"> | null,
  to: Recipient,
): Promise<SendableContent | Refused> {
  const quoted = await quotedWamid(ctx, draft, conversation);
  if (quoted === null) {
    return refuse("not_found", "The message to reply to is not part of this conversation.");
  }
  const address = "phone" in to ? { to: to.phone } : { recipient: to.userId };
  const envelope = { ...address, ...(quoted !== "none" && { replyToWamid: quoted }) };
  const content = await resolveContent(ctx, draft, conversation, address, envelope);
  if (content.kind === "refused") return content;
  const built = buildSendBody(content.payload);
  if (built.ok) return content;
  if (built.field === "to") return refuse("invalid_recipient", built.problem);
  return refuse(
    "invalid_message",
    built.field === "text" ? built.problem : `${built.field}: ${built.problem}`,
  );
}

/** Whether the customer's wish about promotion applies: only templates of Meta's category for it are promotion. */
export async function purposeOf(ctx: QueryCtx, { account, content }: Draft): Promise<SendPurpose> {
  if (content.type === "again") {
    return content.payload.type === "template" ? content.payload.purpose : "service";
  }
  if (content.type !== "template") return "service";
  const template = await findTemplate(ctx, account._id, content.name, content.language);
  return template === null ? "service" : purposeOfCategory(template.category);
}

type Address = { to: string } | { recipient: string };

async function resolveContent(
  ctx: QueryCtx,
  draft: Draft,
  conversation: Doc<"conversations"> | null,
  address: Address,
  envelope: Address & { replyToWamid?: string },
): Promise<SendableContent | Refused> {
  const { content, account, now } = draft;
  switch (content.type) {
    case "text": {
      const { text, previewUrl } = content;
      return sendable({ type: "text", ...envelope, text, ...defined({ previewUrl }) });
    }
    case "template":
      return await resolveTemplate(ctx, account, content, envelope);
    case "media": {
      const { media, file, caption, filename, voice } = content;
      const source = await resolveFile(ctx, draft, media, file);
      if ("refusal" in source) return source;
      const options = defined({ caption, filename, voice });
      return sendable({ type: "media", ...envelope, media, ...source, ...options });
    }
    case "interactive": {
      const { interactive } = content;
      const header = headerUpload(interactive);
      if (header !== null) {
        const source = await resolveFile(ctx, draft, header.kind, { uploadId: header.uploadId });
        if ("refusal" in source) return source;
      }
      return sendable({ type: "interactive", ...envelope, interactive });
    }
    case "location":
      return sendable({ type: "location", ...envelope, location: content.location });
    case "contacts":
      return sendable({ type: "contacts", ...envelope, contacts: content.contacts });
    case "reaction": {
      const target = await findMessage(ctx, account._id, content.messageId);
      if (target === null || target.conversationId !== conversation?._id) return refuse("not_found");
      if (target.wamid === undefined) {
        return refuse("invalid_message", "WhatsApp does not know the message to react to yet.");
      }
      if (target.timestamp < now - REACTION_AGE_MS_MAX) {
        return refuse("invalid_message", "WhatsApp takes no reactions to messages older than 30 days.");
      }
      const payload = {
        type: "reaction" as const,
        ...address,
        targetWamid: target.wamid,
        emoji: content.emoji,
      };
      return { kind: "content", payload, shown: null, target };
    }
    case "again": {
      const { payload } = content;
      const found =
        payload.type === "template" ? await requireUsableTemplate(ctx, account._id, payload) : null;
      if (found?.refused) return { kind: "refused", refusal: found };
      return sendable({ ...payload, ...address });
    }
    default:
      return content satisfies never;
  }
}

async function resolveFile(
  ctx: QueryCtx,
  { account, principal, now }: Draft,
  kind: MediaKind,
  file: DraftFile,
): Promise<{ link: string } | { graphMediaId: string } | { uploadId: Id<"uploads"> } | Refused> {
  if ("link" in file) return { link: file.link };
  if ("mediaId" in file) return { graphMediaId: file.mediaId };
  const uploader = { account, principal: principalKey(principal) };
  const found = await requireSendable(ctx, uploader, { uploadId: file.uploadId, kind }, now);
  return "problem" in found ? refuse(found.reason, found.problem) : { uploadId: found.upload._id };
}

/** Fills the template as it stands in Meta's list now; `template_params` names every value that does not fit. */
async function resolveTemplate(
  ctx: QueryCtx,
  account: Doc<"accounts">,
  content: Extract<DraftContent, { type: "template" }>,
  envelope: Address & { replyToWamid?: string },
): Promise<SendableContent | Refused> {
  const { name, params } = content;
  const found = await requireUsableTemplate(ctx, account._id, content);
  if (found.refused) return { kind: "refused", refusal: found };
  const { template } = found;
  const values = templateValues.safeParse(params);
  const filled = values.success ? fillTemplate(templateDefinition(template), values.data) : null;
  if (filled?.ok !== true) {
    const problems = filled?.problems ?? [{ field: "params", problem: "A value is of the wrong kind." }];
    const say = problems.map(({ field, problem }) => `${field}: ${problem}`).join(" ");
    return {
      kind: "refused",
      refusal: await refuseTemplate(ctx, account._id, content, "template_params", say),
    };
  }
  return sendable({
    type: "template",
    ...envelope,
    name,
    language: template.language,
    purpose: purposeOfCategory(template.category),
    components: JSON.stringify(filled.components),
    text: filled.preview.body,
  });
}

/** Promotion is Meta's category MARKETING; codes and notices of a purchase are service. */
function purposeOfCategory(category: string): SendPurpose {
  return category.toUpperCase() === "MARKETING" ? "marketing" : "service";
}

function sendable(payload: Exclude<Payload, { type: "reaction" }>): SendableContent {
  return { kind: "content", payload, shown: columnsOf(payload), target: null };
}

/** The same columns as an inbound message of the kind has, so that readers need not know who wrote it. */
function columnsOf(payload: Exclude<Payload, { type: "reaction" }>): SentColumns {
  switch (payload.type) {
    case "text":
    case "template":
      return { type: payload.type, text: payload.text, line: preview(payload.text) };
    case "media": {
      const { media, graphMediaId = "", link, caption, filename, voice } = payload;
      const type = voice === true ? "voice" : media;
      return {
        type,
        // A file that Meta has is fetched like a received one, so that the thread can show it; one of ours is given
        // to the message when it is stored.
        media: { state: "pending", graphMediaId, ...defined({ link, filename }) },
        line: contentPreview({ type, ...defined({ caption, filename }) }),
        ...defined({ caption }),
      };
    }
    case "interactive": {
      const { interactive } = payload;
      const choices = choicesOf(interactive);
      return {
        type: payload.type,
        text: interactive.body,
        interactive: { kind: interactive.type, ...(choices !== "" && { description: choices }) },
        raw: JSON.stringify(interactive),
        line: preview(interactive.body),
      };
    }
    case "location":
    case "contacts": {
      const { type } = payload;
      const shared = type === "location" ? payload.location : payload.contacts;
      const content = readContent({ type, [type]: shared });
      if (!isOwnContent(content)) throw new Error(`A ${type} was read as a ${content.type}.`);
      return storedContent(content, []);
    }
    default:
      return payload satisfies never;
  }
}

/** What the customer may tap, so that a message is found by the words on its buttons. */
function choicesOf(interactive: Infer<typeof interactiveContent>): string {
  switch (interactive.type) {
    case "button":
      return interactive.buttons.map(({ title }) => title).join("\n");
    case "list":
      return interactive.sections.flatMap(({ rows }) => rows.map(({ title }) => title)).join("\n");
    case "cta_url":
      return interactive.display_text;
    case "flow":
      return interactive.flow_cta;
    case "location_request_message":
      return "";
    default:
      return interactive satisfies never;
  }
}

/** Meta's id of the quoted message of this very conversation; "none" when nothing is quoted, null when it is not there. */
async function quotedWamid(
  ctx: QueryCtx,
  { replyTo, account }: Draft,
  conversation: Doc<"conversations"> | null,
): Promise<string | "none" | null> {
  if (replyTo === undefined) return "none";
  const message = await findMessage(ctx, account._id, replyTo);
  if (message === null || message.conversationId !== conversation?._id) return null;
  return message.wamid ?? null;
}
