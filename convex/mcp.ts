import { v } from "convex/values";
import { defined } from "#shared/defined";
import { callerMutation, callerQuery } from "./functions";
import { businessNumberView as businessNumber, fromArg as from } from "./model/callerNumbers";
import { readConversation, readConversations, readTemplates } from "./model/callerReads";
import { kindOfFile, readForCaller, sendForCaller } from "./model/callerSends";
import { consentView, readConsentForCaller, setConsentForCaller } from "./model/consentRecords";
import { updateForCaller } from "./model/conversationUpdates";
import { grantNumber } from "./model/grants";
import { handOffForCaller, handoffAnswer } from "./model/handoffs";
import { linkForCaller } from "./model/mediaLinks";
import { readOutcome } from "./model/sendOutcome";
import { templateFilter, templateView } from "./model/templateReads";
import {
  beginUpload as beginUploadOf,
  finishUpload as finishUploadOf,
  requireUpload,
  uploadView,
  viewUpload,
} from "./model/uploads";
import {
  callerConversationView,
  messageView,
  readView,
  refusalView,
  sendOutcomeView,
  sendView,
} from "./model/views";
import { consentCategory, consentWord } from "./tables/consent";
import {
  contactsContent,
  interactiveContent,
  locationContent,
  sendableMedia,
  templateParams,
} from "./tables/sendContent";
import { mediaKind } from "./tables/uploads";
import { begunUpload } from "./uploads";

/** Conversations of one business number, newest activity first. */
export const listConversations = callerQuery({
  tools: ["list_conversations"],
  args: {
    from,
    limit: v.optional(v.number()),
    cursor: v.optional(v.string()),
    archived: v.optional(v.boolean()),
  },
  returns: v.union(
    v.object({
      account: businessNumber,
      conversations: v.array(callerConversationView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readConversations(ctx, ctx.caller, args),
});

/** One conversation with a page of its messages, oldest first; `before` is the `nextCursor` of a later page. */
export const getConversation = callerQuery({
  tools: ["get_conversation"],
  args: {
    from,
    /** Phone number in any spelling, @username, contact id or business-scoped user id. */
    contact: v.string(),
    limit: v.optional(v.number()),
    before: v.optional(v.string()),
  },
  returns: v.union(
    v.object({
      account: businessNumber,
      conversation: callerConversationView,
      messages: v.array(messageView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readConversation(ctx, ctx.caller, args),
});

/** Begins the upload of a file to send: `POST` it to the address, which answers `{storageId}`. */
export const beginUpload = callerMutation({
  tools: ["send_media"],
  args: { from, kind: mediaKind, filename: v.optional(v.string()) },
  returns: v.union(begunUpload, refusalView),
  handler: async (ctx, { from: number, kind, filename }) => {
    const granted = await grantNumber(ctx, ctx.caller, "send", number);
    if (granted.refused) return granted;
    const uploader = { account: granted.account, principal: `key:${ctx.caller.apiKeyId}` };
    return await beginUploadOf(ctx, uploader, { kind, ...defined({ filename }) }, Date.now());
  },
});

/** The file is uploaded; it is judged now, and `getUpload` tells when it can be sent. */
export const finishUpload = callerMutation({
  tools: ["send_media"],
  args: { from, uploadId: v.string(), storageId: v.id("_storage") },
  returns: v.union(v.null(), refusalView),
  handler: async (ctx, args) => {
    const granted = await grantNumber(ctx, ctx.caller, "send", args.from);
    if (granted.refused) return granted;
    const uploader = { account: granted.account, principal: `key:${ctx.caller.apiKeyId}` };
    await finishUploadOf(ctx, uploader, args, Date.now());
    return null;
  },
});

/** What became of an upload. */
export const getUpload = callerQuery({
  tools: ["send_media"],
  args: { from, uploadId: v.string() },
  returns: v.union(uploadView, refusalView),
  handler: async (ctx, args) => {
    const granted = await grantNumber(ctx, ctx.caller, "send", args.from);
    if (granted.refused) return granted;
    const uploader = { account: granted.account, principal: `key:${ctx.caller.apiKeyId}` };
    return viewUpload(await requireUpload(ctx, uploader, args.uploadId));
  },
});

/** A link to the file of a message, for a quarter of an hour; a path of the app. */
export const mediaLink = callerMutation({
  tools: ["get_media"],
  args: { messageId: v.id("messages") },
  returns: v.union(
    v.object({
      link: v.string(),
      expiresAt: v.number(),
      mime: v.optional(v.string()),
      filename: v.optional(v.string()),
    }),
    refusalView,
  ),
  handler: async (ctx, { messageId }) => await linkForCaller(ctx, ctx.caller, messageId, Date.now()),
});

/** Templates of one business number, filtered, with what each needs to be filled in. */
export const listTemplates = callerQuery({
  tools: ["list_templates"],
  args: { from, ...templateFilter, limit: v.optional(v.number()), cursor: v.optional(v.string()) },
  returns: v.union(
    v.object({
      account: businessNumber,
      templates: v.array(templateView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readTemplates(ctx, ctx.caller, args),
});

const sendArgs = {
  from,
  /** Makes a repeated call one send; its answer is kept for 24 hours. */
  clientRequestId: v.optional(v.string()),
  /** The same content went out within the last minute and is meant twice. */
  sendTwice: v.optional(v.boolean()),
  /** Of the refusal `confirmation_required`: a person has agreed to this very send. */
  confirmToken: v.optional(v.string()),
  /** Only say whether it would be taken. */
  validateOnly: v.optional(v.boolean()),
};
const messageArgs = {
  ...sendArgs,
  /** Phone number in any spelling, @username, contact id or business-scoped user id. */
  contact: v.string(),
  /** Id (ours or Meta's) of the message that is quoted. */
  replyTo: v.optional(v.string()),
};

export const sendText = callerMutation({
  tools: ["send_text"],
  args: { ...messageArgs, text: v.string(), previewUrl: v.optional(v.boolean()) },
  returns: sendView,
  handler: async (ctx, args) => {
    const content = { type: "text" as const, text: args.text, ...defined({ previewUrl: args.previewUrl }) };
    return await sendForCaller(ctx, ctx.caller, args, content, Date.now());
  },
});

/** The only send that may go to a closed window, or to a number that never wrote. */
export const sendTemplate = callerMutation({
  tools: ["send_template"],
  args: { ...messageArgs, name: v.string(), language: v.string(), params: v.optional(templateParams) },
  returns: sendView,
  handler: async (ctx, args) => {
    const { name, language, params = {} } = args;
    return await sendForCaller(
      ctx,
      ctx.caller,
      args,
      { type: "template", name, language, params },
      Date.now(),
    );
  },
});

/** `file` is an upload of ours, a file that Meta has, or a public https address. */
export const sendMedia = callerMutation({
  tools: ["send_media"],
  args: {
    ...messageArgs,
    /** How WhatsApp shows it; follows from the file when it is left out. */
    media: v.optional(sendableMedia),
    file: v.union(
      v.object({ uploadId: v.string() }),
      v.object({ mediaId: v.string() }),
      v.object({ link: v.string() }),
    ),
    caption: v.optional(v.string()),
    filename: v.optional(v.string()),
    voice: v.optional(v.boolean()),
  },
  returns: sendView,
  handler: async (ctx, args) => {
    const { file, caption, filename, voice } = args;
    const media = args.media ?? (await kindOfFile(ctx, file, filename));
    const content = { type: "media" as const, media, file, ...defined({ caption, filename, voice }) };
    return await sendForCaller(ctx, ctx.caller, args, content, Date.now());
  },
});

/** `messageId` is ours or Meta's; an empty emoji takes the own reaction back. */
export const sendReaction = callerMutation({
  tools: ["send_reaction"],
  args: { ...sendArgs, messageId: v.string(), emoji: v.string() },
  returns: sendView,
  handler: async (ctx, args) => {
    const { messageId, emoji } = args;
    return await sendForCaller(ctx, ctx.caller, args, { type: "reaction", messageId, emoji }, Date.now());
  },
});

export const sendInteractive = callerMutation({
  tools: ["send_interactive"],
  args: { ...messageArgs, interactive: interactiveContent },
  returns: sendView,
  handler: async (ctx, args) => {
    const { interactive } = args;
    return await sendForCaller(ctx, ctx.caller, args, { type: "interactive", interactive }, Date.now());
  },
});

export const sendLocation = callerMutation({
  tools: ["send_location"],
  args: { ...messageArgs, location: locationContent },
  returns: sendView,
  handler: async (ctx, args) => {
    const { location } = args;
    return await sendForCaller(ctx, ctx.caller, args, { type: "location", location }, Date.now());
  },
});

export const sendContacts = callerMutation({
  tools: ["send_contacts"],
  args: { ...messageArgs, contacts: contactsContent },
  returns: sendView,
  handler: async (ctx, args) => {
    const { contacts } = args;
    return await sendForCaller(ctx, ctx.caller, args, { type: "contacts", contacts }, Date.now());
  },
});

/** Tells WhatsApp that the customer's messages were read, with `typing` also that an answer is being written. */
export const markAsRead = callerMutation({
  tools: ["mark_as_read"],
  args: { from, contact: v.string(), typing: v.optional(v.boolean()) },
  returns: readView,
  handler: async (ctx, args) => await readForCaller(ctx, ctx.caller, args, Date.now()),
});

/**
 * How a send went so far, named by the message that it made, by its own id or by the `clientRequestId` that the same
 * key gave it. Subscribe to it, or ask again while it says "pending".
 */
export const sendOutcome = callerQuery({
  tools: [
    "send_text",
    "send_template",
    "send_media",
    "send_reaction",
    "send_interactive",
    "send_location",
    "send_contacts",
  ],
  args: {
    from,
    messageId: v.optional(v.id("messages")),
    sendId: v.optional(v.id("outbox")),
    clientRequestId: v.optional(v.string()),
  },
  returns: v.union(sendOutcomeView, refusalView),
  handler: async (ctx, args) => await readOutcome(ctx, ctx.caller, args),
});

/** Changes what is given of a conversation, and answers with what it is now. */
export const updateConversation = callerMutation({
  tools: ["updateConversation"],
  args: {
    from,
    contact: v.string(),
    archived: v.optional(v.boolean()),
    /** A key gives a conversation away; it cannot take one back. */
    mode: v.optional(v.union(v.literal("human"), v.literal("paused"))),
  },
  returns: v.union(callerConversationView, refusalView),
  handler: async (ctx, args) => await updateForCaller(ctx, ctx.caller, args, Date.now()),
});

/** Gives the conversation to people, with a reason and a summary for them. Keys are refused in it from then on. */
export const handoffToHuman = callerMutation({
  tools: ["handoff_to_human"],
  args: { from, contact: v.string(), reason: v.string(), summary: v.optional(v.string()) },
  returns: v.union(handoffAnswer, refusalView),
  handler: async (ctx, args) => await handOffForCaller(ctx, ctx.caller, args, Date.now()),
});

/** What the customer has agreed to, and how it is known. */
export const getConsent = callerQuery({
  tools: ["get_consent"],
  args: { from, contact: v.string() },
  returns: v.union(consentView, refusalView),
  handler: async (ctx, args) => await readConsentForCaller(ctx, ctx.caller, args),
});

/** Enters what the customer said about messages of a category; `evidence` is the id of the message that says so. */
export const setConsent = callerMutation({
  tools: ["set_consent"],
  args: {
    from,
    contact: v.string(),
    category: consentCategory,
    state: consentWord,
    evidence: v.optional(v.string()),
    note: v.optional(v.string()),
  },
  returns: v.union(consentView, refusalView),
  handler: async (ctx, args) => await setConsentForCaller(ctx, ctx.caller, args, Date.now()),
});
