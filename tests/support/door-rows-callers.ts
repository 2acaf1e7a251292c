import { START } from "./convex-app";
import type { DoorRows } from "./door-rows";
import { BUTTONS, CARD } from "./door-rows-members";
import type { World } from "./tenant-world";

const ofNumber = ({ phone }: World) => ({ from: phone });
const toContact = ({ phone, contactId }: World) => ({ from: phone, contact: contactId });

/** Functions of an API key, about a business number that it names. */
export const CALLER_ROWS: DoorRows<
  "mcp" | "mcpConfirmations" | "mcpPush" | "mcpReads" | "mcpResources" | "mcpSessions"
> = {
  mcp: {
    beginUpload: (w) => ({ ...ofNumber(w), kind: "image" }),
    finishUpload: ({ phone, keyUploadId, storageId }) => ({ from: phone, uploadId: keyUploadId, storageId }),
    getUpload: ({ phone, keyUploadId }) => ({ from: phone, uploadId: keyUploadId }),
    mediaLink: ({ messageId }) => ({ messageId }),
    listTemplates: ofNumber,
    listConversations: ofNumber,
    getConversation: toContact,
    sendText: (w) => ({ ...toContact(w), text: "Hi", replyTo: w.messageId }),
    sendTemplate: (w) => ({ ...toContact(w), name: "hello_world", language: "en_US" }),
    sendMedia: (w) => ({ ...toContact(w), media: "image", file: { uploadId: w.keyUploadId } }),
    sendReaction: (w) => ({ ...ofNumber(w), messageId: w.messageId, emoji: "👍" }),
    sendInteractive: (w) => ({ ...toContact(w), interactive: BUTTONS }),
    sendLocation: (w) => ({ ...toContact(w), location: { latitude: 1, longitude: 2 } }),
    sendContacts: (w) => ({ ...toContact(w), contacts: [CARD] }),
    markAsRead: toContact,
    sendOutcome: ({ phone, sentId }) => ({ from: phone, messageId: sentId }),
    updateConversation: (w) => ({ ...toContact(w), archived: true }),
    handoffToHuman: (w) => ({ ...toContact(w), reason: "asked" }),
    getConsent: toContact,
    setConsent: (w) => ({
      ...toContact(w),
      category: "marketing",
      state: "withdrawn",
      evidence: w.messageId,
    }),
  },
  mcpConfirmations: {
    noteShown: ({ contactId }) => ({
      shown: [{ source: { contact: contactId }, textHashes: ["0".repeat(32)] }],
    }),
    answer: () => ({ token: "none", answer: "accepted" }),
    read: () => ({ token: "none" }),
  },
  mcpPush: {
    rights: () => ({}),
    locate: (w) => ({ resources: [{ kind: "conversation", ref: w.conversationId }] }),
    changes: ({ accountId }) => ({ accountId, after: 0 }),
  },
  mcpReads: {
    listUnanswered: ofNumber,
    searchMessages: (w) => ({ ...ofNumber(w), query: "for" }),
    searchContacts: (w) => ({ ...ofNumber(w), query: "for" }),
    getMessageStatus: (w) => ({ ...ofNumber(w), message: w.messageId }),
    getMessages: toContact,
    listEvents: ofNumber,
    getUsage: () => ({}),
  },
  mcpResources: {
    numbers: () => ({}),
    messages: ({ phone }) => ({ number: phone }),
    conversation: ({ conversationId }) => ({ id: conversationId, limit: 5 }),
    media: ({ messageId }) => ({ messageId }),
  },
  mcpSessions: {
    subscribe: ({ phone }) => ({
      sessionId: "s",
      expiresAt: START,
      uri: "pons://messages",
      resource: { kind: "messages", ref: phone },
    }),
    unsubscribe: () => ({ sessionId: "s", uri: "pons://messages" }),
    end: () => ({ sessionId: "s", expiresAt: START }),
    read: () => ({ sessionId: "s" }),
  },
};
