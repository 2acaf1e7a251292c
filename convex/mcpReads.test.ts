import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventEnvelope, EventType } from "#shared/domain/events";
import {
  type App,
  CUSTOMER,
  change,
  closeApp,
  graphError,
  NUMBER,
  openApp,
  START,
  status,
  statusWebhook,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
let apiKeyId: Id<"apiKeys">;

const MINUTE = 60_000;
const OTHER = "16505559999";

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId, { scopes: ["read", "write", "send"] })).id;
});
afterEach(closeApp);

const key = () => app.key(apiKeyId);

/** The answer of a door, which must not be a refusal. */
function given<Answer extends object>(answer: Answer): Exclude<Answer, { refused: true }> {
  if ("refused" in answer) throw new Error(JSON.stringify(answer));
  return answer as Exclude<Answer, { refused: true }>;
}

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => "no failure",
    (error: unknown) => (error instanceof Error && "data" in error ? error.data : error),
  );

describe("who waits for an answer", () => {
  const waiting = async (args: { since?: number; limit?: number; cursor?: string } = {}) =>
    given(await key().query(api.mcpReads.listUnanswered, args));
  const previews = async () => (await waiting()).conversations.map(({ preview }) => preview);

  it("is whoever wrote last, the longest waiting first, since their first unanswered message", async () => {
    await app.receive("first", { at: START });
    await app.receive("second", { at: START + 5 * MINUTE, from: OTHER });
    await app.receive("first again", { at: START + 9 * MINUTE });
    const { conversations } = await waiting();
    expect(conversations.map(({ preview, unansweredSince }) => [preview, unansweredSince])).toEqual([
      ["first again", START],
      ["second", START + 5 * MINUTE],
    ]);
    const { conversations: patient } = await waiting({ since: START + MINUTE });
    expect(patient.map(({ preview }) => preview)).toEqual(["first again"]);
  });

  it("is nobody after an answer, also one from the phone, until the customer writes again", async () => {
    await app.receive("Is it open?");
    await key().mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Yes." });
    expect(await previews()).toEqual([]);
    await app.advance(MINUTE);
    await app.receive("Until when?");
    expect(await previews()).toEqual(["Until when?"]);
    const echo = {
      from: NUMBER.phoneNumber.slice(1),
      to: CUSTOMER,
      id: "wamid.ECHO",
      timestamp: String((START + 2 * MINUTE) / 1000),
      type: "text",
      text: { body: "Until six." },
    };
    await app.deliver({
      object: "whatsapp_business_account",
      entry: [
        {
          id: NUMBER.wabaId,
          changes: [change(NUMBER.phoneNumberId, { message_echoes: [echo] }, "smb_message_echoes")],
        },
      ],
    });
    expect(await previews()).toEqual([]);
  });

  it("does not depend on the order in which the messages came", async () => {
    await app.receive("late question", { at: START + 10 * MINUTE });
    const answer = { id: "wamid.E2", timestamp: String((START + 5 * MINUTE) / 1000) };
    const echo = { from: "15550783881", to: CUSTOMER, ...answer, type: "text", text: { body: "Here." } };
    await app.deliver({
      object: "whatsapp_business_account",
      entry: [
        {
          id: NUMBER.wabaId,
          changes: [change(NUMBER.phoneNumberId, { message_echoes: [echo] }, "smb_message_echoes")],
        },
      ],
    });
    expect((await waiting()).conversations[0]?.unansweredSince).toBe(START + 10 * MINUTE);
    await app.receive("early question", { at: START });
    expect((await waiting()).conversations[0]?.unansweredSince).toBe(START + 10 * MINUTE);
    await app.receive("in between", { at: START + 7 * MINUTE });
    expect((await waiting()).conversations[0]?.unansweredSince).toBe(START + 7 * MINUTE);
  });

  it("still waits when the answer failed, and when it was only a reaction", async () => {
    await app.receive("Is it open?", { id: "wamid.Q" });
    await key().mutation(api.mcp.sendReaction, { messageId: "wamid.Q", emoji: "👍" });
    await app.advance();
    expect(await previews()).toEqual(["Is it open?"]);
    app.graph.answerNext(graphError(131026));
    await key().mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Yes." });
    expect(await previews()).toEqual([]);
    await app.advance();
    expect((await waiting()).conversations).toMatchObject([{ unansweredSince: START }]);
  });

  it("does not wait any more once somebody archived the conversation", async () => {
    await app.receive("Thanks, bye!");
    await key().mutation(api.mcp.updateConversation, { contact: CUSTOMER, archived: true });
    expect(await previews()).toEqual([]);
  });

  it("is paged through without loss or repetition, also within one second", async () => {
    for (let n = 0; n < 7; n++) await app.receive(`m${n}`, { from: `1650555100${n}`, at: START });
    const seen: string[] = [];
    for (let cursor: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await waiting({ limit: 3, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.conversations.map(({ preview }) => preview));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
  });
});

describe("the search for messages", () => {
  const search = async (query: string, more: { limit?: number; cursor?: string } = {}) =>
    given(await key().query(api.mcpReads.searchMessages, { query, ...more }));
  const texts = async (query: string) => (await search(query)).hits.map(({ message }) => message.text);

  it("finds by words the latest first, each with what stands around it", async () => {
    await app.receive("Hello there", { at: START });
    await app.receive("Where is invoice 4711?", { at: START + MINUTE });
    await app.receive("I need the invoice today", { at: START + 2 * MINUTE });
    const { hits } = await search("invoice");
    expect(hits.map(({ snippet }) => snippet)).toEqual([
      "I need the invoice today",
      "Where is invoice 4711?",
    ]);
    expect(hits[1]).toMatchObject({
      contact: { name: "Sheena Nelson" },
      before: { preview: "Hello there", direction: "inbound" },
      after: { preview: "I need the invoice today" },
    });
    expect(hits[0]).not.toHaveProperty("after");
    expect((await search("where invoice")).hits.map(({ snippet }) => snippet)).toEqual([
      "Where is invoice 4711?",
    ]);
  });

  it("obeys its operators", async () => {
    await app.receive("red shirt", { at: START });
    await app.receive("blue shirt", { at: START + MINUTE, from: OTHER });
    await key().mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Which shirt?" });
    expect((await texts("shirt")).toSorted()).toEqual(["Which shirt?", "blue shirt", "red shirt"]);
    expect(await texts(`shirt from:+${OTHER}`)).toEqual(["blue shirt"]);
    expect(await texts("shirt from:me")).toEqual(["Which shirt?"]);
    expect((await texts(`shirt in:+${CUSTOMER}`)).toSorted()).toEqual(["Which shirt?", "red shirt"]);
    expect(await texts('shirt "blue shirt"')).toEqual(["blue shirt"]);
    expect(await texts(`from:+${OTHER}`)).toEqual(["blue shirt"]);
    expect(await texts("shirt after:2026-11-03")).toEqual([]);
    expect(await texts("shirt has:media")).toEqual([]);
  });

  it("is paged through without loss or repetition", async () => {
    for (let n = 0; n < 7; n++) await app.receive(`shirt ${n}`, { at: START + (n < 4 ? 0 : n * 1000) });
    for (const query of ["shirt", `from:+${CUSTOMER}`]) {
      const seen: (string | undefined)[] = [];
      for (let cursor: string | undefined, pages = 0; pages < 10; pages++) {
        const page = await search(query, { limit: 3, ...(cursor !== undefined && { cursor }) });
        seen.push(...page.hits.map(({ message }) => message.text));
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `shirt ${n}`));
    }
  });

  it("says what is wrong with a query, and finds nothing for a stranger's conversation", async () => {
    await app.receive("red shirt");
    const run = (query: string) => key().query(api.mcpReads.searchMessages, { query });
    expect(await failure(run("before:tomorrow x"))).toMatchObject({
      code: "invalid_request",
      field: "query",
    });
    expect(await failure(run("has:media"))).toMatchObject({ code: "invalid_request", field: "query" });
    expect(await run("shirt in:+16505550000")).toMatchObject({ refused: true, reason: "not_found" });
    expect(await run(`shirt in:+${CUSTOMER} from:+16505550000`)).toMatchObject({ reason: "not_found" });
  });

  it("never finds what another account has", async () => {
    await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.receive("foreign shirt", { phoneNumberId: "900" });
    await app.deliver(webhook([textMessage({ text: "foreign shirt" })], { phoneNumberId: "900" }));
    expect(await texts("shirt")).toEqual([]);
  });
});

describe("the search for customers", () => {
  const found = async (query: string) =>
    given(await key().query(api.mcpReads.searchContacts, { query })).contacts.map(
      ({ contact }) => contact.phone,
    );

  it("finds by name, by the beginning of the number and by the whole of it", async () => {
    await app.receive("Hi");
    const contacts = [{ profile: { name: "Arthur" }, wa_id: "447700900123" }];
    const messages = [textMessage({ from: "447700900123", text: "Hi" })];
    const changes = [change(NUMBER.phoneNumberId, { messages, contacts })];
    await app.deliver({ object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes }] });
    expect(await found("sheena")).toEqual(["+16505551234"]);
    expect(await found("+1 650")).toEqual(["+16505551234"]);
    expect(await found("44 7700")).toEqual(["+447700900123"]);
    expect(await found("+44 7700 900123")).toEqual(["+447700900123"]);
    expect(await found("nobody")).toEqual([]);
  });

  it("says whether they may be written to, and refuses a query that is none", async () => {
    await app.receive("Hi");
    const answer = given(await key().query(api.mcpReads.searchContacts, { query: "Nelson" }));
    expect(answer.contacts).toMatchObject([{ mode: "agent", windowExpiresAt: START + 24 * 60 * MINUTE }]);
    const empty = failure(key().query(api.mcpReads.searchContacts, { query: " " }));
    expect(await empty).toMatchObject({ code: "invalid_request" });
  });
});

describe("how far a message has come", () => {
  const timeline = async (args: { message?: string; clientRequestId?: string }) =>
    await key().query(api.mcpReads.getMessageStatus, args);

  it("is told by our id, by Meta's and by the key's own, with the time of each step", async () => {
    await app.receive("Hi");
    const sent = await key().mutation(api.mcp.sendText, {
      contact: CUSTOMER,
      text: "Hello",
      clientRequestId: "r-1",
    });
    if (!("messageId" in sent)) throw new Error("not taken");
    await app.advance(1_000);
    await app.deliver(statusWebhook([status("sent", "wamid.SENT1", START + 2_000)]));
    await app.deliver(statusWebhook([status("delivered", "wamid.SENT1", START + 3_000)]));
    const answers = await Promise.all([
      timeline({ message: sent.messageId }),
      timeline({ message: "wamid.SENT1" }),
      timeline({ clientRequestId: "r-1" }),
    ]);
    expect(given(answers[0])).toMatchObject({
      message: { status: "delivered", text: "Hello" },
      steps: [
        { status: "queued", at: START },
        { status: "sent", at: START + 2_000 },
        { status: "delivered", at: START + 3_000 },
      ],
    });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it("of a reaction is how the reaction itself went", async () => {
    await app.receive("Hi", { id: "wamid.Q" });
    await key().mutation(api.mcp.sendReaction, { messageId: "wamid.Q", emoji: "👍", clientRequestId: "r-2" });
    await app.advance();
    expect(given(await timeline({ clientRequestId: "r-2" }))).toMatchObject({
      message: { wamid: "wamid.Q" },
      steps: [],
      reaction: { state: "accepted" },
    });
  });

  it("is not told of what is not there or was named by another key, and needs exactly one name", async () => {
    await app.receive("Hi");
    await key().mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Hello", clientRequestId: "r-1" });
    const { id } = await app.addKey(accountId, { scopes: ["read"] });
    const foreign = await app.key(id).query(api.mcpReads.getMessageStatus, { clientRequestId: "r-1" });
    expect(foreign).toMatchObject({ refused: true, reason: "not_found" });
    expect(await timeline({ message: "wamid.NONE" })).toEqual(foreign);
    for (const args of [{}, { message: "wamid.NONE", clientRequestId: "r-1" }]) {
      expect(await failure(timeline(args))).toMatchObject({ code: "invalid_request" });
    }
  });
});

describe("the messages of a number", () => {
  const feed = async (args: { after?: number; limit?: number; contact?: string } = {}) =>
    given(await key().query(api.mcpReads.getMessages, args));
  const all = async (after: number, limit: number) => {
    const texts: (string | undefined)[] = [];
    for (let page = await feed({ after, limit }); ; page = await feed({ after: page.seq, limit })) {
      expect(page.messages.length).toBeLessThanOrEqual(limit);
      texts.push(...page.messages.map(({ message }) => message.text));
      if (!page.more) return texts;
    }
  };

  it("are read on without a gap or a repetition, whatever the size of the pages", async () => {
    await app.receive("before");
    const start = await feed();
    expect(start.messages.map(({ message }) => message.text)).toEqual(["before"]);
    for (let n = 0; n < 9; n++)
      await app.receive(`m${n}`, { from: `1650555100${n % 3}`, at: START + n * 1000 });
    const expected = Array.from({ length: 9 }, (_, n) => `m${n}`);
    for (const limit of [1, 2, 100]) expect(await all(start.seq, limit)).toEqual(expected);
  });

  it("tell a change once more, and can be those of one customer", async () => {
    await app.receive("Hi", { id: "wamid.Q" });
    await app.receive("Hello", { from: OTHER });
    const { seq } = await feed();
    await key().mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Yes?" });
    await app.advance();
    await app.deliver(statusWebhook([status("read", "wamid.SENT1", START + 2_000)]));
    const { messages } = await feed({ after: seq });
    expect(messages).toMatchObject([{ message: { text: "Yes?", status: "read" } }]);
    expect((await feed({ after: 0, contact: OTHER })).messages).toMatchObject([
      { message: { text: "Hello" } },
    ]);
    expect(await key().query(api.mcpReads.getMessages, { contact: "+16505550000" })).toMatchObject({
      reason: "not_found",
    });
  });
});

describe("the events of a number", () => {
  const events = async (args: { after?: number; limit?: number; types?: EventType[] } = {}) => {
    const page = given(await key().query(api.mcpReads.listEvents, args));
    return { ...page, events: page.events.map((body): EventEnvelope => JSON.parse(body)) };
  };

  it("are the envelopes of webhooks, read on without a gap, whatever the size of the pages", async () => {
    for (let n = 0; n < 4; n++) await app.receive(`m${n}`, { at: START + n * 1000 });
    const rows = await app.rows("webhookEvents");
    for (const limit of [1, 2, 100]) {
      const seen: EventEnvelope[] = [];
      for (let page = await events({ after: 0, limit }); ; page = await events({ after: page.seq, limit })) {
        expect(page.events.length).toBeLessThanOrEqual(limit);
        seen.push(...page.events);
        if (!page.more) break;
      }
      expect(seen).toEqual(rows.map(({ body }) => JSON.parse(body)));
    }
  });

  it("can be those of some types, and are the latest where nobody says from where", async () => {
    for (let n = 0; n < 3; n++) await app.receive(`m${n}`, { at: START + n * 1000 });
    await key().mutation(api.mcp.updateConversation, { contact: CUSTOMER, archived: true });
    const types: EventType[] = ["conversation.updated"];
    const archived = [{ type: "conversation.updated", payload: { conversation: { archived: true } } }];
    expect((await events({ types, after: 0 })).events).toMatchObject(archived);
    const latest = await events({ limit: 1 });
    expect(latest).toMatchObject({ events: archived, more: false });
    expect((await events({ after: latest.seq })).events).toEqual([]);
    const texts = await events({ limit: 2, types: ["message.inbound.received"] });
    expect(texts.events).toMatchObject([
      { payload: { message: { text: "m1" } } },
      { payload: { message: { text: "m2" } } },
    ]);
  });
});

describe("what a key may know of itself", () => {
  it("is its scopes, its numbers and what is left of its limits", async () => {
    expect(await key().query(api.mcpReads.getUsage, {})).toMatchObject({
      name: "agent",
      scopes: ["read", "write", "send"],
      numbers: [{ phoneNumber: NUMBER.phoneNumber, sending: "active" }],
      sends: { minute: { limit: 60, left: 60 }, day: { limit: 1000 } },
    });
    for (const as of [app.backend, app.user("ana"), app.service]) {
      expect(await failure(as.query(api.mcpReads.getUsage, {}))).toMatchObject({ code: "unauthorized" });
    }
  });
});
