import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventEnvelope } from "#shared/domain/events";
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
import type { Id } from "./_generated/dataModel";
import { eventsAfter } from "./model/events";

let app: App;
let accountId: Id<"accounts">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
});
afterEach(closeApp);

const envelopes = async (of = accountId, after = 0, limit = 50) =>
  await app.backend.run(async (ctx) =>
    (await eventsAfter(ctx, of, after, limit)).map((row): EventEnvelope => JSON.parse(row.body)),
  );
const names = async (of = accountId) => (await envelopes(of)).map(({ type }) => type);
const echo = (text: string, id: string) => ({
  ...textMessage({ text, id }),
  from: "15550783881",
  to: CUSTOMER,
});
const echoWebhook = (...echoes: object[]) => ({
  entry: [
    {
      id: NUMBER.wabaId,
      changes: [change(NUMBER.phoneNumberId, { message_echoes: echoes }, "smb_message_echoes")],
    },
  ],
});

describe("the stream of events", () => {
  it("tells each fact once, however often its webhook comes", async () => {
    const hello = textMessage({ id: "wamid.A", text: "Hello" });
    await app.deliver(webhook([hello]));
    await app.deliver(webhook([hello, textMessage({ id: "wamid.B" })]));
    await app.deliver(echoWebhook(echo("mine", "wamid.E")));
    const read = status("read", "wamid.E", START);
    await app.deliver(statusWebhook([read]));
    await app.deliver(statusWebhook([read, status("delivered", "wamid.E", START)]));
    expect(await names()).toEqual([
      "message.inbound.received",
      "message.inbound.received",
      "message.outbound.sent",
      "message.status.updated",
      "message.status.updated",
    ]);
  });

  it("is numbered without gaps per account and per conversation, also around a poison item", async () => {
    const other = await app.addAccount({
      name: "Florist",
      phoneNumberId: "900",
      phoneNumber: "+15550001111",
    });
    await app.deliver(webhook([textMessage(), 7, textMessage({ from: "16505550009" }), textMessage()]));
    await app.receive("elsewhere", { phoneNumberId: "900" });
    const events = await envelopes();
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(events.map(({ conversationSeq }) => conversationSeq)).toEqual([1, 1, 2]);
    expect((await envelopes(other)).map(({ seq }) => seq)).toEqual([1]);
  });

  it("holds the message, its contact, its conversation and the number in an envelope that never changes", async () => {
    await app.deliver(webhook([textMessage({ id: "wamid.A", text: "Hello", at: START })]));
    const [event] = await envelopes();
    expect(event).toMatchObject({
      type: "message.inbound.received",
      source: "meta_webhook",
      occurredAt: START,
      accountId,
      version: 1,
      payload: {
        message: { wamid: "wamid.A", text: "Hello", type: "text", direction: "inbound", timestamp: START },
        contact: { name: "Sheena Nelson", phone: "+16505551234" },
        conversation: { windowExpiresAt: START + 86_400_000 },
        number: { phoneNumberId: NUMBER.phoneNumberId },
      },
    });
    expect(event?.id).toMatch(/^evt_[0-9a-f]{32}$/);
    const before = (await app.rows("webhookEvents"))[0];
    await app.receive("later");
    expect((await app.rows("webhookEvents"))[0]).toEqual(before);
  });

  it("tells of a status that came before its message once the message is there", async () => {
    await app.deliver(statusWebhook([status("delivered", "wamid.E", START)]));
    expect(await names()).toEqual([]);
    await app.deliver(echoWebhook(echo("mine", "wamid.E")));
    expect((await names()).sort()).toEqual(["message.outbound.sent", "message.status.updated"]);
  });

  it("can be read on from any number, a page at a time", async () => {
    for (const n of [1, 2, 3]) await app.receive(`${n}`);
    expect((await envelopes(accountId, 1, 1)).map(({ seq }) => seq)).toEqual([2]);
    expect(await envelopes(accountId, 3)).toEqual([]);
  });
});
