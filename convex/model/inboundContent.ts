import type { Infer } from "convex/values";
import { defined } from "#shared/defined";
import { contentPreview } from "#shared/whatsapp/preview";
import type { MediaContent, MessageContent, WebhookError } from "#shared/whatsapp/webhook-types";
import type { messageContent } from "../tables/messages";

/** A content in the columns in which it is stored, with its line for the list of conversations. */
export type StoredContent = Infer<typeof messageContent>;

/** What is a message of its own; reactions, edits and revocations belong to another one. */
export type OwnContent = Exclude<MessageContent, { type: "reaction" | "edit" | "revoke" }>;

export function isOwnContent(content: MessageContent): content is OwnContent {
  return content.type !== "reaction" && content.type !== "edit" && content.type !== "revoke";
}

/**
 * The columns of a content. What has no column is kept as JSON text, so that a later version can still show it.
 * `errors` tell why Meta could not hand a file over.
 */
export function storedContent(content: OwnContent, errors: readonly WebhookError[]): StoredContent {
  return { ...columnsOf(content, errors), line: contentPreview(content) };
}

function columnsOf(content: OwnContent, errors: readonly WebhookError[]): Omit<StoredContent, "line"> {
  switch (content.type) {
    case "text":
      return { type: content.type, text: content.text };
    case "image":
    case "video":
    case "audio":
    case "voice":
    case "sticker":
    case "document":
      return {
        type: content.type,
        media: storedMedia(content, errors),
        ...defined({ caption: content.caption }),
      };
    case "location": {
      const { type, ...location } = content;
      return { type, location };
    }
    case "contacts":
      return {
        type: content.type,
        contacts: content.contacts.map(({ name, phones, company, emails }) => ({
          phones: [...phones],
          ...defined({ name, company, emails: emails && [...emails] }),
        })),
        raw: content.raw,
      };
    case "button":
      return {
        type: content.type,
        interactive: { kind: "button", ...defined({ id: content.payload, title: content.text }) },
        ...defined({ text: content.text }),
      };
    case "interactive": {
      const { type, reply, id, title, description, response, raw } = content;
      return {
        type,
        interactive: { kind: reply, ...defined({ id, title, description, response }) },
        raw,
        ...defined({ text: title }),
      };
    }
    case "order": {
      const { type, catalogId, itemCount, items, text, raw } = content;
      const order = { itemCount, items: items.map((item) => ({ ...item })), ...defined({ catalogId }) };
      return { type, order, raw, ...defined({ text }) };
    }
    case "system":
      return {
        type: content.type,
        raw: content.raw,
        ...defined({ text: content.body, systemEvent: content.event }),
      };
    case "unsupported":
      return { type: content.label ?? content.type, raw: content.raw };
    case "other":
      return { type: content.label, raw: content.raw };
    default:
      return content satisfies never;
  }
}

function storedMedia(content: MediaContent, errors: readonly WebhookError[]) {
  const described = defined({
    mime: content.mimeType,
    filename: content.filename,
    sha256: content.sha256,
  });
  if (content.mediaId !== undefined) {
    return { state: "pending" as const, graphMediaId: content.mediaId, ...described };
  }
  // Meta sends no id when it could not fetch the file from the customer's phone itself.
  const code = errors.find((error) => error.code !== undefined)?.code;
  const reason = code === undefined ? "no_media_id" : `graph_${code}`;
  return { state: "failed" as const, graphMediaId: "", reason, ...described };
}
