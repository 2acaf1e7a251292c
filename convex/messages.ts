import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { defined } from "#shared/defined";
import { memberMutation, memberQuery } from "./functions";
import { requireConversation } from "./model/conversations";
import { mediaLinker } from "./model/mediaLinks";
import { sendForMember } from "./model/memberSends";
import { boundedPage } from "./model/page";
import { requestRead } from "./model/readMarks";
import { markSent as decideSent, sendAgain as repeat, withdraw } from "./model/sendDecisions";
import { messageView, readView, sendView, viewMessage } from "./model/views";
import {
  contactsContent,
  interactiveContent,
  locationContent,
  sendableMedia,
  templateParams,
} from "./tables/sendContent";

/** Messages of a conversation, newest first. */
export const list = memberQuery({
  permission: "inbox.read",
  args: {
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    paginationOpts: paginationOptsValidator,
  },
  returns: paginationResultValidator(messageView),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    const result = await ctx.db
      .query("messages")
      .withIndex("by_conversation_order", (q) => q.eq("conversationId", conversation._id))
      .order("desc")
      .paginate(boundedPage(args.paginationOpts));
    const links = await mediaLinker(ctx, `user:${ctx.userId}`);
    const page = await Promise.all(result.page.map((row) => viewMessage(ctx, row, { links })));
    return { ...result, page };
  },
});

/** Sends answer that the message is on its way; its status tells how it went. With `validateOnly` nothing is sent. */
const sendArgs = {
  accountId: v.id("accounts"),
  conversationId: v.id("conversations"),
  /** Made when the draft is opened, so that a double click is one message. */
  clientRequestId: v.string(),
  validateOnly: v.optional(v.boolean()),
};
const replyArgs = { ...sendArgs, replyToMessageId: v.optional(v.id("messages")) };

export const sendText = memberMutation({
  permission: "messages.send",
  args: { ...replyArgs, text: v.string(), previewUrl: v.optional(v.boolean()) },
  returns: sendView,
  handler: async (ctx, args) => {
    const content = { type: "text" as const, text: args.text, ...defined({ previewUrl: args.previewUrl }) };
    return await sendForMember(ctx, args, content, Date.now());
  },
});

export const sendTemplate = memberMutation({
  permission: "messages.send",
  args: { ...replyArgs, name: v.string(), language: v.string(), params: v.optional(templateParams) },
  returns: sendView,
  handler: async (ctx, args) => {
    const { name, language, params = {} } = args;
    return await sendForMember(ctx, args, { type: "template", name, language, params }, Date.now());
  },
});

/** `file` is an upload of ours, a file that Meta has, or a public https address. */
export const sendMedia = memberMutation({
  permission: "messages.send",
  args: {
    ...replyArgs,
    media: sendableMedia,
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
    const { media, file, caption, filename, voice } = args;
    const content = { type: "media" as const, media, file, ...defined({ caption, filename, voice }) };
    return await sendForMember(ctx, args, content, Date.now());
  },
});

/** An empty emoji takes the own reaction back. */
export const sendReaction = memberMutation({
  permission: "messages.send",
  args: { ...sendArgs, messageId: v.id("messages"), emoji: v.string() },
  returns: sendView,
  handler: async (ctx, args) => {
    const { messageId, emoji } = args;
    return await sendForMember(ctx, args, { type: "reaction", messageId, emoji }, Date.now());
  },
});

export const sendInteractive = memberMutation({
  permission: "messages.send",
  args: { ...replyArgs, interactive: interactiveContent },
  returns: sendView,
  handler: async (ctx, args) => {
    const { interactive } = args;
    return await sendForMember(ctx, args, { type: "interactive", interactive }, Date.now());
  },
});

export const sendLocation = memberMutation({
  permission: "messages.send",
  args: { ...replyArgs, location: locationContent },
  returns: sendView,
  handler: async (ctx, args) => {
    return await sendForMember(ctx, args, { type: "location", location: args.location }, Date.now());
  },
});

export const sendContacts = memberMutation({
  permission: "messages.send",
  args: { ...replyArgs, contacts: contactsContent },
  returns: sendView,
  handler: async (ctx, args) => {
    return await sendForMember(ctx, args, { type: "contacts", contacts: args.contacts }, Date.now());
  },
});

/** The person saw the message of unknown outcome on the phone. */
export const markSent = memberMutation({
  permission: "messages.send",
  args: { accountId: v.id("accounts"), messageId: v.id("messages") },
  returns: v.null(),
  handler: async (ctx, { messageId }) => {
    await decideSent(ctx, messageId, Date.now());
    return null;
  },
});

/** Sends a failed or doubtful message once more, as a new message that is linked to it. */
export const sendAgain = memberMutation({
  permission: "messages.send",
  args: { accountId: v.id("accounts"), messageId: v.id("messages"), clientRequestId: v.string() },
  returns: sendView,
  handler: async (ctx, args) => await repeat(ctx, args, Date.now()),
});

/** Withdraws a message that has not left yet. */
export const cancel = memberMutation({
  permission: "messages.send",
  args: { accountId: v.id("accounts"), messageId: v.id("messages") },
  returns: v.null(),
  handler: async (ctx, { messageId }) => {
    await withdraw(ctx, messageId, Date.now());
    return null;
  },
});

/** Tells WhatsApp that the customer's messages were read, with `typing` also that somebody types. */
export const markAsRead = memberMutation({
  permission: "messages.send",
  args: {
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    typing: v.optional(v.boolean()),
  },
  returns: readView,
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    return await requestRead(ctx, conversation, { kind: "user" }, args.typing === true, Date.now());
  },
});
