import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  graphError,
  NUMBER,
  networkError,
  START,
  status,
  statusWebhook,
} from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const HOUR = 3_600_000;

let talk: OpenConversation;
let app: App;
beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
});
afterEach(closeApp);

describe("the way of a message", () => {
  it("goes from queued over sending to sent, with one call that carries its callback data", async () => {
    const answer = await talk.send("Yes, until six.");
    expect(answer).toMatchObject({ outcome: "pending", conversationId: talk.conversationId });
    expect(await talk.shown()).toEqual([["Yes, until six.", "queued", undefined]]);
    await app.advance();
    expect(await talk.shown()).toEqual([["Yes, until six.", "sent", "wamid.SENT1"]]);
    const [row] = await app.rows("outbox");
    expect(app.graph.sends).toEqual([
      {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to: `+${CUSTOMER}`,
        type: "text",
        text: { body: "Yes, until six." },
        biz_opaque_callback_data: `p1:${row?._id}:1`,
      },
    ]);
    expect(app.graph.calls.at(-1)?.url.pathname).toBe(`/v25.0/${NUMBER.phoneNumberId}/messages`);
    expect(app.graph.calls.at(-1)?.authorization).toBe("Bearer graph-token");
  });

  it("moves the ticks in the list with those in the thread", async () => {
    await talk.send("Yes");
    await app.advance();
    await app.deliver(
      statusWebhook([status("delivered", "wamid.SENT1", START), status("read", "wamid.SENT1", START)]),
    );
    expect((await app.rows("conversations"))[0]).toMatchObject({ preview: "Yes", previewStatus: "read" });
  });

  it("quotes the message that it answers, and only one of the same conversation", async () => {
    const [inbound] = await app.rows("messages");
    await talk.send("That one", { replyToMessageId: inbound?._id as Id<"messages"> });
    await app.advance();
    expect(app.graph.sends[0]).toMatchObject({ context: { message_id: inbound?.wamid } });
    await app.receive("from somebody else", { from: "16505550002", id: "wamid.ELSE" });
    const foreign = (await app.rows("messages")).find(({ wamid }) => wamid === "wamid.ELSE");
    const answer = await talk.send("Not that one", { replyToMessageId: foreign?._id as Id<"messages"> });
    expect(answer).toMatchObject({ refused: true, reason: "not_found" });
  });

  it("learns the number by which Meta calls the customer, and recognises the next message under it", async () => {
    app.graph.answerNext(() =>
      Response.json({
        contacts: [{ input: `+${CUSTOMER}`, wa_id: "16505559999" }],
        messages: [{ id: "wamid.A" }],
      }),
    );
    await talk.send("Hello");
    await app.advance();
    await app.receive("It is me", { from: "16505559999" });
    expect(await app.rows("contacts")).toHaveLength(1);
  });
});

describe("what the network does", () => {
  it("sends again, at most five times, what provably never left", async () => {
    app.graph.answerNext(...Array.from({ length: 5 }, () => networkError("ECONNREFUSED")));
    await talk.send("Hello");
    await app.advance();
    for (let wait = 0; wait < 5; wait++) await app.advance(10_000);
    expect(app.graph.sends.map((body) => String(body["biz_opaque_callback_data"]).split(":").at(-1))).toEqual(
      ["1", "2", "3", "4", "5"],
    );
    expect((await talk.outbound())[0]).toMatchObject({
      status: "failed",
      error: { code: "whatsapp_unreachable" },
    });
  });

  it("waits as long as Meta says, then sends, in order", async () => {
    app.graph.answerNext(graphError(130429, 429, { "retry-after": "30" }));
    await talk.send("first");
    await talk.send("second");
    await app.advance();
    await app.advance(29_000);
    expect(talk.sentTexts()).toEqual(["first"]);
    await app.advance(2_000);
    await app.advance();
    expect(talk.sentTexts()).toEqual(["first", "first", "second"]);
    expect((await talk.shown()).map(([, state]) => state)).toEqual(["sent", "sent"]);
  });

  it("reports a refusal in our words and goes on with the next message", async () => {
    app.graph.answerNext(graphError(131047));
    await talk.send("first");
    await talk.send("second");
    await app.advance();
    await app.advance();
    expect((await talk.outbound()).map(({ status, error }) => [status, error?.code])).toEqual([
      ["failed", "window_closed"],
      ["sent", undefined],
    ]);
  });

  it.each([
    ["a reset after the request left", networkError("ECONNRESET")],
    ["a 500", () => new Response("<html>", { status: 500 })],
    ["a 200 without JSON", () => new Response("ok")],
    ["Meta's own 'unknown error'", graphError(131000, 500)],
  ])("never repeats a send after %s", async (_, answer) => {
    app.graph.answerNext(answer);
    await talk.send("Once");
    await app.advance();
    for (let hour = 0; hour < 3; hour++) {
      await app.advance(HOUR);
      await app.backend.mutation(internal.outbox.sweep, {});
      await app.advance();
    }
    expect(app.graph.sends).toHaveLength(1);
    expect(await talk.shown()).toEqual([["Once", "unknown", undefined]]);
  });

  it("holds the conversation back for 30 seconds after an unknown outcome, and no other one", async () => {
    await app.receive("me too", { from: "16505550002" });
    const { id } = await app.addKey(talk.accountId);
    app.graph.answerNext(networkError("ECONNRESET"));
    await talk.send("first");
    await talk.send("second");
    await app.advance();
    await talk.sendByKey(id, { contact: "+16505550002", text: "elsewhere" });
    await app.advance(29_000);
    expect(talk.sentTexts()).toEqual(["first", "elsewhere"]);
    await app.advance(2_000);
    expect(talk.sentTexts()).toEqual(["first", "elsewhere", "second"]);
  });

  it("sends the messages of a conversation in the order in which they were taken", async () => {
    const texts = Array.from({ length: 8 }, (_, n) => `line ${n}`);
    await Promise.all(texts.map((text) => talk.send(text)));
    await app.advance();
    const stored = (await talk.outbound()).sort((a, b) => a.seq - b.seq).map(({ text }) => text);
    expect(talk.sentTexts()).toEqual(stored);
    expect([...stored].sort()).toEqual(texts);
  });

  it("never lets the send hang: a silent Graph ends in unknown at the deadline", async () => {
    app.graph.answerNext(() => new Promise<Response>(() => {}));
    await talk.send("Hello?");
    await app.startDue();
    await app.advance(20_000);
    expect(await talk.shown()).toEqual([["Hello?", "unknown", undefined]]);
  });
});

describe("unknown outcomes", () => {
  beforeEach(async () => {
    app.graph.answerNext(networkError("ECONNRESET"));
    await talk.send("Did it arrive?");
    await app.advance();
    expect(await talk.shown()).toEqual([["Did it arrive?", "unknown", undefined]]);
  });

  const callbackData = async () => `p1:${(await app.rows("outbox"))[0]?._id}:1`;

  it("are resolved by a status that carries the callback data, and the lane goes on at once", async () => {
    await talk.send("next");
    const more = { biz_opaque_callback_data: await callbackData() };
    await app.deliver(statusWebhook([status("delivered", "wamid.REAL", START + 1_000, more)]));
    await app.advance();
    expect(await talk.shown()).toEqual([
      ["Did it arrive?", "delivered", "wamid.REAL"],
      ["next", "sent", "wamid.SENT1"],
    ]);
  });

  it("are resolved also when a status without callback data came first", async () => {
    await app.deliver(statusWebhook([status("read", "wamid.REAL", START + 2_000)]));
    expect((await talk.shown())[0]).toEqual(["Did it arrive?", "unknown", undefined]);
    const more = { biz_opaque_callback_data: await callbackData() };
    await app.deliver(statusWebhook([status("sent", "wamid.REAL", START, more)]));
    expect((await talk.shown())[0]).toEqual(["Did it arrive?", "read", "wamid.REAL"]);
  });

  it("are not resolved by callback data of another account", async () => {
    await app.addAccount({ name: "Florist", phoneNumberId: "900", phoneNumber: "+15550001111" });
    const more = { biz_opaque_callback_data: await callbackData() };
    await app.deliver(statusWebhook([status("delivered", "wamid.REAL", START, more)], "900"));
    expect((await talk.shown())[0]).toEqual(["Did it arrive?", "unknown", undefined]);
  });

  it("become failed when Meta says so", async () => {
    const more = {
      biz_opaque_callback_data: await callbackData(),
      errors: [{ code: 131026, title: "Undeliverable" }],
    };
    await app.deliver(statusWebhook([status("failed", "wamid.REAL", START, more)]));
    expect((await talk.outbound())[0]).toMatchObject({
      status: "failed",
      error: { code: "recipient_unreachable" },
    });
  });
});

describe("crashes", () => {
  const row = async () => (await app.rows("outbox"))[0];
  const claim = async (claimToken: string) =>
    await app.backend.mutation(internal.outbox.claim, {
      outboxId: (await row())?._id as Id<"outbox">,
      claimToken,
    });
  const mark = async (claimToken: string) =>
    await app.backend.mutation(internal.outbox.markDispatching, {
      outboxId: (await row())?._id as Id<"outbox">,
      claimToken,
    });
  const settle = async (claimToken: string, report: { event: "accepted"; wamid: string }) =>
    await app.backend.mutation(internal.outbox.settle, {
      outboxId: (await row())?._id as Id<"outbox">,
      claimToken,
      report,
    });
  const sweep = async () => {
    await app.backend.mutation(internal.outbox.sweep, {});
    await app.advance();
  };

  beforeEach(async () => {
    await talk.send("Hello");
    await app.cancelScheduled();
  });

  it("before the claim: the sweeper starts the delivery that was lost", async () => {
    await sweep();
    expect(await talk.shown()).toEqual([["Hello", "sent", "wamid.SENT1"]]);
  });

  it("before the claim, of more sends than one step of the sweeper holds: each is started once", async () => {
    const lost = 230;
    await app.backend.run(async (ctx) => {
      const first = await ctx.db.query("outbox").first();
      const place = first && (await ctx.db.get(first.conversationId));
      const said = first?.messageId === undefined ? null : await ctx.db.get(first.messageId);
      if (!first || !place || !said) throw new Error("Nothing was enqueued.");
      const { _id: _row, _creationTime: _rowAt, ...send } = first;
      const { _id: _place, _creationTime: _placeAt, ...conversation } = place;
      const { _id: _said, _creationTime: _saidAt, ...message } = said;
      for (let n = 1; n < lost; n++) {
        const conversationId = await ctx.db.insert("conversations", conversation);
        const messageId = await ctx.db.insert("messages", { ...message, conversationId });
        await ctx.db.insert("outbox", { ...send, conversationId, messageId });
      }
    });
    await sweep();
    const jobs = await app.backend.run(
      async (ctx) => await ctx.db.system.query("_scheduled_functions").collect(),
    );
    const started = jobs.filter(({ name, state }) => name.includes("deliver") && state.kind !== "canceled");
    expect(new Set(started.map(({ args }) => JSON.stringify(args))).size).toBe(lost);
    // The budget of the number lets the first of them leave; the others have their time.
    expect(app.graph.sends.length).toBeGreaterThanOrEqual(80);
    await app.advance(5_000);
    expect(app.graph.sends).toHaveLength(lost);
  });

  it("between claim and dispatch: the lease runs out and the message is sent once", async () => {
    await claim("dead");
    await sweep();
    expect(app.graph.sends).toEqual([]);
    await app.advance(36_000);
    await sweep();
    expect(await talk.shown()).toEqual([["Hello", "sent", "wamid.SENT1"]]);
    expect(await mark("dead")).toBe(false);
    expect(app.graph.sends).toHaveLength(1);
  });

  it("after dispatch: the message becomes unknown and is never sent again, until its worker or a status speaks", async () => {
    await claim("dead");
    expect(await mark("dead")).toBe(true);
    await app.advance(36_000);
    await sweep();
    expect((await row())?.state).toBe("unknown");
    await app.advance(HOUR);
    await sweep();
    expect(app.graph.sends).toEqual([]);
    await settle("dead", { event: "accepted", wamid: "wamid.LATE" });
    expect(await talk.shown()).toEqual([["Hello", "sent", "wamid.LATE"]]);
  });

  it("two workers for one send: only one gets the claim", async () => {
    const claims = await Promise.all([claim("one"), claim("two")]);
    expect(claims.filter((job) => job !== null)).toHaveLength(1);
  });

  it("no worker gets a later message while an earlier one is on its way, whatever its due time says", async () => {
    await talk.send("second");
    const [, second] = await app.rows("outbox");
    const outboxId = second?._id as Id<"outbox">;
    await app.backend.run(async (ctx) => await ctx.db.patch(outboxId, { dueAt: START }));
    const early = await app.backend.mutation(internal.outbox.claim, { outboxId, claimToken: "eager" });
    expect(early).toBeNull();
  });

  it("a report under another claim changes nothing", async () => {
    await claim("one");
    await mark("one");
    await settle("two", { event: "accepted", wamid: "wamid.FORGED" });
    expect((await row())?.state).toBe("dispatching");
  });

  it("gives up a send whose workers die again and again, instead of trying for ever", async () => {
    for (let attempt = 0; attempt < 6; attempt++) {
      await claim(`dead${attempt}`);
      await app.advance(36_000);
      await app.backend.mutation(internal.outbox.sweep, {});
      await app.cancelScheduled();
    }
    expect((await talk.outbound())[0]).toMatchObject({ status: "failed", error: { code: "unavailable" } });
  });

  it("a key that was revoked while its message waited stops it", async () => {
    const { id } = await app.addKey(talk.accountId);
    await talk.sendByKey(id);
    await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: id });
    await sweep();
    await app.advance();
    expect((await talk.outbound()).map(({ status, error }) => [status, error?.code])).toEqual([
      ["sent", undefined],
      ["failed", "unauthorized"],
    ]);
  });
});

describe("what a key is told about its send", () => {
  it("pending, then accepted, rejected or unknown", async () => {
    const { id } = await app.addKey(talk.accountId);
    app.graph.answerNext(app.graph.accept, graphError(131026), networkError("ECONNRESET"));
    const outcomes: unknown[] = [];
    for (const text of ["a", "b", "c"]) {
      const answer = await talk.sendByKey(id, { text });
      const messageId = ("messageId" in answer ? answer.messageId : "") as Id<"messages">;
      const ask = async () => await app.key(id).query(api.mcp.sendOutcome, { messageId });
      outcomes.push((await ask()) satisfies object);
      await app.advance();
      outcomes.push(await ask());
    }
    expect(outcomes).toMatchObject([
      { outcome: "pending" },
      { outcome: "accepted", wamid: "wamid.SENT1" },
      { outcome: "pending" },
      { outcome: "rejected", error: { code: "recipient_unreachable" } },
      { outcome: "pending" },
      { outcome: "unknown" },
    ]);
  });

  it("nothing about messages that were not sent from here, or by another account", async () => {
    const other = await app.addAccount({
      name: "Florist",
      phoneNumberId: "900",
      phoneNumber: "+15550001111",
    });
    const foreign = await app.addKey(other);
    const own = await app.addKey(talk.accountId);
    await talk.sendByKey(own.id);
    for (const message of await app.rows("messages")) {
      const ask = async (id: string) =>
        await app.key(id).query(api.mcp.sendOutcome, { messageId: message._id });
      expect(await ask(foreign.id)).toMatchObject({ refused: true, reason: "not_found" });
      if (message.direction === "inbound") expect(await ask(own.id)).toEqual(await ask(foreign.id));
    }
  });

  it("writes down who sent and what was refused", async () => {
    const { id } = await app.addKey(talk.accountId);
    await talk.sendByKey(id);
    await talk.sendByKey(id, { contact: "@nobody" });
    const lines = (await app.rows("auditLog")).filter(({ action }) => action === "message.send");
    expect(lines.map(({ principal, outcome, reason }) => [principal, outcome, reason])).toEqual([
      [`key:${id}`, "queued", undefined],
      [`key:${id}`, "refused", "not_found"],
    ]);
  });
});
