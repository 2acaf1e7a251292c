import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, openApp } from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
let apiKeyId: Id<"apiKeys">;
let conversationId: Id<"conversations">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId, { scopes: ["read", "write", "send"] })).id;
  await app.join(accountId, "ana", "admin");
  await app.receive("Hello");
  conversationId = (await conversation())._id;
});
afterEach(closeApp);

const MINUTE = 60_000;

const conversation = async () => {
  const [row] = await app.rows("conversations");
  if (row === undefined) throw new Error("no conversation");
  return row;
};
const agentSays = (text: string) => app.key(apiKeyId).mutation(api.mcp.sendText, { contact: CUSTOMER, text });
const memberSays = (text: string) =>
  app.user("ana").mutation(api.messages.sendText, {
    accountId,
    conversationId,
    text,
    clientRequestId: text.replaceAll(" ", "-"),
  });
const setMode = (mode: "agent" | "human" | "paused") =>
  app.user("ana").mutation(api.conversations.setMode, { accountId, conversationId, mode });
const setRules = (rules: (typeof api.accountRules.set)["_args"]["rules"]) =>
  app.user("ana").mutation(api.accountRules.set, { accountId, rules });

describe("the mode of a conversation", () => {
  it.each([
    ["human", "human_in_control"],
    ["paused", "conversation_paused"],
  ] as const)("%s refuses a key with %s and lets a member write", async (mode, reason) => {
    await setMode(mode);
    expect(await agentSays("Hi")).toMatchObject({ refused: true, reason });
    expect(await memberSays("Hi")).toMatchObject({ outcome: "pending" });
    await setMode("agent");
    expect(await agentSays("Hi")).toMatchObject({ outcome: "pending" });
  });

  it("is given to people by an agent, with a reason and a summary that members read", async () => {
    const handOff = () =>
      app.key(apiKeyId).mutation(api.mcp.handoffToHuman, {
        contact: CUSTOMER,
        reason: "asks for a refund",
        summary: "Order 12 arrived broken.",
      });
    expect(await handOff()).toEqual({ conversationId, mode: "human", changed: true });
    expect(await agentSays("Hi")).toMatchObject({ reason: "human_in_control" });
    expect(
      await app.user("ana").query(api.conversations.handoffs, { accountId, conversationId }),
    ).toMatchObject([
      { reason: "asks for a refund", summary: "Order 12 arrived broken.", by: `key:${apiKeyId}` },
    ]);
    expect(await handOff()).toMatchObject({ mode: "human", changed: false });
    const told = (await app.rows("webhookEvents")).filter(({ type }) => type === "conversation.updated");
    expect(told.map(({ body }) => JSON.parse(body).payload)).toMatchObject([
      { cause: "handOff", conversation: { mode: "human", previousMode: "agent" } },
    ]);
  });

  it("is given away by an agent, and never taken back or out of people's hands", async () => {
    const update = async (change: { mode?: "human" | "paused"; archived?: boolean }) =>
      await app.key(apiKeyId).mutation(api.mcp.updateConversation, { contact: CUSTOMER, ...change });
    expect(await update({ mode: "paused" })).toMatchObject({ mode: "paused" });
    expect(await agentSays("Hi")).toMatchObject({ reason: "conversation_paused" });
    expect(await update({ mode: "human", archived: true })).toMatchObject({ mode: "human" });
    expect((await conversation()).archived).toBe(true);
    const refused = { refused: true, reason: "human_in_control" };
    expect(await update({ mode: "paused", archived: false })).toMatchObject(refused);
    expect((await conversation()).archived).toBe(true);
    expect(await update({ mode: "human" })).toMatchObject({ mode: "human" });
    const told = (await app.rows("auditLog")).filter(({ action }) => action === "conversation.mode");
    expect(told.map(({ outcome, principal }) => [outcome, principal])).toEqual([
      ["paused", `key:${apiKeyId}`],
      ["human", `key:${apiKeyId}`],
    ]);
  });

  it("goes back to agents after the time that the account sets, counted from the member's last reply", async () => {
    await setRules({ handBackMinutes: 30, memberReplyTakesOver: true });
    await memberSays("I am looking into it.");
    expect(await agentSays("Hi")).toMatchObject({ reason: "human_in_control" });
    await app.advance(20 * MINUTE);
    await memberSays("Still looking.");
    await app.advance(20 * MINUTE);
    expect((await conversation()).mode).toBe("human");
    await app.advance(10 * MINUTE);
    expect(await conversation()).toMatchObject({ mode: "agent" });
    expect(await conversation()).not.toHaveProperty("handBackAt");
    expect(await agentSays("Hi")).toMatchObject({ outcome: "pending" });
  });

  it("of a new conversation is the one that the account sets", async () => {
    await setRules({ defaultMode: "paused" });
    await app.deliver({
      object: "whatsapp_business_account",
      entry: [
        {
          id: "102290129340398",
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: { phone_number_id: "106540352242922" },
                messages: [
                  {
                    from: "4915112345678",
                    id: "wamid.N",
                    timestamp: "1793613600",
                    type: "text",
                    text: { body: "Hi" },
                  },
                ],
              },
            },
          ],
        },
      ],
    });
    expect((await app.rows("conversations")).map(({ mode }) => mode)).toEqual(["agent", "paused"]);
  });
});

describe("the archive", () => {
  it("takes a conversation in and out, for members and keys, and a customer who writes takes it out", async () => {
    await app
      .user("ana")
      .mutation(api.conversations.setArchived, { accountId, conversationId, archived: true });
    expect(await conversation()).toMatchObject({ archived: true });
    await app.receive("Are you there?");
    expect((await conversation()).archived).toBe(false);
    const update = (archived: boolean) =>
      app.key(apiKeyId).mutation(api.mcp.updateConversation, { contact: CUSTOMER, archived });
    expect(await update(true)).toHaveProperty("archivedAt");
    expect(await update(false)).not.toHaveProperty("archivedAt");
  });
});

describe("the account's rules", () => {
  it.each([
    [{ optOutWords: ["!!"] }, "optOutWords"],
    [{ handBackMinutes: 0 }, "handBackMinutes"],
    [{ retention: { rawBodyDays: -1 } }, "rawBodyDays"],
    [{ retention: { auditDays: 3 } }, "auditDays"],
  ])("%o are refused, naming the field", async (rules, field) => {
    await expect(setRules(rules)).rejects.toMatchObject({ data: { code: "invalid_request", field } });
  });
});
