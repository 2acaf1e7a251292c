import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  closeApp,
  NUMBER,
  START,
  status,
  statusWebhook,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";

let talk: OpenConversation;
let app: App;
beforeEach(async () => {
  talk = await openConversation();
  app = talk.app;
});
afterEach(closeApp);

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
      talk = await openConversation();
      app = talk.app;
      await talk.send(`round ${round}`);
      // A third of the rounds hears of the statuses before it hears of Meta's answer to the send.
      const early = round % 3 === 0 ? order.splice(0, 2) : [];
      for (const report of early) await app.deliver(statusWebhook([report]));
      await app.advance();
      for (const report of [...order, ...early, ...order])
        await app.deliver(statusWebhook([report], NUMBER.phoneNumberId));
      const [message] = await talk.outbound();
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
    await talk.send("Hello");
    await app.deliver(statusWebhook([status("delivered", "wamid.SENT1", at(1))]));
    expect((await app.rows("messageStatuses"))[0]?.parkedUntil).toBeGreaterThan(START);
    await app.advance();
    expect(await talk.shown()).toEqual([["Hello", "delivered", "wamid.SENT1"]]);
    expect((await app.rows("messageStatuses"))[0]?.parkedUntil).toBeUndefined();
  });

  it("show a failure that comes after Meta had accepted the message", async () => {
    await talk.send("Hello");
    await app.advance();
    await app.deliver(
      statusWebhook([status("failed", "wamid.SENT1", at(5), { errors: [{ code: 131047 }] })]),
    );
    expect((await talk.outbound())[0]).toMatchObject({ status: "failed", error: { code: "window_closed" } });
  });

  it("of an unknown kind, and for another account's message, change nothing", async () => {
    await app.addAccount({ name: "Florist", phoneNumberId: "900", phoneNumber: "+15550001111" });
    await talk.send("Hello");
    await app.advance();
    await app.deliver(statusWebhook([status("warning", "wamid.SENT1", at(1))]));
    await app.deliver(statusWebhook([status("read", "wamid.SENT1", at(1))], "900"));
    expect(await talk.shown()).toEqual([["Hello", "sent", "wamid.SENT1"]]);
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
