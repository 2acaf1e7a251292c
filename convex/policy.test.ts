import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, graphError, START } from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { internal } from "./_generated/api";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let talk: OpenConversation;
let app: App;
beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
});
afterEach(closeApp);

describe("what is refused before it leaves", () => {
  it.each([
    ["one minute and one second before its end", DAY - 61_000, "pending"],
    ["within the safety minute", DAY - 60_000, "window_closed"],
    ["at its end", DAY, "window_closed"],
  ])("text to a window %s", async (_, later, outcome) => {
    await app.advance(later);
    const answer = await talk.send("Still there?");
    expect(answer).toMatchObject(outcome === "pending" ? { outcome } : { refused: true, reason: outcome });
    expect(await talk.outbound()).toHaveLength(outcome === "pending" ? 1 : 0);
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
    await talk.send("Just in time?");
    await app.advance();
    await app.advance(6_000);
    expect(app.graph.sends).toHaveLength(1);
    expect(await talk.shown()).toEqual([["Just in time?", "failed", undefined]]);
    expect((await talk.outbound())[0]?.error?.code).toBe("window_closed");
  });

  it.each([
    ["empty", " \n "],
    ["longer than 4,096 characters", "x".repeat(4097)],
  ])("text that is %s", async (_, text) => {
    expect(await talk.send(text)).toMatchObject({ refused: true, reason: "invalid_message" });
    expect(await talk.outbound()).toEqual([]);
  });

  it.each([
    ["somebody who never wrote", "+4915112345678", "window_closed"],
    ["nobody's username", "@nobody", "not_found"],
    ["something that names nobody", "the lady from yesterday", "invalid_recipient"],
  ])("text of a key to %s", async (_, contact, reason) => {
    const { id } = await app.addKey(talk.accountId);
    expect(await talk.sendByKey(id, { contact })).toMatchObject({ refused: true, reason });
  });

  it("more than a key's sends per minute and per day, with the time to wait", async () => {
    const { id } = await app.addKey(talk.accountId, { rpm: 2, dailyCap: 3 });
    const next = (text: string) => talk.sendByKey(id, { text });
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
    expect(await app.backend.query(internal.keysAdmin.usage, { apiKeyId: id })).toEqual({
      minute: { limit: 2, left: 1, resetsAt: START + 2 * 60_000 },
      day: { limit: 3, left: 0, resetsAt: START + 14 * HOUR },
    });
    await app.advance(14 * HOUR - 60_000);
    expect(await next("4")).toMatchObject({ outcome: "pending" });
  });

  it("names the first obstacle in the order in which a person would explain it", async () => {
    const { id } = await app.addKey(talk.accountId, { scopes: ["read"], rpm: 1 });
    const everything = { from: "+1 999 999 9999", contact: "nonsense!", text: "" };
    expect(await talk.sendByKey(id, everything)).toMatchObject({ reason: "scope_missing" });
    const sender = await app.addKey(talk.accountId, { rpm: 1 });
    expect(await talk.sendByKey(sender.id, everything)).toMatchObject({ reason: "not_found" });
    const { from: _, ...rest } = everything;
    expect(await talk.sendByKey(sender.id, rest)).toMatchObject({ reason: "invalid_recipient" });
    expect(await talk.sendByKey(sender.id, { text: "" })).toMatchObject({ reason: "invalid_message" });
    expect(await talk.sendByKey(sender.id, { text: "ok" })).toMatchObject({ outcome: "pending" });
    expect(await talk.sendByKey(sender.id, { text: "ok" })).toMatchObject({ reason: "duplicate_suspected" });
    expect(await talk.sendByKey(sender.id, { text: "other" })).toMatchObject({ reason: "rate_limited" });
    await app.advance(2 * DAY);
    expect(await talk.sendByKey(sender.id, { text: "other" })).toMatchObject({ reason: "window_closed" });
  });
});

describe("idempotency", () => {
  it("gives 20 equal calls at once one answer, one message and one Graph call", async () => {
    const { id } = await app.addKey(talk.accountId);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => talk.sendByKey(id, { clientRequestId: "order-7" })),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await app.advance();
    expect(await talk.outbound()).toHaveLength(1);
    expect(app.graph.sends).toHaveLength(1);
  });

  it("gives the first answer again after the window has closed, and to another spelling of the number", async () => {
    const { id } = await app.addKey(talk.accountId);
    const first = await talk.sendByKey(id, { clientRequestId: "a" });
    await app.advance(23 * HOUR + 59 * 60_000 + 30_000);
    expect(await talk.sendByKey(id, { clientRequestId: "a", contact: "+1 (650) 555-1234" })).toEqual(first);
  });

  it("refuses the same id for another text or another customer", async () => {
    await app.receive("hi", { from: "16505550002" });
    const { id } = await app.addKey(talk.accountId);
    await talk.sendByKey(id, { clientRequestId: "a" });
    expect(await talk.sendByKey(id, { clientRequestId: "a", text: "No!" })).toMatchObject({
      reason: "idempotency_key_reused",
    });
    expect(await talk.sendByKey(id, { clientRequestId: "a", contact: "16505550002" })).toMatchObject({
      reason: "idempotency_key_reused",
    });
  });

  it("keeps the ids of two principals apart", async () => {
    const [one, two] = [await app.addKey(talk.accountId), await app.addKey(talk.accountId)];
    await talk.sendByKey(one.id, { clientRequestId: "a" });
    expect(await talk.sendByKey(two.id, { clientRequestId: "a" })).toMatchObject({ outcome: "pending" });
    expect(await talk.outbound()).toHaveLength(2);
  });

  it("suspects the same text within a minute when no id says otherwise, and names the first message", async () => {
    const { id } = await app.addKey(talk.accountId);
    const first = await talk.sendByKey(id);
    expect(await talk.sendByKey(id)).toMatchObject({
      refused: true,
      reason: "duplicate_suspected",
      message_id: "messageId" in first ? first.messageId : "",
    });
    expect(await talk.sendByKey(id, { clientRequestId: "meant-twice" })).toMatchObject({
      outcome: "pending",
    });
    await app.advance(61_000);
    expect(await talk.sendByKey(id)).toMatchObject({ outcome: "pending" });
  });

  it("validates without leaving a trace", async () => {
    const { id } = await app.addKey(talk.accountId);
    const answer = await talk.sendByKey(id, { validateOnly: true });
    expect(answer).toEqual({
      valid: true,
      conversationId: talk.conversationId,
      windowExpiresAt: START + DAY,
    });
    expect(await talk.outbound()).toEqual([]);
    expect(await app.rows("sendRequests")).toEqual([]);
    expect(await app.backend.query(internal.keysAdmin.usage, { apiKeyId: id })).toEqual({
      minute: { limit: 60, left: 60 },
      day: { limit: 1_000, left: 1_000 },
    });
    await app.advance(DAY);
    expect(await talk.sendByKey(id, { validateOnly: true })).toMatchObject({ reason: "window_closed" });
  });
});
