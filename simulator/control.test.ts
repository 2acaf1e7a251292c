import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readWebhookBody } from "#shared/whatsapp/webhook";
import { type Bench, SHEENA, startBench } from "./test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  bench.receiver.received.length = 0;
  await bench.control("reset", { seed: "1" });
});
afterAll(() => bench.close());

test("the start state is the documented one", async () => {
  const { body } = await bench.control("state");
  expect(body.app).toMatchObject({
    appSecret: "sim-app-secret",
    verifyToken: "sim-verify-token",
    accessToken: "sim-access-token",
  });
  expect(body.wabas.map(({ id }) => id)).toEqual(["102290129340398"]);
  expect(body.numbers).toMatchObject([{ id: "106540352242922", displayPhoneNumber: "+1 555-078-3881" }]);
  expect(body.customers[0]).toMatchObject({ name: "Sheena Nelson", phone: SHEENA, windows: [] });
  expect(body.templates.filter(({ status }) => status === "APPROVED")).toHaveLength(3);
  expect(body).toMatchObject({
    messages: [],
    media: [],
    faults: [],
    subscriptions: [{ url: bench.receiver.url }],
  });
});

describe("reset", () => {
  const story = async (seed?: string) => {
    await bench.control("reset", seed === undefined ? {} : { seed });
    const first = await bench.control("inbound", { from: SHEENA, type: "image" });
    const sent = await bench.send();
    const { body } = await bench.control("state");
    return JSON.stringify([
      first.body.messageId,
      sent.body,
      body.media.map(({ id }) => id),
      body.customers[1]?.userId,
    ]);
  };

  test("with the same seed gives the same ids, with another one others", async () => {
    const first = await story("seven");
    expect(await story("seven")).toBe(first);
    expect(await story()).toBe(first);
    expect(await story("eight")).not.toBe(first);
  });

  test("forgets messages, logs, faults, the clock and what was planned", async () => {
    await bench.control("inbound", { from: SHEENA, type: "text", text: "x" });
    await bench.control("faults", { effect: { kind: "drop" } });
    await bench.send();
    await bench.control("clock", { advanceMs: 86_400_000 });
    await bench.send();
    await bench.control("reset", {});
    bench.receiver.received.length = 0;
    await bench.control("clock", { advanceMs: 60_000 });
    expect(bench.receiver.received).toEqual([]);
    expect((await bench.control("requests")).body).toEqual({ requests: [] });
    expect((await bench.control("deliveries")).body).toEqual({ deliveries: [] });
    const { body } = await bench.control("state");
    expect(body).toMatchObject({ messages: [], faults: [] });
    expect(Math.abs(body.clock.now - Date.now() - 60_000)).toBeLessThan(5_000);
  });
});

describe("inbound", () => {
  const act = (body: object) => bench.control("inbound", { from: SHEENA, ...body });
  const contentOf = async (body: object) => {
    expect(await act(body)).toMatchObject({ status: 200, body: { deliveries: [{ status: 200 }] } });
    const [item] = readWebhookBody(bench.receiver.received.at(-1)?.bytes ?? "").items;
    return item?.kind === "message" ? item.content : item;
  };

  test.each([
    ["text, flat", { type: "text", body: "Hi" }, { type: "text", text: "Hi" }],
    ["text, short", { type: "text", text: "Hi" }, { type: "text", text: "Hi" }],
    ["text, as Meta writes it", { type: "text", text: { body: "Hi" } }, { type: "text", text: "Hi" }],
    ["image", { type: "image", caption: "Look" }, { type: "image", mimeType: "image/png", caption: "Look" }],
    [
      "image, as Meta writes it",
      { type: "image", image: { caption: "Look" } },
      { type: "image", caption: "Look" },
    ],
    ["audio", { type: "audio" }, { type: "audio", mimeType: "audio/mpeg" }],
    ["voice", { type: "voice" }, { type: "voice", mimeType: "audio/ogg; codecs=opus" }],
    ["audio that is a voice message", { type: "audio", audio: { voice: true } }, { type: "voice" }],
    ["video", { type: "video" }, { type: "video", mimeType: "video/mp4" }],
    [
      "document",
      { type: "document", filename: "a.pdf" },
      { type: "document", mimeType: "application/pdf", filename: "a.pdf" },
    ],
    ["sticker", { type: "sticker" }, { type: "sticker", mimeType: "image/webp", animated: false }],
    [
      "reaction",
      { type: "reaction", messageId: "wamid.X", emoji: "👍" },
      { type: "reaction", targetWamid: "wamid.X", emoji: "👍" },
    ],
    [
      "removed reaction",
      { type: "reaction", reaction: { message_id: "wamid.X", emoji: "" } },
      { type: "reaction", emoji: null },
    ],
    [
      "location",
      { type: "location", location: { latitude: 1, longitude: 2, name: "Dam" } },
      { type: "location", latitude: 1, name: "Dam" },
    ],
    ["button", { type: "button", text: "Thanks" }, { type: "button", text: "Thanks", payload: "Thanks" }],
    [
      "reply button",
      { type: "button_reply", reply_id: "b", title: "Yes" },
      { type: "interactive", reply: "button_reply", id: "b", title: "Yes" },
    ],
    [
      "list choice, as Meta writes it",
      { type: "interactive", interactive: { type: "list_reply", list_reply: { id: "r", title: "Two" } } },
      { type: "interactive", reply: "list_reply", id: "r", title: "Two" },
    ],
    ["unsupported", { type: "unsupported", label: "poll" }, { type: "unsupported", label: "poll" }],
    [
      "raw",
      { type: "raw", message: { type: "hologram", hologram: {} } },
      { type: "other", label: "hologram" },
    ],
    ["contacts", { type: "contacts", contacts: [{ name: { formatted_name: "Ana" } }] }, { type: "contacts" }],
    [
      "revoke",
      { type: "revoke", revoke: { original_message_id: "wamid.O" } },
      { type: "revoke", originalWamid: "wamid.O" },
    ],
  ])("%s arrives as such", async (_, body, expected) => {
    expect(await contentOf(body)).toMatchObject(expected);
  });

  test("files can be fetched by the id in the webhook, with the given bytes", async () => {
    const content = await contentOf({
      type: "document",
      data: Buffer.from("hello").toString("base64"),
      mime_type: "text/plain",
    });
    expect(content).toMatchObject({
      mimeType: "text/plain",
      sha256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    });
    const { body } = await bench.graph(`/${content && "mediaId" in content ? content.mediaId : ""}`);
    const download = await fetch(body.url, { headers: { authorization: "Bearer sim-access-token" } });
    expect(await download.text()).toBe("hello");
  });

  test("an unknown phone becomes a customer, a known one may change its name", async () => {
    await bench.control("inbound", {
      from: "+44 7700 900456",
      name: "Tom",
      username: "@tom.k",
      type: "text",
      text: "x",
    });
    await act({ name: "Sheena N.", type: "text", text: "x" });
    const { customers } = (await bench.control("state")).body;
    expect(customers[0]?.name).toBe("Sheena N.");
    expect(customers.at(-1)).toMatchObject({ phone: "+447700900456", name: "Tom", username: "tom.k" });
  });

  test("a quote, a time and an id can be given", async () => {
    await act({ id: "wamid.MINE", timestamp: 1749416383, reply_to: "wamid.Q", type: "text", text: "x" });
    const [item] = readWebhookBody(bench.receiver.received[0]?.bytes ?? "").items;
    expect(item).toMatchObject({
      wamid: "wamid.MINE",
      timestampMs: 1_749_416_383_000,
      context: { wamid: "wamid.Q", from: "15550783881" },
    });
  });

  test("a message opens the window by its own time, a notice from WhatsApp does not", async () => {
    await act({ type: "system", system: { type: "user_changed_number" } });
    expect((await bench.control("state")).body.customers[0]?.windows).toEqual([]);
    await act({ type: "text", text: "x", timestamp: 1749416383 });
    expect((await bench.control("state")).body.customers[0]?.windows).toEqual([
      { numberId: "106540352242922", expiresAt: 1_749_416_383_000 + 86_400_000 },
    ]);
  });
});

describe("webhook sends these very bytes", () => {
  test.each(["valid", "invalid", "missing", "old"])("with a signature that is %s", async (signature) => {
    const payload = '{"a":"é", "b" : 1}';
    expect((await bench.control("webhook", { payload, signature })).body).toMatchObject({
      deliveries: [{ status: 200 }],
    });
    const [received] = bench.receiver.received;
    expect(received?.bytes.toString()).toBe(payload);
    expect(received?.headers["x-hub-signature-256"] === undefined).toBe(signature === "missing");
  });

  test("or an object as Meta would write it", async () => {
    await bench.control("webhook", { payload: { a: "é" } });
    expect(bench.receiver.received[0]?.bytes.toString()).toBe('{"a":"\\u00e9"}');
  });
});

describe("status", () => {
  test("makes a webhook now, with the error that was asked for", async () => {
    const sent = await bench.send();
    const messageId = sent.body.messages[0]?.id;
    await bench.control("clock", { advanceMs: 1000 });
    bench.receiver.received.length = 0;
    await bench.control("status", { messageId, status: "delivered" });
    await bench.control("status", {
      messageId,
      status: "failed",
      error: { code: 131053, title: "Media upload error" },
    });
    const items = bench.receiver.received.flatMap(({ bytes }) => readWebhookBody(bytes).items);
    expect(items).toMatchObject([
      { status: "delivered", errors: [] },
      { status: "failed", errors: [{ code: 131053, title: "Media upload error" }] },
    ]);
  });

  test("of a message that the business did not send is not found", async () => {
    expect(await bench.control("status", { messageId: "wamid.X", status: "read" })).toMatchObject({
      status: 404,
      body: { error: { path: "messageId" } },
    });
  });
});

test("logs are numbered and can be read on from a number, without the token", async () => {
  await bench.send();
  await bench.graph("/me?access_token=sim-access-token");
  const { requests } = (await bench.control("requests?after=1")).body;
  expect(requests).toMatchObject([{ n: 2, method: "GET", status: 200, body: null }]);
  expect(JSON.stringify(requests)).not.toContain("sim-access-token");
  const all = (await bench.control("requests")).body.requests;
  expect(all[0]).toMatchObject({ n: 1, body: { to: SHEENA }, response: { messages: [{}] } });
});

describe("a wrong body is refused with the path of the field", () => {
  test.each([
    ["inbound", {}, "from"],
    ["inbound", { from: "x", type: "text", text: "x" }, "from"],
    ["inbound", { from: SHEENA }, "type"],
    ["inbound", { from: SHEENA, type: "text" }, "body"],
    ["inbound", { from: SHEENA, type: "text", text: { body: 5 } }, "body"],
    ["inbound", { from: SHEENA, type: "text", text: "x", to: "1" }, "to"],
    ["inbound", { from: SHEENA, type: "image", capton: "x" }, "capton"],
    ["inbound", { from: SHEENA, type: "image", data: "%" }, "data"],
    ["inbound", { from: SHEENA, type: "location", latitude: 100, longitude: 0 }, "latitude"],
    ["inbound", { from: SHEENA, type: "reaction" }, "message_id"],
    ["inbound", { from: SHEENA, type: "BAD TYPE" }, "type"],
    ["webhook", {}, "payload"],
    ["webhook", { payload: {}, signature: "weak" }, "signature"],
    ["status", { messageId: "x", status: "lost" }, "status"],
    ["status", { status: "read" }, "messageId"],
    ["clock", { advanceMs: -1 }, "advanceMs"],
    ["clock", { advanceMs: "1" }, "advanceMs"],
    ["faults", { effect: { kind: "explode" } }, "effect.kind"],
    ["faults", { effect: { kind: "delay" } }, "effect.ms"],
    ["faults", { effect: { kind: "drop" }, match: { form: 1 } }, "match.form"],
    ["faults", { effect: { kind: "drop" }, probability: 2 }, "probability"],
    ["reset", { seed: {} }, "seed"],
    ["customers", { phone: "x", online: "yes" }, "online"],
  ])("%s %j: %s", async (path, body, field) => {
    const answer = await bench.control(path, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.path).toBe(field);
    expect(answer.body.error.message).toEqual(expect.any(String));
  });

  test.each([["[]"], ["null"], ["5"], ["{"], ['"x"']])("inbound %s", async (body) => {
    const response = await fetch(`${bench.simulator.url}/_sim/inbound`, { method: "POST", body });
    expect(response.status).toBe(400);
  });

  test("requests?after=x", async () => {
    expect(await bench.control("requests?after=x")).toMatchObject({
      status: 400,
      body: { error: { path: "after" } },
    });
  });
});

test("an unknown path and a wrong method are said", async () => {
  expect(await bench.control("nothing")).toMatchObject({ status: 404 });
  expect(await bench.control("reset")).toMatchObject({
    status: 405,
    body: { error: { message: "Use POST." } },
  });
  expect((await fetch(`${bench.simulator.url}/elsewhere`)).status).toBe(404);
});

test("one fault rule is taken away by its id, and the others stay", async () => {
  await bench.control("faults", { effect: { kind: "drop" } });
  await bench.control("faults", { effect: { kind: "nul" } });
  const { body } = await bench.control("faults");
  const [first, second] = body.faults;
  const { body: left } = await bench.control(`faults?id=${first?.id}`, undefined, "DELETE");
  expect(left.faults).toEqual([second]);
  expect((await bench.control(`faults?id=${first?.id}`, undefined, "DELETE")).status).toBe(404);
  expect((await bench.control("faults?id=x", undefined, "DELETE")).body.error.path).toBe("id");
});

test("the state tells where a person came from and how much is still to come", async () => {
  const referral = { source_url: "https://fb.me/x", source_id: "1", source_type: "ad" };
  await bench.control("clock", { frozen: true });
  await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi", referral, forwarded: true });
  await bench.send();
  const { body } = await bench.control("state");
  expect(body.messages).toMatchObject([{ referral, forwarded: true }, { status: "accepted" }]);
  expect(body.clock).toMatchObject({ frozen: true, waiting: 3, nextAt: body.clock.now + 5 });
});
