import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  change,
  closeApp,
  NUMBER,
  openApp,
  START,
  status,
  statusWebhook,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
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

describe("what WhatsApp says about a customer's wishes", () => {
  const preference = (value: string, at: number) => ({
    object: "whatsapp_business_account",
    entry: [
      {
        id: NUMBER.wabaId,
        changes: [
          change(
            NUMBER.phoneNumberId,
            {
              user_preferences: [
                { wa_id: CUSTOMER, category: "marketing_messages", value, timestamp: at / 1000, detail: "" },
              ],
            },
            "user_preferences",
          ),
        ],
      },
    ],
  });

  it("the switch in the customer's WhatsApp is recorded once, and told once in the account's stream", async () => {
    await app.receive("Hello");
    await app.deliver(preference("stop", START));
    await app.deliver({ ...preference("stop", START), again: true });
    expect((await state())?.marketing).toEqual({ state: "withdrawn", source: "preference", at: START });
    expect(await app.rows("consentEntries")).toHaveLength(1);
    await app.deliver(preference("resume", START + MINUTE));
    expect((await state())?.marketing).toMatchObject({ state: "granted" });
    const told = (await app.rows("webhookEvents")).filter(({ type }) => type === "consent.changed");
    expect(told.map(({ body }) => JSON.parse(body).payload.state)).toEqual(["withdrawn", "granted"]);
  });

  it.each([
    [131050, { marketing: { state: "withdrawn", source: "preference" } }],
    [130403, { all: { state: "withdrawn", source: "block" } }],
  ])("a send that failed with %i teaches the ledger", async (errorCode, expected) => {
    await app.receive("Hello");
    await sendText("Hi");
    await app.advance();
    await app.deliver(
      statusWebhook([status("failed", "wamid.SENT1", START, { errors: [{ code: errorCode }] })]),
    );
    expect(await state()).toMatchObject(expected);
  });
});

describe("what others say for the customer", () => {
  const setConsent = (args: { state: "granted" | "withdrawn"; evidence?: string }) =>
    app.key(apiKeyId).mutation(api.mcp.setConsent, { contact: CUSTOMER, category: "marketing", ...args });

  it("a key cannot opt a customer in against the customer's own word, unless it shows a newer one", async () => {
    await app.receive("an old message", { id: "wamid.OLD", at: START - MINUTE });
    await app.receive("STOP", { id: "wamid.STOP" });
    expect(await setConsent({ state: "granted" })).toMatchObject({ refused: true, reason: "opted_out" });
    expect(await setConsent({ state: "granted", evidence: "wamid.OLD" })).toMatchObject({
      reason: "opted_out",
    });
    expect(await setConsent({ state: "granted", evidence: "wamid.NONE" })).toMatchObject({
      reason: "not_found",
    });
    await app.receive("Yes, send me your offers again", { id: "wamid.NEW", at: START + MINUTE });
    expect(await setConsent({ state: "granted", evidence: "wamid.NEW" })).toMatchObject({
      marketing: { state: "granted", source: "key", at: START + MINUTE },
      entries: [{ evidence: "wamid.NEW", by: `key:${apiKeyId}` }, { evidence: "wamid.STOP" }],
    });
    expect(await setConsent({ state: "withdrawn" })).toMatchObject({ marketing: { state: "withdrawn" } });
  });

  it("a member enters what the customer said elsewhere, under the member's name", async () => {
    await app.join(accountId, "ana");
    await app.receive("Hello");
    const [contact] = await app.rows("contacts");
    if (contact === undefined) throw new Error("no contact");
    expect(
      await app.user("ana").mutation(api.consent.set, {
        accountId,
        contactId: contact._id,
        category: "all",
        state: "withdrawn",
        note: "asked on the telephone",
      }),
    ).toMatchObject({ entries: [{ by: "user:ana", note: "asked on the telephone" }] });
    expect(await sendText("Hi")).toMatchObject({ refused: true, reason: "opted_out" });
  });
});

describe("a block", () => {
  const setBlocked = async (blocked: boolean) => {
    const [contact] = await app.rows("contacts");
    if (contact === undefined) throw new Error("no contact");
    await app.user("ana").mutation(api.consent.setBlocked, { accountId, contactId: contact._id, blocked });
  };
  const blockCalls = () => app.graph.calls.filter(({ url }) => url.pathname.endsWith("/block_users"));
  const answerBlocks = (answer: () => Response) =>
    app.graph.answerAlways(({ url, method }) =>
      method === "GET" ? Response.json({ id: url.pathname.split("/").at(-1) }) : answer(),
    );
  beforeEach(async () => {
    await app.join(accountId, "ana");
    await app.receive("Hello");
  });

  it("stops every send at once and tells WhatsApp; taking it back lets sends go again", async () => {
    answerBlocks(() => Response.json({ block_users: { added_users: [{ input: "+16505551234" }] } }));
    await setBlocked(true);
    expect(await sendText("Hi")).toMatchObject({ refused: true, reason: "blocked" });
    await app.advance();
    expect(blockCalls()).toMatchObject([
      { method: "POST", body: { block_users: [{ user: `+${CUSTOMER}` }] } },
    ]);
    expect((await state())?.remoteBlock).toMatchObject({ wanted: "block", state: "done" });
    await app.advance(MINUTE);
    await setBlocked(false);
    await app.advance();
    expect(blockCalls().at(-1)).toMatchObject({ method: "DELETE" });
    app.graph.answerAlways(undefined);
    expect(await sendText("Hi")).toMatchObject({ outcome: "pending" });
  });

  it("holds here although WhatsApp refuses it, and says what WhatsApp said", async () => {
    answerBlocks(() => Response.json({ error: { message: "no", type: "O", code: 139100 } }, { status: 400 }));
    await setBlocked(true);
    await app.advance();
    expect((await state())?.remoteBlock).toMatchObject({ state: "failed", reason: "graph_139100" });
    expect(await sendText("Hi")).toMatchObject({ reason: "blocked" });
  });

  it("reaches WhatsApp although the worker was lost", async () => {
    answerBlocks(() => Response.json({ block_users: { added_users: [{ input: "+16505551234" }] } }));
    await setBlocked(true);
    await app.cancelScheduled();
    expect(blockCalls()).toEqual([]);
    await app.backend.mutation(internal.consent.sweepPushes, {});
    await app.advance();
    expect((await state())?.remoteBlock).toMatchObject({ state: "done" });
  });
});
