import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, graphError, networkError } from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { api, internal } from "./_generated/api";

let talk: OpenConversation;
let app: App;
beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
});
afterEach(closeApp);

const read = (more: { typing?: boolean } = {}) => {
  const { accountId, conversationId } = talk;
  return app.user("ana").mutation(api.messages.markAsRead, { accountId, conversationId, ...more });
};
const wamids = () => app.graph.reads.map((body) => body["message_id"]);
const newest = async () => (await app.rows("messages")).at(-1)?.wamid;

describe("a read receipt", () => {
  it("tells WhatsApp of the customer's newest message, once", async () => {
    await app.receive("One more thing");
    expect(await read()).toMatchObject({ outcome: "pending" });
    expect(await read()).toMatchObject({ outcome: "pending" });
    await app.advance();
    expect(app.graph.reads).toEqual([
      { messaging_product: "whatsapp", status: "read", message_id: await newest() },
    ]);
    expect(await read()).toMatchObject({ outcome: "accepted" });
    await app.advance();
    expect(app.graph.reads).toHaveLength(1);
    await app.receive("And another");
    await read();
    await app.advance();
    expect(wamids()).toHaveLength(2);
    expect(wamids().at(-1)).toBe(await newest());
    expect(await talk.outbound()).toEqual([]);
  });

  it("is not a key's that only reads, whatever its scopes are", async () => {
    const { id } = await app.addKey(talk.accountId, {
      scopes: ["read", "write", "send"],
      direction: "inbound",
    });
    const marked = await app.key(id).mutation(api.mcp.markAsRead, { contact: CUSTOMER, typing: true });
    expect(marked).toMatchObject({ refused: true, reason: "scope_missing" });
    await app.advance();
    expect(app.graph.reads).toEqual([]);
  });

  it("shows typing for as long as the phone does, and no longer than somebody types", async () => {
    await read({ typing: true });
    await app.advance();
    await read({ typing: true });
    await app.advance(20_000);
    expect(app.graph.reads.map(({ typing_indicator }) => typing_indicator)).toEqual([{ type: "text" }]);
    await app.advance(5_000);
    await read({ typing: true });
    await app.cancelScheduled();
    await app.advance(30_000);
    await app.backend.mutation(internal.readMarks.sweep, {});
    await app.advance();
    expect(app.graph.reads.map(({ typing_indicator }) => typing_indicator)).toEqual([
      { type: "text" },
      undefined,
    ]);
  });

  it("is told again after a disturbance, and given up after four attempts or a refusal", async () => {
    app.graph.answerNextRead(networkError("ECONNRESET"), graphError(2, 503));
    await read();
    for (let wait = 0; wait < 4; wait++) await app.advance(10_000);
    expect(app.graph.reads).toHaveLength(3);
    expect(await app.rows("readMarks")).toMatchObject([{ open: false, markedWamid: await newest() }]);
    await app.receive("Hello?");
    app.graph.answerNextRead(...Array.from({ length: 9 }, () => networkError("ECONNRESET")));
    await read();
    for (let wait = 0; wait < 6; wait++) await app.advance(10_000);
    expect(app.graph.reads).toHaveLength(7);
  });

  it("survives a lost worker, and a message that came while it was told is told next", async () => {
    await read();
    await app.cancelScheduled();
    const [mark] = await app.rows("readMarks");
    if (mark === undefined) throw new Error("Nothing was asked for.");
    const lost = { markId: mark._id, claimToken: "lost" };
    expect(await app.backend.mutation(internal.readMarks.claim, lost)).toMatchObject({ wamid: mark.wamid });
    await app.receive("While you read");
    await read();
    await app.advance(36_000);
    await app.backend.mutation(internal.readMarks.sweep, {});
    await app.advance();
    expect(wamids()).toEqual([await newest()]);
    const late = { ...lost, report: { wamid: mark.wamid, typing: false, outcome: "told" as const } };
    await app.backend.mutation(internal.readMarks.settle, late);
    expect(await app.rows("readMarks")).toMatchObject([{ markedWamid: await newest() }]);
  });

  it("follows a member's look only where the account wants it", async () => {
    const { accountId, conversationId } = talk;
    const see = () => app.user("ana").mutation(api.conversations.markSeen, { accountId, conversationId });
    await see();
    await app.advance();
    expect(app.graph.reads).toEqual([]);
    await app.backend.run(async (ctx) => {
      await ctx.db.insert("accountRules", { accountId, sendsReadReceipts: true });
    });
    await see();
    await see();
    await app.advance();
    expect(app.graph.reads).toHaveLength(1);
  });

  it("of a key needs the scope write, a conversation, and agents at work in it", async () => {
    const contact = `+${CUSTOMER}`;
    const { id: sender } = await app.addKey(talk.accountId, { scopes: ["read", "send"] });
    const { id: writer } = await app.addKey(talk.accountId, { scopes: ["write"] });
    const mark = (id: string, args = { contact }) => app.key(id).mutation(api.mcp.markAsRead, args);
    expect(await mark(sender)).toMatchObject({ reason: "scope_missing" });
    expect(await mark(writer, { contact: "@nobody" })).toMatchObject({ reason: "not_found" });
    await app.backend.run(async (ctx) => await ctx.db.patch(talk.conversationId, { mode: "human" }));
    expect(await mark(writer)).toMatchObject({ reason: "human_in_control" });
    await app.backend.run(async (ctx) => await ctx.db.patch(talk.conversationId, { mode: "agent" }));
    expect(await mark(writer)).toMatchObject({ outcome: "pending" });
  });
});
