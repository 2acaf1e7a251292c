import type { DoorRows } from "./door-rows";
import type { World } from "./tenant-world";

const paginationOpts = { numItems: 10, cursor: null };
const ofAccount = ({ accountId }: World) => ({ accountId });
const ofConversation = ({ accountId, conversationId }: World) => ({ accountId, conversationId });
const ofContact = ({ accountId, contactId }: World) => ({ accountId, contactId });
const ofKey = ({ accountId, apiKeyId }: World) => ({ accountId, apiKeyId });
const ofJob = ({ accountId, jobId }: World) => ({ accountId, jobId });
const ofPair = ({ accountId, duplicateId }: World) => ({ accountId, duplicateId });
const ofSent = ({ accountId, sentId }: World) => ({ accountId, messageId: sentId });
const toColleague = ({ accountId, colleague }: World) => ({ accountId, userId: colleague });
const send = (w: World) => ({ ...ofConversation(w), clientRequestId: "r1" });

export const BUTTONS = { type: "button" as const, body: "Yes?", buttons: [{ id: "y", title: "Yes" }] };
export const CARD = { name: { formatted_name: "Ana Lima", first_name: "Ana" } };

const NEW_NUMBER = { name: "Second", wabaId: "102", phoneNumberId: "902" };

/** Functions of a person, nearly all about an account that they name. */
export const MEMBER_ROWS: DoorRows<
  | "accountHealth"
  | "accountRules"
  | "accountSettings"
  | "accounts"
  | "audit"
  | "consent"
  | "contactDuplicates"
  | "conversations"
  | "exports"
  | "jobs"
  | "keys"
  | "members"
  | "messages"
  | "templates"
  | "uploads"
  | "webhookItems"
> = {
  accountHealth: { get: ofAccount, refresh: ofAccount },
  accountRules: { get: ofAccount, set: (w) => ({ ...ofAccount(w), rules: {} }) },
  accountSettings: {
    rename: (w) => ({ ...ofAccount(w), name: "Other" }),
    pauseSending: ofAccount,
    resumeSending: ofAccount,
    rotateAccessToken: (w) => ({ ...ofAccount(w), accessToken: "new-token" }),
    rotateAppSecret: (w) => ({ ...ofAccount(w), appSecret: "new-secret" }),
    rotateVerifyToken: ofAccount,
    subscribe: ofAccount,
    register: (w) => ({ ...ofAccount(w), pin: "123456" }),
    detach: ofAccount,
    reattach: ofAccount,
    remove: ofAccount,
  },
  accounts: {
    list: () => ({}),
    discover: () => ({ credential: { kind: "token", accessToken: "token" } }),
    import: () => ({ grant: "none", numbers: [] }),
    add: () => ({ ...NEW_NUMBER, accessToken: "token" }),
  },
  audit: { list: ofAccount, verify: ofAccount },
  consent: {
    get: ofContact,
    set: (w) => ({ ...ofContact(w), category: "marketing", state: "granted" }),
    setBlocked: (w) => ({ ...ofContact(w), blocked: true }),
  },
  contactDuplicates: { list: ofAccount, dismiss: ofPair, accept: (w) => ({ ...ofPair(w), keep: "first" }) },
  conversations: {
    list: (w) => ({ ...ofAccount(w), paginationOpts }),
    get: ofConversation,
    markSeen: ofConversation,
    setArchived: (w) => ({ ...ofConversation(w), archived: true }),
    setMode: (w) => ({ ...ofConversation(w), mode: "human" }),
    handoffs: ofConversation,
  },
  exports: { start: ofAccount, links: ofJob },
  jobs: { list: ofAccount, cancel: ofJob, retry: ofJob, eraseContact: ofContact },
  keys: {
    list: ofAccount,
    create: (w) => ({ ...ofAccount(w), name: "agent", scopes: ["read"] }),
    rename: (w) => ({ ...ofKey(w), name: "other" }),
    setConfirmation: (w) => ({ ...ofKey(w), confirmAfter: "everything" }),
    rotate: ofKey,
    usage: ofKey,
    revoke: ofKey,
  },
  members: {
    list: ofAccount,
    changeRole: (w) => ({ ...toColleague(w), role: "admin" }),
    remove: toColleague,
    leave: ofAccount,
    transfer: toColleague,
  },
  messages: {
    list: (w) => ({ ...ofConversation(w), paginationOpts }),
    sendText: (w) => ({ ...send(w), text: "Hi" }),
    sendTemplate: (w) => ({ ...send(w), name: "hello_world", language: "en_US" }),
    sendMedia: (w) => ({ ...send(w), media: "image", file: { uploadId: w.uploadId } }),
    sendReaction: (w) => ({ ...send(w), messageId: w.messageId, emoji: "👍" }),
    sendInteractive: (w) => ({ ...send(w), interactive: BUTTONS }),
    sendLocation: (w) => ({ ...send(w), location: { latitude: 1, longitude: 2 } }),
    sendContacts: (w) => ({ ...send(w), contacts: [CARD] }),
    markSent: ofSent,
    sendAgain: (w) => ({ ...ofSent(w), clientRequestId: "again" }),
    cancel: ofSent,
    markAsRead: ofConversation,
  },
  templates: { list: ofAccount, syncState: ofAccount, requestSync: ofAccount },
  uploads: {
    begin: (w) => ({ ...ofAccount(w), kind: "image" }),
    finish: ({ accountId, uploadId, storageId }) => ({ accountId, uploadId, storageId }),
    get: ({ accountId, uploadId }) => ({ accountId, uploadId }),
  },
  webhookItems: { listDeadItems: ofAccount, reapply: ({ accountId, itemId }) => ({ accountId, itemId }) },
};
