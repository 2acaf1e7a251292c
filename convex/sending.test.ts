import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  graphError,
  NUMBER,
  networkError,
  openApp,
  START,
  status,
  statusWebhook,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let app: App;
let accountId: Id<"accounts">;
let conversationId: Id<"conversations">;
let requests = 0;

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "ana");
  await app.receive("Is the lemon cake available?", { at: START });
  conversationId = (await app.rows("conversations"))[0]?._id as Id<"conversations">;
});
afterEach(closeApp);

const send = (text: string, more: { clientRequestId?: string; replyToMessageId?: Id<"messages"> } = {}) =>
  app.user("ana").mutation(api.messages.sendText, {
    accountId,
    conversationId,
    text,
    clientRequestId: more.clientRequestId ?? `r${++requests}`,
    ...(more.replyToMessageId !== undefined && { replyToMessageId: more.replyToMessageId }),
  });

const sendByKey = async (apiKeyId: string, args: Partial<KeyArgs> = {}) =>
  await app.key(apiKeyId).mutation(api.mcp.sendText, { contact: `+${CUSTOMER}`, text: "Yes!", ...args });

interface KeyArgs {
  from: string;
  contact: string;
  text: string;
  replyTo: string;
  clientRequestId: string;
  validateOnly: boolean;
}

const outbound = async () => (await app.rows("messages")).filter(({ direction }) => direction === "outbound");
const shown = async () => (await outbound()).map(({ text, status, wamid }) => [text, status, wamid]);
const sentTexts = () => app.graph.sends.map((body) => (body["text"] as { body: string }).body);

describe("the way of a message", () => {
  it("goes from queued over sending to sent, with one call that carries its callback data", async () => {
    const answer = await send("Yes, until six.");
    expect(answer).toMatchObject({ outcome: "pending", conversationId });
    expect(await shown()).toEqual([["Yes, until six.", "queued", undefined]]);
    await app.advance();
    expect(await shown()).toEqual([["Yes, until six.", "sent", "wamid.SENT1"]]);
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
    await send("Yes");
    await app.advance();
    await app.deliver(
      statusWebhook([status("delivered", "wamid.SENT1", START), status("read", "wamid.SENT1", START)]),
    );
    expect((await app.rows("conversations"))[0]).toMatchObject({ preview: "Yes", previewStatus: "read" });
  });

  it("quotes the message that it answers, and only one of the same conversation", async () => {
    const [inbound] = await app.rows("messages");
    await send("That one", { replyToMessageId: inbound?._id as Id<"messages"> });
    await app.advance();
    expect(app.graph.sends[0]).toMatchObject({ context: { message_id: inbound?.wamid } });
    await app.receive("from somebody else", { from: "16505550002", id: "wamid.ELSE" });
    const foreign = (await app.rows("messages")).find(({ wamid }) => wamid === "wamid.ELSE");
    const answer = await send("Not that one", { replyToMessageId: foreign?._id as Id<"messages"> });
    expect(answer).toMatchObject({ refused: true, reason: "not_found" });
  });

  it("learns the number by which Meta calls the customer, and recognises the next message under it", async () => {
    app.graph.answerNext(() =>
      Response.json({
        contacts: [{ input: `+${CUSTOMER}`, wa_id: "16505559999" }],
        messages: [{ id: "wamid.A" }],
      }),
    );
    await send("Hello");
    await app.advance();
    await app.receive("It is me", { from: "16505559999" });
    expect(await app.rows("contacts")).toHaveLength(1);
  });
});

describe("what is refused before it leaves", () => {
  it.each([
    ["one minute and one second before its end", DAY - 61_000, "pending"],
    ["within the safety minute", DAY - 60_000, "window_closed"],
    ["at its end", DAY, "window_closed"],
  ])("text to a window %s", async (_, later, outcome) => {
    await app.advance(later);
    const answer = await send("Still there?");
    expect(answer).toMatchObject(outcome === "pending" ? { outcome } : { refused: true, reason: outcome });
    expect(await outbound()).toHaveLength(outcome === "pending" ? 1 : 0);
  });

  it("lets a customer's late message reopen the window, but an older one never shortens it", async () => {
    await app.receive("older", { at: START - 5 * HOUR });
    expect((await app.rows("conversations"))[0]?.windowExpiresAt).toBe(START + DAY);
    await app.advance(HOUR);
    await app.receive("newer", { at: START + HOUR });
    expect((await app.rows("conversations"))[0]?.windowExpiresAt).toBe(START + HOUR + DAY);
  });

  it("checks the window again when the message is about to leave", async () => {
    await app.advance(DAY - 62_000);
    app.graph.answerNext(graphError(130429, 429, { "retry-after": "5" }));
    await send("Just in time?");
    await app.advance();
    await app.advance(6_000);
    expect(app.graph.sends).toHaveLength(1);
    expect(await shown()).toEqual([["Just in time?", "failed", undefined]]);
    expect((await outbound())[0]?.error?.code).toBe("window_closed");
  });

  it.each([
    ["empty", " \n "],
    ["longer than 4,096 characters", "x".repeat(4097)],
  ])("text that is %s", async (_, text) => {
    expect(await send(text)).toMatchObject({ refused: true, reason: "invalid_message" });
    expect(await outbound()).toEqual([]);
  });

  it.each([
    ["somebody who never wrote", "+4915112345678", "window_closed"],
    ["nobody's username", "@nobody", "not_found"],
    ["something that names nobody", "the lady from yesterday", "invalid_recipient"],
  ])("text of a key to %s", async (_, contact, reason) => {
    const { id } = await app.addKey(accountId);
    expect(await sendByKey(id, { contact })).toMatchObject({ refused: true, reason });
  });

  it("more than a key's sends per minute and per day, with the time to wait", async () => {
    const { id } = await app.addKey(accountId, { rpm: 2, dailyCap: 3 });
    const next = (text: string) => sendByKey(id, { text });
    expect(await next("1")).toMatchObject({ outcome: "pending" });
    expect(await next("2")).toMatchObject({ outcome: "pending" });
    expect(await next("3")).toMatchObject({ refused: true, reason: "rate_limited", retry_after_seconds: 60 });
    await app.advance(60_000);
    expect(await next("3")).toMatchObject({ outcome: "pending" });
    expect(await next("4")).toMatchObject({
      refused: true,
      reason: "cap_reached",
      retry_after_seconds: 14 * 3600 - 60,
    });
  });

  it("names the first obstacle in the order in which a person would explain it", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read"], rpm: 1 });
    const everything = { from: "+1 999 999 9999", contact: "nonsense!", text: "" };
    expect(await sendByKey(id, everything)).toMatchObject({ reason: "scope_missing" });
    const sender = await app.addKey(accountId, { rpm: 1 });
    expect(await sendByKey(sender.id, everything)).toMatchObject({ reason: "not_found" });
    const { from: _, ...rest } = everything;
    expect(await sendByKey(sender.id, rest)).toMatchObject({ reason: "invalid_recipient" });
    expect(await sendByKey(sender.id, { text: "" })).toMatchObject({ reason: "invalid_message" });
    expect(await sendByKey(sender.id, { text: "ok" })).toMatchObject({ outcome: "pending" });
    expect(await sendByKey(sender.id, { text: "ok" })).toMatchObject({ reason: "duplicate_suspected" });
    expect(await sendByKey(sender.id, { text: "other" })).toMatchObject({ reason: "rate_limited" });
    await app.advance(2 * DAY);
    expect(await sendByKey(sender.id, { text: "other" })).toMatchObject({ reason: "window_closed" });
  });
});

describe("idempotency", () => {
  it("gives 20 equal calls at once one answer, one message and one Graph call", async () => {
    const { id } = await app.addKey(accountId);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => sendByKey(id, { clientRequestId: "order-7" })),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await app.advance();
    expect(await outbound()).toHaveLength(1);
    expect(app.graph.sends).toHaveLength(1);
  });

  it("gives the first answer again after the window has closed, and to another spelling of the number", async () => {
    const { id } = await app.addKey(accountId);
    const first = await sendByKey(id, { clientRequestId: "a" });
    await app.advance(23 * HOUR + 59 * 60_000 + 30_000);
    expect(await sendByKey(id, { clientRequestId: "a", contact: "+1 (650) 555-1234" })).toEqual(first);
  });

  it("refuses the same id for another text or another customer", async () => {
    await app.receive("hi", { from: "16505550002" });
    const { id } = await app.addKey(accountId);
    await sendByKey(id, { clientRequestId: "a" });
    expect(await sendByKey(id, { clientRequestId: "a", text: "No!" })).toMatchObject({
      reason: "idempotency_key_reused",
    });
    expect(await sendByKey(id, { clientRequestId: "a", contact: "16505550002" })).toMatchObject({
      reason: "idempotency_key_reused",
    });
  });

  it("keeps the ids of two principals apart", async () => {
    const [one, two] = [await app.addKey(accountId), await app.addKey(accountId)];
    await sendByKey(one.id, { clientRequestId: "a" });
    expect(await sendByKey(two.id, { clientRequestId: "a" })).toMatchObject({ outcome: "pending" });
    expect(await outbound()).toHaveLength(2);
  });

  it("suspects the same text within a minute when no id says otherwise, and names the first message", async () => {
    const { id } = await app.addKey(accountId);
    const first = await sendByKey(id);
    expect(await sendByKey(id)).toMatchObject({
      refused: true,
      reason: "duplicate_suspected",
      message_id: "messageId" in first ? first.messageId : "",
    });
    expect(await sendByKey(id, { clientRequestId: "meant-twice" })).toMatchObject({ outcome: "pending" });
    await app.advance(61_000);
    expect(await sendByKey(id)).toMatchObject({ outcome: "pending" });
  });

  it("validates without leaving a trace", async () => {
    const { id } = await app.addKey(accountId);
    const answer = await sendByKey(id, { validateOnly: true });
    expect(answer).toEqual({ valid: true, conversationId, windowExpiresAt: START + DAY });
    expect(await outbound()).toEqual([]);
    expect(await app.rows("sendRequests")).toEqual([]);
    expect(await app.rows("rateCounters")).toEqual([]);
    await app.advance(DAY);
    expect(await sendByKey(id, { validateOnly: true })).toMatchObject({ reason: "window_closed" });
  });
});

describe("what the network does", () => {
  it("sends again, at most five times, what provably never left", async () => {
    app.graph.answerNext(...Array.from({ length: 5 }, () => networkError("ECONNREFUSED")));
    await send("Hello");
    await app.advance();
    for (let wait = 0; wait < 5; wait++) await app.advance(10_000);
    expect(app.graph.sends.map((body) => String(body["biz_opaque_callback_data"]).split(":").at(-1))).toEqual(
      ["1", "2", "3", "4", "5"],
    );
    expect((await outbound())[0]).toMatchObject({
      status: "failed",
      error: { code: "whatsapp_unreachable" },
    });
  });

  it("waits as long as Meta says, then sends, in order", async () => {
    app.graph.answerNext(graphError(130429, 429, { "retry-after": "30" }));
    await send("first");
    await send("second");
    await app.advance();
    await app.advance(29_000);
    expect(sentTexts()).toEqual(["first"]);
    await app.advance(2_000);
    await app.advance();
    expect(sentTexts()).toEqual(["first", "first", "second"]);
    expect((await shown()).map(([, state]) => state)).toEqual(["sent", "sent"]);
  });

  it("reports a refusal in our words and goes on with the next message", async () => {
    app.graph.answerNext(graphError(131047));
    await send("first");
    await send("second");
    await app.advance();
    await app.advance();
    expect((await outbound()).map(({ status, error }) => [status, error?.code])).toEqual([
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
    await send("Once");
    await app.advance();
    for (let hour = 0; hour < 3; hour++) {
      await app.advance(HOUR);
      await app.backend.mutation(internal.outbox.sweep, {});
      await app.advance();
    }
    expect(app.graph.sends).toHaveLength(1);
    expect(await shown()).toEqual([["Once", "unknown", undefined]]);
  });

  it("holds the conversation back for 30 seconds after an unknown outcome, and no other one", async () => {
    await app.receive("me too", { from: "16505550002" });
    const { id } = await app.addKey(accountId);
    app.graph.answerNext(networkError("ECONNRESET"));
    await send("first");
    await send("second");
    await app.advance();
    await sendByKey(id, { contact: "+16505550002", text: "elsewhere" });
    await app.advance(29_000);
    expect(sentTexts()).toEqual(["first", "elsewhere"]);
    await app.advance(2_000);
    expect(sentTexts()).toEqual(["first", "elsewhere", "second"]);
  });

  it("sends the messages of a conversation in the order in which they were taken", async () => {
    const texts = Array.from({ length: 8 }, (_, n) => `line ${n}`);
    await Promise.all(texts.map((text) => send(text)));
    await app.advance();
    const stored = (await outbound()).sort((a, b) => a.seq - b.seq).map(({ text }) => text);
    expect(sentTexts()).toEqual(stored);
    expect([...stored].sort()).toEqual(texts);
  });

  it("never lets the send hang: a silent Graph ends in unknown at the deadline", async () => {
    app.graph.answerNext(() => new Promise<Response>(() => {}));
    await send("Hello?");
    await app.startDue();
    await app.advance(20_000);
    expect(await shown()).toEqual([["Hello?", "unknown", undefined]]);
  });
});

describe("unknown outcomes", () => {
  beforeEach(async () => {
    app.graph.answerNext(networkError("ECONNRESET"));
    await send("Did it arrive?");
    await app.advance();
    expect(await shown()).toEqual([["Did it arrive?", "unknown", undefined]]);
  });

  const callbackData = async () => `p1:${(await app.rows("outbox"))[0]?._id}:1`;

  it("are resolved by a status that carries the callback data, and the lane goes on at once", async () => {
    await send("next");
    const more = { biz_opaque_callback_data: await callbackData() };
    await app.deliver(statusWebhook([status("delivered", "wamid.REAL", START + 1_000, more)]));
    await app.advance();
    expect(await shown()).toEqual([
      ["Did it arrive?", "delivered", "wamid.REAL"],
      ["next", "sent", "wamid.SENT1"],
    ]);
  });

  it("are resolved also when a status without callback data came first", async () => {
    await app.deliver(statusWebhook([status("read", "wamid.REAL", START + 2_000)]));
    expect((await shown())[0]).toEqual(["Did it arrive?", "unknown", undefined]);
    const more = { biz_opaque_callback_data: await callbackData() };
    await app.deliver(statusWebhook([status("sent", "wamid.REAL", START, more)]));
    expect((await shown())[0]).toEqual(["Did it arrive?", "read", "wamid.REAL"]);
  });

  it("are not resolved by callback data of another account", async () => {
    await app.addAccount({ name: "Florist", phoneNumberId: "900", phoneNumber: "+15550001111" });
    const more = { biz_opaque_callback_data: await callbackData() };
    await app.deliver(statusWebhook([status("delivered", "wamid.REAL", START, more)], "900"));
    expect((await shown())[0]).toEqual(["Did it arrive?", "unknown", undefined]);
  });

  it("become failed when Meta says so", async () => {
    const more = {
      biz_opaque_callback_data: await callbackData(),
      errors: [{ code: 131026, title: "Undeliverable" }],
    };
    await app.deliver(statusWebhook([status("failed", "wamid.REAL", START, more)]));
    expect((await outbound())[0]).toMatchObject({
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
    await send("Hello");
    await app.cancelScheduled();
  });

  it("before the claim: the sweeper starts the delivery that was lost", async () => {
    await sweep();
    expect(await shown()).toEqual([["Hello", "sent", "wamid.SENT1"]]);
  });

  it("between claim and dispatch: the lease runs out and the message is sent once", async () => {
    await claim("dead");
    await sweep();
    expect(app.graph.sends).toEqual([]);
    await app.advance(36_000);
    await sweep();
    expect(await shown()).toEqual([["Hello", "sent", "wamid.SENT1"]]);
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
    expect(await shown()).toEqual([["Hello", "sent", "wamid.LATE"]]);
  });

  it("two workers for one send: only one gets the claim", async () => {
    const claims = await Promise.all([claim("one"), claim("two")]);
    expect(claims.filter((job) => job !== null)).toHaveLength(1);
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
    expect((await outbound())[0]).toMatchObject({ status: "failed", error: { code: "unavailable" } });
  });

  it("a key that was revoked while its message waited stops it", async () => {
    const { id } = await app.addKey(accountId);
    await sendByKey(id);
    await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: id });
    await sweep();
    await app.advance();
    expect((await outbound()).map(({ status, error }) => [status, error?.code])).toEqual([
      ["sent", undefined],
      ["failed", "unauthorized"],
    ]);
  });
});

describe("what a key is told about its send", () => {
  it("pending, then accepted, rejected or unknown", async () => {
    const { id } = await app.addKey(accountId);
    app.graph.answerNext(app.graph.accept, graphError(131026), networkError("ECONNRESET"));
    const outcomes: unknown[] = [];
    for (const text of ["a", "b", "c"]) {
      const answer = await sendByKey(id, { text });
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
    const own = await app.addKey(accountId);
    await sendByKey(own.id);
    for (const message of await app.rows("messages")) {
      const ask = async (id: string) =>
        await app.key(id).query(api.mcp.sendOutcome, { messageId: message._id });
      expect(await ask(foreign.id)).toMatchObject({ refused: true, reason: "not_found" });
      if (message.direction === "inbound") expect(await ask(own.id)).toEqual(await ask(foreign.id));
    }
  });

  it("writes down who sent and what was refused", async () => {
    const { id } = await app.addKey(accountId);
    await sendByKey(id);
    await sendByKey(id, { contact: "@nobody" });
    const lines = (await app.rows("auditLog")).filter(({ action }) => action === "message.send");
    expect(lines.map(({ principal, outcome }) => [principal, outcome])).toEqual([
      [`key:${id}`, "queued"],
      [`key:${id}`, "not_found"],
    ]);
  });
});

describe("statuses", () => {
  const at = (seconds: number) => START + seconds * 1000;

  it("converge to the same view in every order, with every report twice", async () => {
    const reports = [
      status("sent", "wamid.SENT1", at(1)),
      status("delivered", "wamid.SENT1", at(2)),
      status("read", "wamid.SENT1", at(3)),
      status("failed", "wamid.SENT1", at(2), { errors: [{ code: 131026 }] }),
    ];
    for (const [round, order] of permutations(reports).entries()) {
      closeApp();
      app = openApp();
      accountId = await app.addAccount();
      await app.join(accountId, "ana");
      await app.receive("Hello", { at: START });
      conversationId = (await app.rows("conversations"))[0]?._id as Id<"conversations">;
      await send(`round ${round}`);
      // A third of the rounds hears of the statuses before it hears of Meta's answer to the send.
      const early = round % 3 === 0 ? order.splice(0, 2) : [];
      for (const report of early) await app.deliver(statusWebhook([report]));
      await app.advance();
      for (const report of [...order, ...early, ...order])
        await app.deliver(statusWebhook([report], NUMBER.phoneNumberId));
      const [message] = await outbound();
      expect(message).toMatchObject({ status: "read" });
      expect(message?.statusHistory).toMatchObject({
        sentAt: at(1),
        deliveredAt: at(2),
        readAt: at(3),
        failedAt: at(2),
      });
    }
  });

  it("come before the message and are joined to it", async () => {
    await send("Hello");
    await app.deliver(statusWebhook([status("delivered", "wamid.SENT1", at(1))]));
    expect((await app.rows("messageStatuses"))[0]?.parkedUntil).toBeGreaterThan(START);
    await app.advance();
    expect(await shown()).toEqual([["Hello", "delivered", "wamid.SENT1"]]);
    expect((await app.rows("messageStatuses"))[0]?.parkedUntil).toBeUndefined();
  });

  it("show a failure that comes after Meta had accepted the message", async () => {
    await send("Hello");
    await app.advance();
    await app.deliver(
      statusWebhook([status("failed", "wamid.SENT1", at(5), { errors: [{ code: 131047 }] })]),
    );
    expect((await outbound())[0]).toMatchObject({ status: "failed", error: { code: "window_closed" } });
  });

  it("of an unknown kind, and for another account's message, change nothing", async () => {
    await app.addAccount({ name: "Florist", phoneNumberId: "900", phoneNumber: "+15550001111" });
    await send("Hello");
    await app.advance();
    await app.deliver(statusWebhook([status("warning", "wamid.SENT1", at(1))]));
    await app.deliver(statusWebhook([status("read", "wamid.SENT1", at(1))], "900"));
    expect(await shown()).toEqual([["Hello", "sent", "wamid.SENT1"]]);
  });

  it("of a customer's own message are ignored, also with our id in them", async () => {
    await app.deliver(webhook([textMessage({ id: "wamid.IN" })]));
    await app.deliver(statusWebhook([status("read", "wamid.IN", at(1))]));
    const inbound = (await app.rows("messages")).filter(({ direction }) => direction === "inbound");
    expect(inbound.map((message) => message.status)).toEqual(["received", "received"]);
  });
});

function permutations<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}
