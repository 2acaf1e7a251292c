import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readWebhookBody } from "#shared/whatsapp/webhook";
import { type Bench, NUMBER, type Received, SHEENA, startBench, startReceiver, WABA } from "./test-support";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

const inbound = (more: object = {}) =>
  bench.control("inbound", { from: SHEENA, type: "text", text: "Hello", ...more });
async function firstWebhook(): Promise<Received> {
  const [first] = await bench.receiver.arrived(1);
  if (first === undefined) throw new Error("No webhook has arrived.");
  return first;
}
const hmac = (algorithm: string, secret: string, bytes: Buffer) =>
  createHmac(algorithm, secret).update(bytes).digest("hex");
const statusesOf = (received: readonly Received[]) =>
  received.flatMap(({ bytes }) =>
    readWebhookBody(bytes).items.flatMap((item) => (item.kind === "status" ? [item] : [])),
  );

test("a webhook is signed over its raw bytes, which are ASCII", async () => {
  await inbound({ text: "café 😀 \u0000 /" });
  const { headers, bytes } = await firstWebhook();
  expect(headers["x-hub-signature-256"]).toBe(`sha256=${hmac("sha256", "sim-app-secret", bytes)}`);
  expect(headers["x-hub-signature"]).toBe(`sha1=${hmac("sha1", "sim-app-secret", bytes)}`);
  expect(headers["content-type"]).toBe("application/json");
  expect(bytes.toString("latin1")).toMatch(/^[\x20-\x7e]+$/);
  expect(bytes.toString()).toContain("caf\\u00e9 \\ud83d\\ude00 \\u0000");
});

test("an inbound text has the documented shape and nothing else", async () => {
  const { body } = await inbound();
  const { bytes } = await firstWebhook();
  expect(body).toEqual({
    messageId: expect.stringMatching(/^wamid\./),
    deliveries: [{ url: bench.receiver.url, status: 200, ms: expect.any(Number) }],
  });
  expect(JSON.parse(bytes.toString())).toEqual({
    object: "whatsapp_business_account",
    entry: [
      {
        id: WABA,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: NUMBER },
              contacts: [
                {
                  profile: { name: "Sheena Nelson" },
                  wa_id: "16505551234",
                  user_id: "US.13491208655302741918",
                },
              ],
              messages: [
                {
                  from: "16505551234",
                  from_user_id: "US.13491208655302741918",
                  id: body.messageId,
                  timestamp: expect.stringMatching(/^\d{10}$/),
                  type: "text",
                  text: { body: "Hello" },
                },
              ],
            },
          },
        ],
      },
    ],
  });
});

test("a hidden number is left out everywhere", async () => {
  await bench.control("inbound", { from: "@noor.studio", type: "text", text: "Hi" });
  const { bytes } = await firstWebhook();
  expect(bytes.toString()).not.toContain('31612345678"');
  const [item] = readWebhookBody(bytes).items;
  expect(item).toMatchObject({
    customer: { userId: expect.stringMatching(/^NL\./), name: "Noor", username: "noor.studio" },
  });
});

test("a reply inside the window is sent, delivered and read, in this order, each with our callback data", async () => {
  await inbound();
  const sent = await bench.send({ type: "text", text: { body: "x" }, biz_opaque_callback_data: "p1:a:1" });
  const statuses = statusesOf(await bench.receiver.arrived(4));
  expect(statuses.map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  for (const status of statuses) {
    expect(status).toMatchObject({
      wamid: sent.body.messages[0]?.id,
      callbackData: "p1:a:1",
      recipient: { waId: "16505551234" },
    });
  }
  expect(statuses.map(({ pricing }) => pricing?.category)).toEqual(["service", "service", undefined]);
});

test.each([
  ["no read receipts", "+4915112345678", ["sent", "delivered"]],
  ["a phone that is off", "+447700900123", ["sent"]],
])("with %s the statuses end early", async (_, from, expected) => {
  await bench.control("inbound", { from, type: "text", text: "Hi" });
  await bench.send({ to: from, text: { body: "x" } });
  await bench.control("clock", { advanceMs: 60_000 });
  expect(statusesOf(bench.receiver.received).map(({ status }) => status)).toEqual(expected);
});

test("a phone that comes back gets what waited for it", async () => {
  await bench.control("inbound", { from: "+447700900123", type: "text", text: "Hi" });
  await bench.send({ to: "+447700900123", text: { body: "x" } });
  await bench.control("clock", { advanceMs: 60_000 });
  await bench.control("customers", { phone: "+447700900123", online: true });
  await bench.control("clock", { advanceMs: 60_000 });
  expect(statusesOf(bench.receiver.received).map(({ status }) => status)).toEqual([
    "sent",
    "delivered",
    "read",
  ]);
});

test("a reaction is only ever sent", async () => {
  const { body } = await inbound();
  await bench.send({ type: "reaction", reaction: { message_id: body.messageId, emoji: "👍" } });
  await bench.control("clock", { advanceMs: 60_000 });
  expect(statusesOf(bench.receiver.received).map(({ status }) => status)).toEqual(["sent"]);
});

describe("an accepted message fails later", () => {
  const failure = async () => {
    await bench.control("clock", { advanceMs: 1_000 });
    return statusesOf(bench.receiver.received).map(({ status, errors }) => [status, errors[0]?.code]);
  };

  test("outside the window", async () => {
    expect((await bench.send()).status).toBe(200);
    expect(await failure()).toEqual([["failed", 131047]]);
  });

  test("once the window has closed, to the second", async () => {
    await inbound();
    await bench.control("clock", { advanceMs: 24 * 3_600_000 });
    await bench.send();
    expect(await failure()).toEqual([["failed", 131047]]);
  });

  test("to a number that is not on WhatsApp", async () => {
    await bench.send({ to: "+16505550000", text: { body: "x" } });
    expect(await failure()).toEqual([["failed", 131026]]);
  });

  test("as a reaction to a message that does not exist", async () => {
    await inbound();
    await bench.send({ type: "reaction", reaction: { message_id: "wamid.X", emoji: "👍" } });
    expect(await failure()).toEqual([["failed", 131009]]);
  });

  test("but a template reaches a customer outside the window", async () => {
    await bench.send({ type: "template", template: { name: "hello_world", language: { code: "en_US" } } });
    expect(await failure()).toEqual([
      ["sent", undefined],
      ["delivered", undefined],
      ["read", undefined],
    ]);
  });
});

describe("a webhook that is not answered with 200", () => {
  test("is repeated with the same bytes until it is", async () => {
    bench.receiver.answer = (nth) => [500, 204, 302][nth - 1] ?? 200;
    expect((await inbound()).body.deliveries).toMatchObject([{ status: 500 }]);
    await bench.control("clock", { advanceMs: 3_600_000 });
    const { deliveries } = (await bench.control("deliveries")).body;
    expect(deliveries.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 500],
      [2, 204],
      [3, 302],
      [4, 200],
    ]);
    expect(new Set(bench.receiver.received.map(({ bytes }) => bytes.toString())).size).toBe(1);
  });

  test("is given up after a week", async () => {
    bench.receiver.answer = () => 500;
    await inbound();
    await bench.control("clock", { advanceMs: 9 * 86_400_000 });
    const count = bench.receiver.received.length;
    expect(count).toBeGreaterThan(8);
    await bench.control("clock", { advanceMs: 30 * 86_400_000 });
    expect(bench.receiver.received).toHaveLength(count);
  });

  test("is recorded when nobody listens", async () => {
    await bench.receiver.close();
    expect((await inbound()).body.deliveries).toMatchObject([{ status: null }]);
    const [first] = (await bench.control("deliveries")).body.deliveries;
    expect(first).toMatchObject({
      n: 1,
      attempt: 1,
      status: null,
      error: expect.stringContaining("could not be reached"),
    });
  });
});

describe("subscribing", () => {
  test("needs a callback that gives the challenge back for the right token", async () => {
    const other = await startReceiver("their-token");
    const subscribe = (verify_token: string) =>
      bench.graph(`/${WABA}/subscribed_apps`, { override_callback_uri: other.url, verify_token });
    try {
      expect((await subscribe("wrong")).body.error).toMatchObject({
        code: 2200,
        message: expect.stringContaining("403"),
      });
      expect((await subscribe("their-token")).body).toEqual({ success: true });
      await inbound();
      await other.arrived(1);
      expect(bench.receiver.received).toHaveLength(0);
      expect((await bench.graph(`/${WABA}/subscribed_apps`)).body.data[0]).toMatchObject({
        override_callback_uri: other.url,
      });
      expect((await bench.graph(`/${WABA}/subscribed_apps`, {})).body).toEqual({ success: true });
      await inbound();
      await bench.receiver.arrived(1);
    } finally {
      await other.close();
    }
  });

  test("of the app replaces the callback", async () => {
    const other = await startReceiver();
    const body = {
      object: "whatsapp_business_account",
      callback_url: other.url,
      verify_token: "sim-verify-token",
    };
    try {
      expect(
        (await bench.graph("/670843887433847/subscriptions", { ...body, object: "page" })).body.error.code,
      ).toBe(100);
      expect((await bench.graph("/670843887433847/subscriptions", body)).body).toEqual({ success: true });
      await inbound();
      await other.arrived(1);
    } finally {
      await other.close();
    }
  });

  test("can be ended: then nothing is sent", async () => {
    await bench.graph(`/${WABA}/subscribed_apps`, undefined, { method: "DELETE" });
    expect((await inbound()).body.deliveries).toEqual([]);
    expect((await bench.graph(`/${WABA}/subscribed_apps`)).body).toEqual({ data: [] });
  });
});
