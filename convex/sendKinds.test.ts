import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  graphError,
  networkError,
  START,
  status,
  statusWebhook,
} from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { addTemplate } from "../tests/support/convex-template";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let talk: OpenConversation;
let app: App;
let base: { accountId: Id<"accounts">; conversationId: Id<"conversations"> };
beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
  base = { accountId: talk.accountId, conversationId: talk.conversationId };
});
afterEach(closeApp);

const ana = () => app.user("ana");
const inbound = async () => {
  const message = (await app.rows("messages")).find(({ direction }) => direction === "inbound");
  if (message === undefined) throw new Error("The customer's message was not stored.");
  return message;
};
const list = async () => {
  const paginationOpts = { numItems: 50, cursor: null };
  return (await ana().query(api.messages.list, { ...base, paginationOpts })).page;
};
const card = { name: { formatted_name: "Eva Brandt", first_name: "Eva" }, phones: [{ phone: "+49 151" }] };

/** Each kind as a member sends it, what Meta gets, and what the thread and the list show. */
const KINDS = {
  "a text with a preview of its link": {
    send: () =>
      ana().mutation(api.messages.sendText, { ...draft(), text: "See https://x.test", previewUrl: true }),
    body: { type: "text", text: { body: "See https://x.test", preview_url: true } },
    shown: { type: "text", text: "See https://x.test" },
    line: "See https://x.test",
  },
  "a filled template": {
    send: async () => {
      await addTemplate(app, talk.accountId, { name: "ready", body: "Hi {{1}}, it is {{2}}." });
      const params = { body: { 1: "Ana", 2: "ready" } };
      return await ana().mutation(api.messages.sendTemplate, {
        ...draft(),
        name: "ready",
        language: "en-US",
        params,
      });
    },
    body: {
      type: "template",
      template: {
        name: "ready",
        language: { code: "en_US" },
        components: [
          {
            type: "body",
            parameters: [
              { type: "text", text: "Ana" },
              { type: "text", text: "ready" },
            ],
          },
        ],
      },
    },
    shown: { type: "template", text: "Hi Ana, it is ready." },
    line: "Hi Ana, it is ready.",
  },
  "a voice message that Meta has": {
    send: () =>
      ana().mutation(api.messages.sendMedia, {
        ...draft(),
        media: "audio",
        file: { mediaId: "1037543291543636" },
        voice: true,
      }),
    body: { type: "audio", audio: { id: "1037543291543636", voice: true } },
    shown: { type: "voice" },
    line: "Voice message",
  },
  "buttons to answer with": {
    send: () =>
      ana().mutation(api.messages.sendInteractive, {
        ...draft(),
        interactive: { type: "button", body: "Shall we keep one?", buttons: [{ id: "y", title: "Yes" }] },
      }),
    body: {
      type: "interactive",
      interactive: {
        type: "button",
        body: { text: "Shall we keep one?" },
        action: { buttons: [{ type: "reply", reply: { id: "y", title: "Yes" } }] },
      },
    },
    shown: { type: "interactive", text: "Shall we keep one?" },
    line: "Shall we keep one?",
  },
  "a flow with the data of its first screen": {
    send: () =>
      ana().mutation(api.messages.sendInteractive, {
        ...draft(),
        interactive: {
          type: "flow",
          body: "Book a table",
          flow_id: "77",
          flow_cta: "Book",
          screen: "DATES",
          data: '{"days":["Mon"]}',
        },
      }),
    body: {
      type: "interactive",
      interactive: {
        type: "flow",
        action: { parameters: { flow_action_payload: { screen: "DATES", data: { days: ["Mon"] } } } },
      },
    },
    shown: { type: "interactive", text: "Book a table" },
    line: "Book a table",
  },
  "a request for the place": {
    send: () =>
      ana().mutation(api.messages.sendInteractive, {
        ...draft(),
        interactive: { type: "location_request_message", body: "Where to?" },
      }),
    body: { type: "interactive", interactive: { action: { name: "send_location" } } },
    shown: { type: "interactive", text: "Where to?" },
    line: "Where to?",
  },
  "a place": {
    send: () =>
      ana().mutation(api.messages.sendLocation, {
        ...draft(),
        location: { latitude: 52.5, longitude: 13.4, name: "Bakery" },
      }),
    body: { type: "location", location: { latitude: 52.5, longitude: 13.4, name: "Bakery" } },
    shown: { type: "location" },
    line: "Bakery",
  },
  "a card": {
    send: () => ana().mutation(api.messages.sendContacts, { ...draft(), contacts: [card] }),
    body: { type: "contacts", contacts: [card] },
    shown: { type: "contacts" },
    line: "Eva Brandt",
  },
};

const draft = () => ({ ...base, clientRequestId: "r1" });

describe("every kind of message", () => {
  it.each(Object.entries(KINDS))("%s", async (_, { send, body, shown, line }) => {
    const answer = await send();
    expect(answer).toMatchObject({ outcome: "pending" });
    const [conversation] = await app.rows("conversations");
    expect(conversation).toMatchObject({ preview: line, previewStatus: "queued" });
    await app.advance();
    const [row] = await app.rows("outbox");
    const callback = { biz_opaque_callback_data: `p1:${row?._id}:1` };
    expect(app.graph.sends).toMatchObject([{ ...body, ...callback, to: `+${CUSTOMER}` }]);
    expect((await list())[0]).toMatchObject({
      ...shown,
      direction: "outbound",
      status: "sent",
      wamid: "wamid.SENT1",
    });
    expect(await send()).toEqual(answer);
    expect(app.graph.sends).toHaveLength(1);
  });

  it("tells its end once, as an event, and nothing about an unknown outcome", async () => {
    app.graph.answerNext(app.graph.accept, graphError(131026), networkError("ECONNRESET"));
    for (const text of ["goes", "fails", "vanishes"]) await talk.send(text);
    await app.advance();
    await app.advance(31_000);
    const told = (await app.rows("webhookEvents")).filter(({ type }) => type.startsWith("message.outbound"));
    expect(told.map(({ type, body }) => [type, JSON.parse(body).payload.message.text])).toEqual([
      ["message.outbound.sent", "goes"],
      ["message.outbound.failed", "fails"],
    ]);
  });
});

describe("an upload", () => {
  const upload = async (more: object) =>
    await app.backend.run(async (ctx) => {
      const row = {
        accountId: talk.accountId,
        principal: "user:ana",
        kind: "image" as const,
        createdAt: START,
      };
      const ready = {
        state: "ready" as const,
        graphMediaId: "88",
        graphMediaUntil: START + 1,
        expiresAt: START + 1,
      };
      return await ctx.db.insert("uploads", { ...row, ...ready, ...more });
    });
  const sendUpload = async (uploadId: string) =>
    await ana().mutation(api.messages.sendMedia, { ...draft(), media: "image", file: { uploadId } });

  it.each([
    ["of somebody else", { principal: "user:ben" }, "not_found"],
    ["that has expired", { expiresAt: START }, "not_found"],
    ["that failed", { state: "failed" as const }, "media_refused"],
  ])("%s is refused", async (_, more, reason) => {
    expect(await sendUpload(await upload(more))).toMatchObject({ refused: true, reason });
  });

  it("that Meta has is sent by its id there", async () => {
    expect(await sendUpload(await upload({}))).toMatchObject({ outcome: "pending" });
    await app.advance();
    expect(app.graph.sends).toMatchObject([{ type: "image", image: { id: "88" } }]);
  });
});

describe("reactions", () => {
  const react = async (emoji: string, clientRequestId: string) => {
    const { _id: messageId } = await inbound();
    const answer = await ana().mutation(api.messages.sendReaction, {
      ...base,
      clientRequestId,
      messageId,
      emoji,
    });
    await app.advance();
    return answer;
  };

  it("are shown on the message once WhatsApp has them, replaced, and taken back", async () => {
    await react("👍", "r1");
    expect((await inbound()).reactions).toEqual([{ emoji: "👍", from: "business" }]);
    await app.advance(1_000);
    await react("❤️", "r2");
    expect((await inbound()).reactions).toEqual([{ emoji: "❤️", from: "business" }]);
    await app.advance(1_000);
    await react("", "r3");
    expect((await inbound()).reactions).toEqual([]);
    const { wamid } = await inbound();
    expect(app.graph.sends.map(({ reaction }) => reaction)).toEqual(
      ["👍", "❤️", ""].map((emoji) => ({ message_id: wamid, emoji })),
    );
    expect(await talk.outbound()).toEqual([]);
  });

  it("that are refused are not shown, and their sender is told why", async () => {
    const { id } = await app.addKey(talk.accountId, { scopes: ["write"] });
    app.graph.answerNext(graphError(131009));
    const { _id: messageId } = await inbound();
    const answer = await app
      .key(id)
      .mutation(api.mcp.sendReaction, { messageId, emoji: "👍", clientRequestId: "r" });
    expect(answer).toMatchObject({ outcome: "pending", messageId });
    await app.advance();
    expect((await inbound()).reactions).toEqual([]);
    const sendId = ("sendId" in answer ? answer.sendId : "") as Id<"outbox">;
    for (const name of [{ sendId }, { clientRequestId: "r" }]) {
      expect(await app.key(id).query(api.mcp.sendOutcome, name)).toMatchObject({
        outcome: "rejected",
        message_id: messageId,
        error: { code: "invalid_message" },
      });
    }
  });

  it("keep their place among the messages of the conversation", async () => {
    app.graph.answerNext(graphError(131056));
    await talk.send("first");
    const { _id: messageId } = await inbound();
    await ana().mutation(api.messages.sendReaction, {
      ...base,
      clientRequestId: "x",
      messageId,
      emoji: "👍",
    });
    await talk.send("second");
    await app.advance();
    await app.advance(5_000);
    expect(app.graph.sends.map(({ type }) => type)).toEqual(["text", "text", "reaction", "text"]);
  });

  it("need a message that is not too old and that WhatsApp knows", async () => {
    await talk.send("not sent yet");
    const [waiting] = await talk.outbound();
    const messageId = waiting?._id as Id<"messages">;
    const early = { ...base, clientRequestId: "x", messageId, emoji: "👍" };
    expect(await ana().mutation(api.messages.sendReaction, early)).toMatchObject({
      reason: "invalid_message",
    });
    const { _id } = await inbound();
    await app.backend.run(async (ctx) => {
      await ctx.db.patch(_id, { timestamp: START - 31 * 86_400_000 });
    });
    expect(await react("👍", "y")).toMatchObject({ reason: "invalid_message" });
  });
});

describe("what a person decides", () => {
  const doubtful = async () => {
    app.graph.answerNext(networkError("ECONNRESET"));
    await talk.send("Did it arrive?");
    await app.advance();
    const [message] = await talk.outbound();
    return { accountId: talk.accountId, messageId: message?._id as Id<"messages"> };
  };

  it("a doubtful message that was seen on the phone counts as sent, and its late status still finds it", async () => {
    const about = await doubtful();
    await talk.send("next");
    await ana().mutation(api.messages.markSent, about);
    await ana().mutation(api.messages.markSent, about);
    await app.advance();
    expect((await talk.shown()).map(([, state]) => state)).toEqual(["sent", "sent"]);
    const more = { biz_opaque_callback_data: `p1:${(await app.rows("outbox"))[0]?._id}:1` };
    await app.deliver(statusWebhook([status("read", "wamid.REAL", START, more)]));
    expect((await talk.shown())[0]).toEqual(["Did it arrive?", "read", "wamid.REAL"]);
  });

  it("a doubtful message is sent again only after its status had time, as a new one that names the old", async () => {
    const about = await doubtful();
    const again = (clientRequestId: string) =>
      ana().mutation(api.messages.sendAgain, { ...about, clientRequestId });
    expect(await again("a")).toMatchObject({ reason: "outcome_pending", retry_after_seconds: 120 });
    await app.advance(120_000);
    const [first, twice] = [await again("a"), await again("a")];
    expect(first).toMatchObject({ outcome: "pending" });
    expect(twice).toEqual(first);
    expect(await again("b")).toMatchObject({ reason: "duplicate_suspected" });
    await app.advance();
    const [fresh, old] = await list();
    expect(fresh).toMatchObject({ text: "Did it arrive?", status: "sent", repeats: old?._id });
    expect(old).toMatchObject({ status: "unknown", repeatedBy: fresh?._id, unknownSince: START });
    expect(talk.sentTexts()).toEqual(["Did it arrive?", "Did it arrive?"]);
  });

  it("a message that waits can be withdrawn, one that left cannot", async () => {
    app.graph.answerNext(graphError(130429, 429, { "retry-after": "30" }));
    await talk.send("Wait, wrong price");
    await app.advance();
    const [message] = await talk.outbound();
    const about = { accountId: talk.accountId, messageId: message?._id as Id<"messages"> };
    await ana().mutation(api.messages.cancel, about);
    await app.advance(60_000);
    expect(app.graph.sends).toHaveLength(1);
    expect((await list())[0]).toMatchObject({ status: "failed", error: { code: "withdrawn" } });
    await talk.send("Right price");
    await app.advance();
    const sent = (await talk.outbound()).at(-1)?._id as Id<"messages">;
    const late = ana().mutation(api.messages.cancel, { accountId: talk.accountId, messageId: sent });
    await expect(late).rejects.toThrow(/conflict/);
  });
});

describe("Graph answers nonsense", () => {
  const bytes = (size: number) => new Uint8Array(size).fill(65);
  const accepted = { messages: [{ id: "wamid.X" }] };
  it.each([
    ["binary noise", () => new Response(bytes(4096), { headers: { "content-type": "application/json" } })],
    ["an empty body", () => new Response(null, { status: 200 })],
    ["a list", () => Response.json([accepted])],
    ["a message without an id", () => Response.json({ messages: [{}] })],
    ["an id that is no text", () => Response.json({ messages: [{ id: { nested: true } }] })],
    ["half of its JSON", () => new Response('{"messages":[{"id":"wam')],
    ["more than anybody reads", () => new Response(bytes(5 * 1024 * 1024))],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } })],
    ["an error without a code", () => Response.json({ error: { message: "no" } }, { status: 400 })],
    ["a 502 page", () => new Response("<html>Bad Gateway", { status: 502 })],
    [
      "a body that breaks off",
      () => {
        const pull = (controller: ReadableStreamDefaultController) => controller.error(new Error("cut"));
        return new Response(new ReadableStream({ pull }));
      },
    ],
  ])(
    "%s: the outcome is unknown, the message is sent once, and its status resolves it",
    async (_, answer) => {
      app.graph.answerNext(answer);
      await talk.send("Once");
      await app.advance();
      await app.advance(3_600_000);
      expect(await talk.shown()).toEqual([["Once", "unknown", undefined]]);
      expect(app.graph.sends).toHaveLength(1);
      const more = { biz_opaque_callback_data: `p1:${(await app.rows("outbox"))[0]?._id}:1` };
      await app.deliver(statusWebhook([status("delivered", "wamid.REAL", START, more)]));
      expect(await talk.shown()).toEqual([["Once", "delivered", "wamid.REAL"]]);
    },
  );
});
