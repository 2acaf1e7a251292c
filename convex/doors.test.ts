/// <reference types="vite/client" />
import { getFunctionName } from "convex/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, openApp, START } from "../tests/support/convex-app";
import { TEAM_DOORS } from "../tests/support/team-doors";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

/**
 * Who may call which public function: one row per function, and it is one file because a function without a row must
 * fail the test that lists them all.
 */
const modules: Record<string, Record<string, unknown>> = import.meta.glob(["./*.ts", "!./*.*.ts"], {
  eager: true,
});

let app: App;
let own: World;
let foreign: World;

interface World {
  accountId: Id<"accounts">;
  conversationId: Id<"conversations">;
  messageId: Id<"messages">;
  contactId: Id<"contacts">;
  itemId: Id<"webhookItems">;
  apiKeyId: Id<"apiKeys">;
  uploadId: Id<"uploads">;
  storageId: Id<"_storage">;
  number: string;
}

/** An account with a member, a key and one conversation. */
async function world(userId: string, number: { phoneNumberId: string; phoneNumber: string }): Promise<World> {
  const accountId = await app.addAccount({ ...number, name: userId });
  await app.join(accountId, userId);
  await app.receive(`for ${userId}`, { phoneNumberId: number.phoneNumberId, at: START });
  const [conversation] = (await app.rows("conversations")).filter((row) => row.accountId === accountId);
  const item = (await app.rows("webhookItems")).find((row) => row.accountId === accountId);
  if (item === undefined) throw new Error("The customer's webhook was not recorded.");
  const { id } = await app.addKey(accountId, { scopes: ["read", "write", "send"] });
  if (conversation?.previewMessageId === undefined) throw new Error("The customer's message was not stored.");
  const begun = await app.user(userId).mutation(api.uploads.begin, { accountId, kind: "image" });
  if ("refused" in begun) throw new Error("The upload did not begin.");
  const storageId = await app.backend.run(async (ctx) => await ctx.storage.store(new Blob(["file"])));
  return {
    accountId,
    uploadId: begun.uploadId,
    storageId,
    conversationId: conversation._id,
    messageId: conversation.previewMessageId,
    contactId: conversation.contactId,
    itemId: item._id,
    apiKeyId: id,
    number: number.phoneNumber,
  };
}

beforeEach(async () => {
  app = openApp();
  own = await world("ana", { phoneNumberId: "106540352242922", phoneNumber: "+15550783881" });
  foreign = await world("ben", { phoneNumberId: "900", phoneNumber: "+15550001111" });
});
afterEach(closeApp);

const paginationOpts = { numItems: 10, cursor: null };

/** Each public function that belongs to a member, as `as` would call it about the world `w`. */
const MEMBER_CALLS = {
  "uploads:begin": (as: Person, { accountId }: World) =>
    as.mutation(api.uploads.begin, { accountId, kind: "image" }),
  "uploads:finish": (as: Person, { accountId, uploadId, storageId }: World) =>
    as.mutation(api.uploads.finish, { accountId, uploadId, storageId }),
  "uploads:get": (as: Person, { accountId, uploadId }: World) =>
    as.query(api.uploads.get, { accountId, uploadId }),
  "media:retry": (as: Person, { accountId, messageId }: World) =>
    as.mutation(api.media.retry, { accountId, messageId }),
  "templates:list": (as: Person, { accountId }: World) => as.query(api.templates.list, { accountId }),
  "templates:syncState": (as: Person, { accountId }: World) =>
    as.query(api.templates.syncState, { accountId }),
  "templates:requestSync": (as: Person, { accountId }: World) =>
    as.mutation(api.templates.requestSync, { accountId }),
  "conversations:list": (as: Person, w: World) =>
    as.query(api.conversations.list, { accountId: w.accountId, paginationOpts }),
  "conversations:get": (as: Person, { accountId, conversationId }: World) =>
    as.query(api.conversations.get, { accountId, conversationId }),
  "conversations:markSeen": (as: Person, { accountId, conversationId }: World) =>
    as.mutation(api.conversations.markSeen, { accountId, conversationId }),
  "accountRules:get": (as: Person, { accountId }: World) => as.query(api.accountRules.get, { accountId }),
  "conversations:setArchived": (as: Person, { accountId, conversationId }: World) =>
    as.mutation(api.conversations.setArchived, { accountId, conversationId, archived: true }),
  "conversations:setMode": (as: Person, { accountId, conversationId }: World) =>
    as.mutation(api.conversations.setMode, { accountId, conversationId, mode: "human" }),
  "conversations:handoffs": (as: Person, { accountId, conversationId }: World) =>
    as.query(api.conversations.handoffs, { accountId, conversationId }),
  "jobs:list": (as: Person, { accountId }: World) => as.query(api.jobs.list, { accountId }),
  "consent:get": (as: Person, { accountId, contactId }: World) =>
    as.query(api.consent.get, { accountId, contactId }),
  "consent:set": (as: Person, { accountId, contactId }: World) =>
    as.mutation(api.consent.set, { accountId, contactId, category: "marketing", state: "granted" }),
  "consent:setBlocked": (as: Person, { accountId, contactId }: World) =>
    as.mutation(api.consent.setBlocked, { accountId, contactId, blocked: true }),
  "messages:list": (as: Person, { accountId, conversationId }: World) =>
    as.query(api.messages.list, { accountId, conversationId, paginationOpts }),
  "messages:sendText": (as: Person, { accountId, conversationId }: World) =>
    as.mutation(api.messages.sendText, { accountId, conversationId, text: "Hi", clientRequestId: "r1" }),
  "messages:sendTemplate": (as: Person, w: World) =>
    as.mutation(api.messages.sendTemplate, { ...sendOf(w), name: "hello_world", language: "en_US" }),
  "messages:sendMedia": (as: Person, w: World) =>
    as.mutation(api.messages.sendMedia, { ...sendOf(w), media: "image", file: { mediaId: "1" } }),
  "messages:sendReaction": (as: Person, w: World) =>
    as.mutation(api.messages.sendReaction, { ...sendOf(w), messageId: w.messageId, emoji: "👍" }),
  "messages:sendInteractive": (as: Person, w: World) =>
    as.mutation(api.messages.sendInteractive, { ...sendOf(w), interactive: BUTTONS }),
  "messages:sendLocation": (as: Person, w: World) =>
    as.mutation(api.messages.sendLocation, { ...sendOf(w), location: { latitude: 1, longitude: 2 } }),
  "messages:sendContacts": (as: Person, w: World) =>
    as.mutation(api.messages.sendContacts, { ...sendOf(w), contacts: [CARD] }),
  "messages:markAsRead": (as: Person, { accountId, conversationId }: World) =>
    as.mutation(api.messages.markAsRead, { accountId, conversationId }),
};

/** Calls about a message that was sent from the world `w`. */
const DECISION_CALLS = {
  "messages:markSent": (as: Person, { accountId, messageId }: World) =>
    as.mutation(api.messages.markSent, { accountId, messageId }),
  "messages:sendAgain": (as: Person, { accountId, messageId }: World) =>
    as.mutation(api.messages.sendAgain, { accountId, messageId, clientRequestId: "again" }),
  "messages:cancel": (as: Person, { accountId, messageId }: World) =>
    as.mutation(api.messages.cancel, { accountId, messageId }),
};

const BUTTONS = { type: "button" as const, body: "Yes?", buttons: [{ id: "y", title: "Yes" }] };
const CARD = { name: { formatted_name: "Ana Lima", first_name: "Ana" } };
const sendOf = ({ accountId, conversationId }: World) => ({
  accountId,
  conversationId,
  clientRequestId: "r1",
});

/** Those that only an owner or admin may call; a member is refused like anybody without the role. */
const ADMIN_CALLS = {
  "jobs:eraseContact": (as: Person, { accountId, contactId }: World) =>
    as.mutation(api.jobs.eraseContact, { accountId, contactId }),
  "exports:start": (as: Person, { accountId }: World) => as.mutation(api.exports.start, { accountId }),
  "audit:list": (as: Person, { accountId }: World) => as.query(api.audit.list, { accountId }),
  "audit:verify": (as: Person, { accountId }: World) => as.query(api.audit.verify, { accountId }),
  "accountRules:set": (as: Person, { accountId }: World) =>
    as.mutation(api.accountRules.set, { accountId, rules: {} }),
  "webhookItems:listDeadItems": (as: Person, { accountId }: World) =>
    as.query(api.webhookItems.listDeadItems, { accountId }),
  "webhookItems:reapply": (as: Person, { accountId, itemId }: World) =>
    as.mutation(api.webhookItems.reapply, { accountId, itemId }),
};

const CALLER_CALLS = {
  "mcp:beginUpload": (as: Person, w: World) =>
    as.mutation(api.mcp.beginUpload, { from: w.number, kind: "image" }),
  "mcp:finishUpload": (as: Person, { number: from, uploadId, storageId }: World) =>
    as.mutation(api.mcp.finishUpload, { from, uploadId, storageId }),
  "mcp:getUpload": (as: Person, { number: from, uploadId }: World) =>
    as.query(api.mcp.getUpload, { from, uploadId }),
  "mcp:mediaLink": (as: Person, { messageId }: World) => as.mutation(api.mcp.mediaLink, { messageId }),
  "mcp:listTemplates": (as: Person, w: World) => as.query(api.mcp.listTemplates, { from: w.number }),
  "mcp:listConversations": (as: Person, w: World) => as.query(api.mcp.listConversations, { from: w.number }),
  "mcp:getConversation": (as: Person, w: World) =>
    as.query(api.mcp.getConversation, { from: w.number, contact: w.contactId }),
  "mcp:sendText": (as: Person, w: World) => as.mutation(api.mcp.sendText, { ...callOf(w), text: "Hi" }),
  "mcp:sendTemplate": (as: Person, w: World) =>
    as.mutation(api.mcp.sendTemplate, { ...callOf(w), name: "hello_world", language: "en_US" }),
  "mcp:sendMedia": (as: Person, w: World) =>
    as.mutation(api.mcp.sendMedia, { ...callOf(w), media: "image", file: { mediaId: "1" } }),
  "mcp:sendReaction": (as: Person, w: World) =>
    as.mutation(api.mcp.sendReaction, { from: w.number, messageId: w.messageId, emoji: "👍" }),
  "mcp:sendInteractive": (as: Person, w: World) =>
    as.mutation(api.mcp.sendInteractive, { ...callOf(w), interactive: BUTTONS }),
  "mcp:sendLocation": (as: Person, w: World) =>
    as.mutation(api.mcp.sendLocation, { ...callOf(w), location: { latitude: 1, longitude: 2 } }),
  "mcp:sendContacts": (as: Person, w: World) =>
    as.mutation(api.mcp.sendContacts, { ...callOf(w), contacts: [CARD] }),
  "mcp:markAsRead": (as: Person, w: World) => as.mutation(api.mcp.markAsRead, callOf(w)),
  "mcp:updateConversation": (as: Person, w: World) =>
    as.mutation(api.mcp.updateConversation, { from: w.number, contact: w.contactId, archived: true }),
  "mcp:handoffToHuman": (as: Person, w: World) =>
    as.mutation(api.mcp.handoffToHuman, { from: w.number, contact: w.contactId, reason: "asked" }),
  "mcp:getConsent": (as: Person, w: World) =>
    as.query(api.mcp.getConsent, { from: w.number, contact: w.contactId }),
  "mcp:setConsent": (as: Person, w: World) =>
    as.mutation(api.mcp.setConsent, {
      from: w.number,
      contact: w.contactId,
      category: "marketing",
      state: "withdrawn",
    }),
  "mcpReads:listUnanswered": (as: Person, w: World) =>
    as.query(api.mcpReads.listUnanswered, { from: w.number }),
  "mcpReads:getMessages": (as: Person, w: World) => as.query(api.mcpReads.getMessages, { from: w.number }),
  "mcpReads:searchMessages": (as: Person, w: World) =>
    as.query(api.mcpReads.searchMessages, { from: w.number, query: "for" }),
  "mcpReads:searchContacts": (as: Person, w: World) =>
    as.query(api.mcpReads.searchContacts, { from: w.number, query: "Sheena" }),
  "mcpReads:getMessageStatus": (as: Person, w: World) =>
    as.query(api.mcpReads.getMessageStatus, { from: w.number, message: w.messageId }),
  "mcpResources:messages": (as: Person, w: World) =>
    as.query(api.mcpResources.messages, { number: w.number }),
  "mcpResources:conversation": (as: Person, { conversationId: id }: World) =>
    as.query(api.mcpResources.conversation, { id, limit: 5 }),
  "mcpResources:media": (as: Person, { messageId }: World) => as.query(api.mcpResources.media, { messageId }),
  "mcpSessions:subscribe": (as: Person, { number }: World) =>
    as.mutation(api.mcpSessions.subscribe, {
      ...{ sessionId: "s", expiresAt: START, uri: `pons://accounts/${number}/messages` },
      resource: { kind: "messages", ref: number },
    }),
  "mcp:sendOutcome": (as: Person, { messageId }: World) => as.query(api.mcp.sendOutcome, { messageId }),
};

/** About the key itself: what is another's is not there to be asked for, or gives nothing (`mcpPush.test.ts`). */
const KEY_CALLS = {
  "mcpPush:rights": (as: Person) => as.query(api.mcpPush.rights, {}),
  "mcpPush:locate": (as: Person) => as.query(api.mcpPush.locate, { resources: [] }),
  "mcpPush:changes": (as: Person, { accountId }: World) =>
    as.query(api.mcpPush.changes, { accountId, after: 0 }),
  "mcpResources:numbers": (as: Person) => as.query(api.mcpResources.numbers, {}),
  "mcpReads:getUsage": (as: Person) => as.query(api.mcpReads.getUsage, {}),
  "mcpResources:policy": (as: Person) => as.query(api.mcpResources.policy, {}),
  "mcpSessions:read": (as: Person) => as.query(api.mcpSessions.read, { sessionId: "s" }),
  "mcpSessions:unsubscribe": (as: Person) =>
    as.mutation(api.mcpSessions.unsubscribe, { sessionId: "s", uri: "pons://policy" }),
  "mcpSessions:end": (as: Person) => as.mutation(api.mcpSessions.end, { sessionId: "s", expiresAt: START }),
};

const callOf = ({ number, contactId }: World) => ({ from: number, contact: contactId });

const SERVICE_CALLS = {
  "media:open": (as: Person, { messageId }: World) =>
    as.query(api.media.open, {
      messageId,
      principal: "user:ana",
      expiresAt: START,
      signature: "s",
      now: START,
    }),
  "callers:resolveKey": (as: Person) => as.query(api.callers.resolveKey, { keyHash: "h", pepperId: "p1" }),
  "callers:touch": (as: Person, { apiKeyId }: World) => as.mutation(api.callers.touch, { apiKeyId }),
  "mcpCalls:take": (as: Person, { apiKeyId }: World) => as.mutation(api.mcpCalls.take, { apiKeyId }),
  "mcpCalls:record": (as: Person) => as.mutation(api.mcpCalls.record, { calls: [] }),
  "webhook:isVerifyToken": (as: Person) => as.query(api.webhook.isVerifyToken, { token: "t" }),
  "invites:read": (as: Person) => as.query(api.invites.read, { token: "t" }),
  "invites:acceptFor": (as: Person) => as.mutation(api.invites.acceptFor, { token: "t", userId: "eve" }),
  "instance:claim": (as: Person) => as.mutation(api.instance.claim, { userId: "eve" }),
};

/** Open to everybody; the signature of a webhook is its credential. */
const OPEN = ["health:check", "instance:status", "webhook:ingestWebhook"];
const ANY_USER = ["invites:accept", "accounts:list", "accounts:discover", "accounts:import", "accounts:add"];

type Person = Pick<App["backend"], "query" | "mutation">;

const code = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: unknown) => (error instanceof Error && "data" in error ? error.data : error),
  );

describe("every public function", () => {
  const isFunction = (
    value: unknown,
  ): value is { isPublic?: true; exportArgs(): string; exportReturns(): string } =>
    typeof value === "function" && "exportArgs" in value;

  const functions = Object.entries(modules).flatMap(([path, module]) =>
    Object.entries(module)
      .filter(([, value]) => isFunction(value))
      .map(([name, value]) => ({ name: `${path.slice(2, -3)}:${name}`, value })),
  );
  const publicNames = functions
    .filter(({ value }) => isFunction(value) && value.isPublic === true)
    .map(({ name }) => name);

  it("is covered by the tenant matrix below", () => {
    const matrices: object[] = [MEMBER_CALLS, ADMIN_CALLS, DECISION_CALLS, CALLER_CALLS, SERVICE_CALLS];
    matrices.push(TEAM_DOORS, KEY_CALLS);
    const covered = matrices.flatMap(Object.keys);
    const elsewhere = publicNames.filter(
      // About a job, which the tests beside jobs have.
      (name) => name.startsWith("authStore:") || name === "jobs:cancel" || name === "exports:links",
    );
    expect([...covered, ...OPEN, ...ANY_USER, ...elsewhere].sort()).toEqual([...publicNames].sort());
  });

  it.each(functions)("$name says what it takes and what it returns", ({ value }) => {
    if (!isFunction(value)) throw new Error("not a function");
    expect(JSON.parse(value.exportArgs())).toMatchObject({ type: "object" });
    expect(JSON.parse(value.exportReturns())).not.toBeNull();
    if (value.isPublic) expect(value.exportArgs() + value.exportReturns()).not.toContain('"any"');
  });

  it("is named in the generated api as it is called here", () => {
    expect(getFunctionName(api.mcp.sendText)).toBe("mcp:sendText");
  });
});

describe("functions of a member", () => {
  it.each(Object.entries(MEMBER_CALLS))("%s answers its member", async (_, call) => {
    const answer = await code(call(app.user("ana"), own));
    expect({ answer }).not.toHaveProperty("answer.code");
    expect(JSON.stringify(answer)).not.toContain("for ben");
  });

  it.each(Object.entries(MEMBER_CALLS))(
    "%s refuses everybody who is not signed in as a person",
    async (_, call) => {
      for (const as of [
        app.backend,
        app.key(own.apiKeyId),
        app.service,
        app.backend.withIdentity({ subject: "ana" }),
      ]) {
        expect(await code(call(as, own))).toMatchObject({ code: "unauthorized" });
      }
    },
  );

  it.each(Object.entries(MEMBER_CALLS))(
    "%s gives the same answer for a foreign and a missing account",
    async (_, call) => {
      const ofForeign = await code(call(app.user("ana"), foreign));
      await app.backend.run(async (ctx) => {
        await ctx.db.delete(foreign.accountId);
      });
      const ofMissing = await code(call(app.user("ana"), foreign));
      expect(ofForeign).toMatchObject({ code: "not_found" });
      expect(ofMissing).toEqual(ofForeign);
    },
  );

  const ofConversations = ([name]: [string, unknown]) =>
    !["conversations:list", "uploads:begin"].includes(name) &&
    !/^(templates|accountRules|audit|jobs):/.test(name);
  it.each(Object.entries(MEMBER_CALLS).filter(ofConversations))(
    "%s does not reach a foreign conversation through the own account",
    async (_, call) => {
      const mixed = { ...foreign, accountId: own.accountId };
      expect(await code(call(app.user("ana"), mixed))).toMatchObject({ code: "not_found" });
    },
  );
});

describe("decisions of a member about a message", () => {
  it.each(Object.entries(DECISION_CALLS))(
    "%s does not know a message of another account",
    async (_, call) => {
      const mixed = { ...foreign, accountId: own.accountId };
      for (const world of [foreign, mixed]) {
        expect(await code(call(app.user("ana"), world))).toMatchObject({ code: "not_found" });
      }
      expect(await code(call(app.key(own.apiKeyId), own))).toMatchObject({ code: "unauthorized" });
    },
  );

  it.each(Object.entries(DECISION_CALLS))("%s does not know what was not sent from here", async (_, call) => {
    expect(await code(call(app.user("ana"), own))).toMatchObject({ code: "not_found" });
  });
});

describe("functions of an owner or admin", () => {
  it.each(Object.entries(ADMIN_CALLS))(
    "%s refuses a member, and strangers as if nothing were there",
    async (_, call) => {
      expect(await code(call(app.user("ana"), own))).toMatchObject({ code: "forbidden" });
      expect(await code(call(app.user("ana"), foreign))).toMatchObject({ code: "not_found" });
      expect(await code(call(app.key(own.apiKeyId), own))).toMatchObject({ code: "unauthorized" });
      await app.join(own.accountId, "adam", "owner");
      expect({ answer: await code(call(app.user("adam"), own)) }).not.toHaveProperty("answer.code");
    },
  );
});

describe("functions of an API key", () => {
  it.each(Object.entries({ ...CALLER_CALLS, ...KEY_CALLS }))(
    "%s refuses everybody who is no key",
    async (_, call) => {
      for (const as of [
        app.backend,
        app.user("ana"),
        app.service,
        app.key("k57nonsense"),
        app.key(own.accountId),
      ]) {
        expect(await code(call(as, own))).toMatchObject({ code: "unauthorized" });
      }
    },
  );

  it.each(Object.entries({ ...CALLER_CALLS, ...KEY_CALLS }))(
    "%s refuses a revoked key at once, although its token still lives",
    async (_, call) => {
      await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: own.apiKeyId });
      expect(await code(call(app.key(own.apiKeyId), own))).toMatchObject({ code: "unauthorized" });
    },
  );

  it.each(Object.entries(CALLER_CALLS))(
    "%s says not_found for what belongs to another account",
    async (_, call) => {
      const answer = await code(call(app.key(own.apiKeyId), foreign));
      expect(answer).toMatchObject({ refused: true, reason: "not_found" });
      const unknownNumber = await code(call(app.key(own.apiKeyId), { ...foreign, number: "+19995550000" }));
      expect(unknownNumber).toEqual(answer);
    },
  );

  it.each([
    ["mcp:listConversations", ["send"], "conversations:read"],
    ["mcp:getConversation", ["send", "conversations:read"], "messages:read"],
    ["mcp:listTemplates", ["send", "messages:read"], "templates:read"],
    ["mcpReads:listUnanswered", ["send", "messages:read"], "conversations:read"],
    ["mcpReads:getMessages", ["send", "conversations:read"], "messages:read"],
    ["mcpReads:searchMessages", ["send", "conversations:read"], "messages:read"],
    ["mcpReads:searchContacts", ["send", "messages:read"], "conversations:read"],
    ["mcpReads:getMessageStatus", ["send", "conversations:read"], "messages:read"],
    ["mcp:updateConversation", ["read", "send"], "write"],
    ["mcp:handoffToHuman", ["read", "send"], "write"],
    ["mcp:getConsent", ["send", "write"], "conversations:read"],
    ["mcp:setConsent", ["read", "send"], "write"],
    ["mcp:sendText", ["read", "write", "messages:write"], "send"],
  ] as const)("%s needs its scope", async (name, scopes, needed) => {
    const { id } = await app.addKey(own.accountId, { scopes: [...scopes] });
    const answer = await CALLER_CALLS[name](app.key(id), own);
    expect(answer).toMatchObject({ refused: true, reason: "scope_missing" });
    expect(JSON.stringify(answer)).toContain(needed);
    const { id: allowed } = await app.addKey(own.accountId, { scopes: [needed] });
    expect(await CALLER_CALLS[name](app.key(allowed), own)).not.toHaveProperty("refused");
  });

  it("ends with its time, also when the token was minted before", async () => {
    const { id } = await app.addKey(own.accountId, { expiresAt: START + 60_000 });
    const read = () => code(app.key(id).query(api.mcp.listConversations, {}));
    expect(await read()).not.toHaveProperty("code");
    await app.advance(60_001);
    expect(await read()).toMatchObject({ code: "unauthorized" });
    expect(
      (await app.backend.query(internal.keysAdmin.list, {})).find((key) => key.id === id)?.revokedAt,
    ).toBe(START + 60_001);
  });

  it("asks which number is meant when the key may use several", async () => {
    const { id } = await app.addKey(own.accountId, { scopes: ["read"], numbers: ["+1 555 078 3881", "900"] });
    const as = app.key(id);
    expect(await as.query(api.mcp.listConversations, {})).toMatchObject({
      refused: true,
      reason: "number_required",
    });
    for (const { number, accountId } of [own, foreign]) {
      expect(await as.query(api.mcp.listConversations, { from: number })).toMatchObject({
        account: { accountId },
      });
    }
  });
});

describe("functions of the Next server", () => {
  it.each(Object.entries(SERVICE_CALLS))("%s refuses everybody else", async (_, call) => {
    const impostor = app.backend.withIdentity({ subject: "eve", use: "service" });
    for (const as of [app.backend, app.user("ana"), app.key(own.apiKeyId), impostor]) {
      expect(await code(call(as, own))).toMatchObject({ code: "unauthorized" });
    }
  });
});

describe("what is shown", () => {
  it("lists a person's accounts with role and unread messages", async () => {
    expect(await app.user("ana").query(api.accounts.list, {})).toMatchObject([
      { _id: own.accountId, name: "ana", role: "member", unreadCount: 1 },
    ]);
    expect(await app.user("nobody").query(api.accounts.list, {})).toEqual([]);
    await expect(app.backend.query(api.accounts.list, {})).rejects.toThrow(/unauthorized/);
  });

  it("counts unread messages for each member alone", async () => {
    await app.join(own.accountId, "cleo");
    const { accountId, conversationId } = own;
    const unread = async (userId: string) =>
      (await app.user(userId).query(api.conversations.get, { accountId, conversationId })).unreadCount;
    await app.user("ana").mutation(api.conversations.markSeen, { accountId, conversationId });
    await app
      .user("ana")
      .mutation(api.messages.sendText, { accountId, conversationId, text: "Hi", clientRequestId: "r" });
    expect([await unread("ana"), await unread("cleo")]).toEqual([0, 1]);
    await app.receive("one more");
    expect([await unread("ana"), await unread("cleo")]).toEqual([1, 2]);
  });

  it("names the person who sent a message to their colleagues", async () => {
    await app.join(own.accountId, "cleo");
    const { accountId, conversationId } = own;
    await app.backend.run(async (ctx) => {
      const at = { createdAt: START, updatedAt: START };
      await ctx.db.insert("auth_user", {
        id: "ana",
        name: "Ana Lima",
        email: "ana@x.test",
        emailVerified: true,
        ...at,
      });
    });
    for (const userId of ["ana", "cleo"]) {
      const draft = { accountId, conversationId, text: `from ${userId}`, clientRequestId: `r-${userId}` };
      await app.user(userId).mutation(api.messages.sendText, draft);
    }
    const { page } = await app
      .user("cleo")
      .query(api.messages.list, { accountId, conversationId, paginationOpts });
    expect(page.slice(0, 2).map(({ text, sender }) => [text, sender.name])).toEqual([
      ["from cleo", undefined],
      ["from ana", "Ana Lima"],
    ]);
  });

  it("brings a conversation back from the archive when the customer writes again", async () => {
    await app.backend.run(async (ctx) => {
      await ctx.db.patch(own.conversationId, { archived: true, archivedAt: START });
    });
    const list = (archived: boolean) =>
      app.user("ana").query(api.conversations.list, { accountId: own.accountId, archived, paginationOpts });
    expect([(await list(false)).page.length, (await list(true)).page.length]).toEqual([0, 1]);
    await app.receive("Hello again");
    expect([(await list(false)).page.length, (await list(true)).page.length]).toEqual([1, 0]);
  });

  it("pages through conversations and messages without loss or repetition, also within one second", async () => {
    const as = app.key(own.apiKeyId);
    for (let n = 0; n < 7; n++) await app.receive(`m${n}`, { from: `1650555100${n}`, at: START });
    const names: string[] = [];
    for (let cursor: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await as.query(api.mcp.listConversations, {
        limit: 3,
        ...(cursor !== undefined && { cursor }),
      });
      if ("refused" in page) throw new Error("refused");
      names.push(...page.conversations.map(({ preview }) => preview));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(names).toEqual(["m6", "m5", "m4", "m3", "m2", "m1", "m0", "for ana"]);

    for (let n = 0; n < 7; n++) await app.receive(`t${n}`, { at: START + (n < 4 ? 0 : 1000) });
    const seen: (string | undefined)[] = [];
    for (let before: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await as.query(api.mcp.getConversation, {
        contact: `+${CUSTOMER}`,
        limit: 3,
        ...(before !== undefined && { before }),
      });
      if ("refused" in page) throw new Error("refused");
      seen.unshift(...page.messages.map(({ text }) => text));
      if (page.nextCursor === null) break;
      before = page.nextCursor;
    }
    expect(seen).toEqual(["for ana", "t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
  });

  it("calls a cursor that is none of ours an invalid request", async () => {
    const read = app.key(own.apiKeyId).query(api.mcp.listConversations, { cursor: "'; drop table" });
    expect(await code(read)).toMatchObject({ code: "invalid_request", field: "cursor" });
  });

  it("never gives more rows than a page may have", async () => {
    for (let n = 0; n < 5; n++) await app.receive(`m${n}`, { from: `1650555100${n}` });
    const read = async (limit: number) => {
      const page = await app.key(own.apiKeyId).query(api.mcp.listConversations, { limit });
      return "refused" in page ? -1 : page.conversations.length;
    };
    expect([await read(-5), await read(0), await read(2.9), await read(Number.NaN), await read(1e9)]).toEqual(
      [1, 1, 2, 6, 6],
    );
  });
});
