import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, graphError, networkError, START } from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { resumeSending } from "./model/accountEvents";

let talk: OpenConversation;
let app: App;
beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
});
afterEach(closeApp);

/** Customers beside the first one, each with an open window. */
async function customers(count: number): Promise<string[]> {
  const numbers = Array.from({ length: count }, (_, n) => `1650556${String(n).padStart(4, "0")}`);
  for (const from of numbers) await app.receive("Hello", { from });
  return numbers;
}

describe("the rate to one person", () => {
  it("lets 45 messages go at once and then one in six seconds, in order", async () => {
    const { id } = await app.addKey(talk.accountId, { rpm: 1_000 });
    for (let n = 0; n < 48; n++) await talk.sendByKey(id, { text: `line ${n}` });
    await app.advance();
    expect(app.graph.sends).toHaveLength(45);
    await app.advance(5_900);
    expect(app.graph.sends).toHaveLength(45);
    for (const count of [46, 47, 48]) {
      await app.advance(6_000);
      expect(app.graph.sends).toHaveLength(count);
    }
    expect(talk.sentTexts()).toEqual(Array.from({ length: 48 }, (_, n) => `line ${n}`));
  });

  it("refuses one more when a hundred wait, and says when to come back", async () => {
    const { id } = await app.addKey(talk.accountId, { rpm: 1_000 });
    app.graph.answerAlways(() => new Promise<Response>(() => {}));
    for (let n = 0; n < 100; n++) await talk.sendByKey(id, { text: `line ${n}` });
    expect(await talk.sendByKey(id, { text: "one more" })).toMatchObject({
      refused: true,
      reason: "rate_limited",
      retry_after_seconds: 30,
    });
  });
});

describe("a rate that Meta refuses", () => {
  it.each([130429, 80007, 4])(
    "of the number (%i) holds back every conversation, and each keeps its order",
    async (code) => {
      const [other] = await customers(1);
      const { id } = await app.addKey(talk.accountId);
      app.graph.answerNext(graphError(code, 429, { "retry-after": "40" }));
      await talk.send("first");
      await app.advance();
      await talk.send("second");
      await talk.sendByKey(id, { contact: `+${other}`, text: "elsewhere" });
      await app.advance(39_000);
      expect(talk.sentTexts()).toEqual(["first"]);
      await app.advance(2_000);
      expect(talk.sentTexts().slice(1).sort()).toEqual(["elsewhere", "first", "second"]);
      expect(talk.sentTexts().indexOf("second")).toBeGreaterThan(talk.sentTexts().lastIndexOf("first"));
      expect(new Set((await talk.shown()).map(([, state]) => state))).toEqual(new Set(["sent"]));
    },
  );

  it("of the number doubles its pause when it is refused again", async () => {
    app.graph.answerNext(
      graphError(130429, 429, { "retry-after": "10" }),
      graphError(130429, 429, { "retry-after": "10" }),
    );
    await talk.send("first");
    await app.advance();
    await app.advance(10_000);
    expect(app.graph.sends).toHaveLength(2);
    await app.advance(19_000);
    expect(app.graph.sends).toHaveLength(2);
    await app.advance(1_000);
    expect(await talk.shown()).toEqual([["first", "sent", "wamid.SENT1"]]);
  });

  it("of the pair holds back that conversation only", async () => {
    const [other] = await customers(1);
    const { id } = await app.addKey(talk.accountId);
    app.graph.answerNext(graphError(131056));
    await talk.send("first");
    await app.advance();
    await talk.sendByKey(id, { contact: `+${other}`, text: "elsewhere" });
    await app.advance();
    expect(talk.sentTexts()).toEqual(["first", "elsewhere"]);
    await app.advance(2_000);
    expect(talk.sentTexts()).toEqual(["first", "elsewhere", "first"]);
  });
});

describe("an access token that Meta no longer takes", () => {
  it.each([190, 102, 0])(
    "(%i) stops the queue of the account, says so, and a new one lets it go on",
    async (code) => {
      const [other] = await customers(1);
      const { id } = await app.addKey(talk.accountId);
      app.graph.answerNext(graphError(code, 401));
      await talk.send("first");
      await talk.send("second");
      await talk.sendByKey(id, { contact: `+${other}`, text: "elsewhere" });
      await app.startDue();
      await app.advance();
      const [account] = await app.rows("accounts");
      expect(account?.sending).toEqual({ state: "paused", reason: "token_invalid", at: START });
      const waiting = (await talk.outbound()).filter(({ status }) => status === "queued");
      // The two conversations leave side by side: either may be the one that Meta refuses.
      const failed = (await talk.outbound()).filter(({ status }) => status === "failed");
      expect(failed).toMatchObject([{ error: { code: "whatsapp_auth" } }]);
      expect(["first", "elsewhere"]).toContain(failed[0]?.text);
      expect(waiting.map(({ text }) => text)).toContain("second");
      expect(await talk.send("third")).toMatchObject({
        reason: "sending_paused",
        next_step: expect.any(String),
      });
      const lines = (await app.rows("auditLog")).filter(({ action }) => action === "account.sending");
      expect(lines).toMatchObject([{ outcome: "paused:token_invalid" }]);
      const before = app.graph.sends.length;
      await app.advance(3_600_000);
      expect(app.graph.sends).toHaveLength(before);

      await app.backend.run(async (ctx) => {
        await resumeSending(ctx, talk.accountId, Date.now(), "token_invalid");
      });
      await app.advance();
      expect(app.graph.sends).toHaveLength(before + waiting.length);
      expect((await talk.outbound()).filter(({ status }) => status === "queued")).toEqual([]);
    },
  );

  it("does not blame a token that was replaced while the request was on its way", async () => {
    let answer = (_: Response): void => {};
    const later = new Promise<Response>((resolve) => {
      answer = resolve;
    });
    app.graph.answerNext(() => later);
    await talk.send("first");
    await app.startDue();
    await app.backend.run(async (ctx) => {
      await ctx.db.patch(talk.accountId, { sending: { state: "active", at: START } });
    });
    answer(Response.json({ error: { code: 190, message: "expired" } }, { status: 401 }));
    await app.advance();
    expect((await app.rows("accounts"))[0]?.sending?.state).toBe("active");
  });
});

describe("what is asked again when a send leaves", () => {
  const held = async (text: string, args: { byKey?: boolean } = {}) => {
    app.graph.answerNext(networkError("ECONNREFUSED"));
    const { id } = await app.addKey(talk.accountId);
    await (args.byKey === true ? talk.sendByKey(id, { text }) : talk.send(text));
    await app.advance();
    return id;
  };
  const outcome = async () => {
    await app.advance(60_000);
    expect(app.graph.sends).toHaveLength(1);
    return (await talk.outbound())[0]?.error?.code;
  };

  it("whether the customer is blocked", async () => {
    await held("Hello");
    await app.backend.run(async (ctx) => {
      const conversation = await ctx.db.get(talk.conversationId);
      if (conversation === null) throw new Error("The conversation is gone.");
      const all = { state: "withdrawn" as const, source: "block" as const, at: START };
      await ctx.db.insert("consentStates", {
        accountId: talk.accountId,
        contactId: conversation.contactId,
        all,
      });
    });
    expect(await outcome()).toBe("blocked");
  });

  it("whether a person has taken the conversation from agents", async () => {
    await held("Hello", { byKey: true });
    await app.backend.run(async (ctx) => await ctx.db.patch(talk.conversationId, { mode: "human" }));
    expect(await outcome()).toBe("human_in_control");
  });

  it.each([
    ["has ended", { expiresAt: START }],
    ["no longer has the number", { grantedAccountIds: [] }],
  ])("whether the key %s", async (_, change) => {
    const id = await held("Hello", { byKey: true });
    await app.backend.run(async (ctx) => await ctx.db.patch(id, change));
    expect(await outcome()).toBe("unauthorized");
  });

  it("whether the account still works", async () => {
    await held("Hello");
    await app.backend.run(async (ctx) => await ctx.db.patch(talk.accountId, { state: "disabled" }));
    expect(await outcome()).toBe("not_found");
  });
});
