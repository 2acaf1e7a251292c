import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
let otherId: Id<"accounts">;
let conversationId: Id<"conversations">;
let keyId: Id<"apiKeys">;

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount({});
  otherId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
  await app.receive("Hello", { at: START });
  const [conversation] = await app.rows("conversations");
  if (conversation === undefined) throw new Error("The customer's message was not stored.");
  conversationId = conversation._id;
  ({ id: keyId } = await app.addKey(accountId, { scopes: ["read"] }));
});
afterEach(closeApp);

const NUMBER = "15550783881";

type Resources = (typeof api.mcpPush.locate)["_args"]["resources"];

const placesOf = async (as: Pick<App["backend"], "query">, ...resources: Resources): Promise<unknown[]> =>
  (await locate(as, resources)).places;

const locate = async (as: Pick<App["backend"], "query">, resources: Resources) =>
  await as.query(api.mcpPush.locate, { resources });

describe("where a resource stands", () => {
  it("is the latest event of its account", async () => {
    const before = await placesOf(app.key(keyId), { kind: "messages", ref: NUMBER });
    await app.receive("Again", { at: START + 1_000 });
    const after = await placesOf(app.key(keyId), { kind: "messages", ref: NUMBER });
    expect(before).toEqual([[{ accountId, seq: expect.any(Number) }]]);
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before));
    const seq = (places: unknown[]) => Object(Object(places[0])[0]).seq;
    expect(seq(after)).toBeGreaterThan(seq(before));
  });

  it("is unknown for what is not there, what is another's and what the scopes do not cover", async () => {
    const places = await placesOf(
      app.key(keyId),
      { kind: "messages", ref: "15550001111" },
      { kind: "messages", ref: "19990000000" },
      { kind: "conversation", ref: "nonsense" },
      { kind: "media", ref: "nonsense" },
      { kind: "templates" },
    );
    expect(places).toEqual([null, null, null, null, null]);
    const { id } = await app.addKey(accountId, { scopes: ["send"] });
    const unscoped = await placesOf(
      app.key(id),
      { kind: "messages", ref: NUMBER },
      { kind: "templates", ref: NUMBER },
      { kind: "conversation", ref: conversationId },
      { kind: "policy" },
    );
    expect(unscoped).toEqual([null, null, null, []]);
    const { id: foreign } = await app.addKey(otherId, { scopes: ["read"] });
    expect(await placesOf(app.key(foreign), { kind: "conversation", ref: conversationId })).toEqual([null]);
  });

  it("is unknown to a key that is narrowed to other tools or that works outbound only", async () => {
    const resources: Resources = [
      { kind: "messages", ref: NUMBER },
      { kind: "conversation", ref: conversationId },
      { kind: "templates", ref: NUMBER },
    ];
    const narrowed = await app.addKey(accountId, { scopes: ["read"], tools: ["get_conversation"] });
    expect(await placesOf(app.key(narrowed.id), ...resources)).toEqual([null, [expect.anything()], null]);
    const outbound = await app.addKey(accountId, { direction: "outbound" });
    expect(await placesOf(app.key(outbound.id), ...resources)).toEqual([null, null, null]);
  });

  it("is not told for more resources than a stream may have", async () => {
    const resources = Array.from({ length: 101 }, () => ({ kind: "policy" as const }));
    await expect(locate(app.key(keyId), resources)).rejects.toThrow();
  });
});

describe("the rights of a stream", () => {
  it("change with the key, and cannot be read once it is revoked", async () => {
    const rights = async () => await app.key(keyId).query(api.mcpPush.rights, {});
    const first = await rights();
    expect(await rights()).toBe(first);
    await app.backend.run(async (ctx) => await ctx.db.patch(keyId, { scopes: ["templates:read"] }));
    expect(await rights()).not.toBe(first);
    await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: keyId });
    await expect(rights()).rejects.toThrow();
  });
});

describe("the changes of an account", () => {
  it("name no conversation and no message to a key that may not read them", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read", "send"], tools: ["send_text"] });
    const changes = await app.key(id).query(api.mcpPush.changes, { accountId, after: 0 });
    expect(changes.length).toBeGreaterThan(0);
    for (const change of changes) expect(Object.keys(change).sort()).toEqual(["seq", "type"]);
  });

  it("come in order after a place, and name the conversation and message", async () => {
    const changes = await app.key(keyId).query(api.mcpPush.changes, { accountId, after: 0 });
    expect(changes.map(({ seq }) => seq)).toEqual(changes.map((_change, at) => at + 1));
    const inbound = changes.find(({ type }) => type === "message.inbound.received");
    const [message] = await app.rows("messages");
    expect(inbound).toMatchObject({ conversationId, messageId: message?._id });
    const last = changes.at(-1)?.seq ?? 0;
    expect(await app.key(keyId).query(api.mcpPush.changes, { accountId, after: last })).toEqual([]);
  });

  it("are nothing for a key of another account", async () => {
    const { id } = await app.addKey(otherId, { scopes: ["read"] });
    expect(await app.key(id).query(api.mcpPush.changes, { accountId, after: 0 })).toEqual([]);
  });
});

describe("the messages of a number", () => {
  it("are read on from a place without a gap or a repetition, however many there are", async () => {
    const read = async (after?: number) => {
      const page = await app
        .key(keyId)
        .query(api.mcpResources.messages, { number: NUMBER, ...(after !== undefined && { after }) });
      if ("refused" in page) throw new Error(page.reason);
      return page;
    };
    const start = await read();
    expect(start.messages.map(({ message }) => message.text)).toEqual(["Hello"]);
    for (let i = 0; i < 70; i++) {
      await app.receive(`Message ${i}`, { from: `1650556${1000 + i}`, at: START + i * 1_000 });
    }
    const texts: unknown[] = [];
    let place = start.seq;
    for (;;) {
      const page = await read(place);
      texts.push(...page.messages.map(({ message }) => message.text));
      place = page.seq;
      if (!page.more) break;
    }
    expect(texts).toEqual(Array.from({ length: 70 }, (_, i) => `Message ${i}`));
  });

  it("do not exist for a key of another account", async () => {
    const { id } = await app.addKey(otherId, { scopes: ["read"] });
    for (const number of [NUMBER, "19990000000"]) {
      expect(await app.key(id).query(api.mcpResources.messages, { number })).toMatchObject({
        refused: true,
        reason: "not_found",
      });
    }
  });
});

describe("the file of a message", () => {
  const locate = async (messageId: string) =>
    await app.key(keyId).query(api.mcpResources.media, { messageId });

  it("is not there any more once its author took the message back", async () => {
    const [message] = await app.rows("messages");
    if (message === undefined) throw new Error("no message");
    await app.backend.run(async (ctx) => {
      const storageId = await ctx.storage.store(new Blob(["x"]));
      const media = { state: "ready" as const, graphMediaId: "1", mime: "image/png", storageId };
      await ctx.db.patch(message._id, { media });
    });
    expect(await locate(message._id)).toMatchObject({ mime: "image/png" });
    await app.backend.run(async (ctx) => await ctx.db.patch(message._id, { revokedAt: START }));
    expect(await locate(message._id)).toEqual(await locate("nonsense"));
  });
});

describe("a session of an MCP client", () => {
  const expiresAt = START + 60_000;
  const subscribe = async (id: Id<"apiKeys">, sessionId: string, n = 0) =>
    await app.key(id).mutation(api.mcpSessions.subscribe, {
      ...{ sessionId, expiresAt, uri: `pons://accounts/${NUMBER}/messages?${n}` },
      resource: { kind: "messages", ref: NUMBER },
    });
  const read = async (id: Id<"apiKeys">, sessionId: string) =>
    await app.key(id).query(api.mcpSessions.read, { sessionId });

  it("keeps what it subscribed to, once, until it takes it back", async () => {
    expect(await read(keyId, "s1")).toEqual({ ended: false, subscriptions: [] });
    expect(await subscribe(keyId, "s1")).toBeNull();
    expect(await subscribe(keyId, "s1")).toBeNull();
    const { subscriptions } = await read(keyId, "s1");
    expect(subscriptions).toMatchObject([{ accounts: [{ accountId }] }]);
    const uri = subscriptions[0]?.uri ?? "";
    await app.key(keyId).mutation(api.mcpSessions.unsubscribe, { sessionId: "s1", uri });
    expect((await read(keyId, "s1")).subscriptions).toEqual([]);
  });

  it("is closed to every other key", async () => {
    await subscribe(keyId, "s1");
    const { id } = await app.addKey(accountId, { scopes: ["read"] });
    expect(await read(id, "s1")).toEqual({ ended: true, subscriptions: [] });
    expect(await subscribe(id, "s1", 1)).toMatchObject({ reason: "not_found" });
    await app.key(id).mutation(api.mcpSessions.end, { sessionId: "s1", expiresAt });
    expect((await read(keyId, "s1")).ended).toBe(false);
  });

  it("stays ended, also when it was never stored before", async () => {
    await subscribe(keyId, "s1");
    for (const sessionId of ["s1", "s2"]) {
      await app.key(keyId).mutation(api.mcpSessions.end, { sessionId, expiresAt });
      expect(await read(keyId, sessionId)).toEqual({ ended: true, subscriptions: [] });
      expect(await subscribe(keyId, sessionId)).toMatchObject({ reason: "not_found" });
    }
  });

  it("has a limit of subscriptions, and is removed after its time", async () => {
    for (let n = 0; n < 100; n++) expect(await subscribe(keyId, "s1", n)).toBeNull();
    expect(await subscribe(keyId, "s1", 100)).toMatchObject({ reason: "cap_reached" });
    await app.backend.mutation(internal.mcpSessions.prune, {});
    expect(await app.rows("mcpSessions")).toHaveLength(1);
    await app.advance(60_001);
    await app.backend.mutation(internal.mcpSessions.prune, {});
    expect(await app.rows("mcpSessions")).toEqual([]);
  });
});
