import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  openApp,
  START,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
let apiKeyId: Id<"apiKeys">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId, { scopes: ["read", "write", "send"] })).id;
});
afterEach(closeApp);

const MINUTE = 60_000;

const state = async () => (await app.rows("consentStates"))[0];
const sendText = (text: string) => app.key(apiKeyId).mutation(api.mcp.sendText, { contact: CUSTOMER, text });

describe("a customer's own words", () => {
  it("STOP as the whole message opts out of marketing, with the message as the proof", async () => {
    await app.deliver(webhook([textMessage({ text: "Stop!", id: "wamid.STOP" })]));
    expect(await state()).toMatchObject({
      marketing: { state: "withdrawn", source: "keyword", at: START },
    });
    expect(await app.rows("consentEntries")).toMatchObject([{ evidence: "wamid.STOP", by: "customer" }]);
    expect(await sendText("You will get no more offers.")).toMatchObject({ outcome: "pending" });
  });

  it("a sentence with the word in it changes nothing", async () => {
    await app.receive("please stop by tomorrow");
    expect(await app.rows("consentEntries")).toEqual([]);
  });

  it("the later of STOP and START counts, in whatever order they arrive", async () => {
    await app.receive("start", { at: START + MINUTE, id: "wamid.B" });
    await app.receive("stop", { at: START, id: "wamid.A" });
    expect((await state())?.marketing).toMatchObject({ state: "granted", at: START + MINUTE });
    expect(await app.rows("consentEntries")).toHaveLength(2);
    await app.receive("stop", { at: START, id: "wamid.A" });
    expect(await app.rows("consentEntries")).toHaveLength(2);
  });
});

describe("a conversation that agents may not write in", () => {
  it.each([
    ["human", "human_in_control"],
    ["paused", "conversation_paused"],
  ] as const)("in mode %s refuses a key with %s and lets a member write", async (mode, reason) => {
    await app.join(accountId, "ana");
    await app.receive("Hello");
    const [conversation] = await app.rows("conversations");
    if (conversation === undefined) throw new Error("no conversation");
    await app.backend.run(async (ctx) => await ctx.db.patch(conversation._id, { mode }));
    expect(await sendText("Hi")).toMatchObject({ refused: true, reason });
    expect(
      await app.user("ana").mutation(api.messages.sendText, {
        accountId,
        conversationId: conversation._id,
        text: "Hi",
        clientRequestId: "r1",
      }),
    ).toMatchObject({ outcome: "pending" });
  });
});
