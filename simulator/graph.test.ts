import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, NUMBER, SHEENA, startBench, WABA } from "./test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", {});
});
afterAll(() => bench.close());

const openWindow = () => bench.control("inbound", { from: SHEENA, type: "text", text: "Hello" });
const upload = (form: FormData) =>
  bench.graph(`/${NUMBER}/media`, undefined, {
    method: "POST",
    headers: { authorization: "Bearer sim-access-token" },
    body: form,
  });
const formOf = (file: Blob | null, type: string, product = "whatsapp") => {
  const form = new FormData();
  form.set("messaging_product", product);
  form.set("type", type);
  if (file !== null) form.set("file", file, "file.bin");
  return form;
};

describe("a call is answered as Meta does when it", () => {
  test.each([
    ["has no token", `/${WABA}`, {}, 400, { code: 2500, type: "OAuthException" }],
    [
      "has a token of nobody",
      `/${WABA}`,
      { authorization: "Bearer x" },
      401,
      { code: 190, error_subcode: 467 },
    ],
    [
      "names an unknown object",
      "/123",
      undefined,
      400,
      { code: 100, error_subcode: 33, type: "GraphMethodException" },
    ],
    [
      "names an unknown edge",
      `/${WABA}/nonsense`,
      undefined,
      400,
      { code: 2500, message: "Unknown path components: /nonsense" },
    ],
    ["names no object", "/", undefined, 400, { code: 2500 }],
    ["has a wrong proof", `/${WABA}?appsecret_proof=0`, undefined, 400, { code: 100 }],
  ])("%s", async (_, path, headers, status, error) => {
    const answer = await bench.graph(path, undefined, headers === undefined ? {} : { headers });
    expect(answer).toMatchObject({ status, body: { error } });
    expect(answer.body.error.fbtrace_id).toMatch(/^A[\w-]{22}$/);
  });

  test("has the right proof, or the token in the query, in any version", async () => {
    const proof = createHmac("sha256", "sim-app-secret").update("sim-access-token").digest("hex");
    expect((await bench.graph(`/${WABA}?appsecret_proof=${proof}`)).status).toBe(200);
    const response = await fetch(`${bench.simulator.url}/v99.0/me?access_token=sim-access-token&fields=id`);
    expect(await response.json()).toEqual({ id: expect.any(String) });
  });
});

test("objects and lists have their fields, and only those that were asked for", async () => {
  expect((await bench.graph(`/${WABA}?fields=name,currency`)).body).toEqual({
    id: WABA,
    name: "Lucky Shrub",
    currency: "USD",
  });
  expect((await bench.graph(`/${NUMBER}`)).body).toMatchObject({
    display_phone_number: "+1 555-078-3881",
    status: "CONNECTED",
  });
  expect((await bench.graph(`/${WABA}/phone_numbers?fields=verified_name`)).body).toMatchObject({
    data: [{ id: NUMBER, verified_name: "Lucky Shrub" }],
  });
  expect((await bench.graph("/debug_token?input_token=sim-access-token")).body.data).toMatchObject({
    is_valid: true,
    expires_at: 0,
  });
  expect((await bench.graph("/debug_token?input_token=x")).body.data).toMatchObject({
    is_valid: false,
    error: { code: 190 },
  });
});

test("templates come page by page, each once, until there is no next", async () => {
  const names: string[] = [];
  let path: string | undefined = `/${WABA}/message_templates?limit=2&fields=name,status`;
  while (path !== undefined) {
    const { body } = await bench.graph(path);
    names.push(...body.data.map(({ name }) => name));
    path = body.paging.next?.split("/v25.0")[1];
  }
  expect(names).toEqual(["hello_world", "order_update", "spring_offer"]);
  expect((await bench.graph(`/${WABA}/message_templates?category=MARKETING`)).body.data).toHaveLength(1);
  expect((await bench.graph(`/${WABA}/message_templates?status=REJECTED`)).body).toEqual({ data: [] });
});

describe("sending", () => {
  test("answers with the recipient's own id and a message id that holds the number", async () => {
    const { status, body } = await bench.send();
    expect(status).toBe(200);
    expect(body).toEqual({
      messaging_product: "whatsapp",
      contacts: [{ input: SHEENA, wa_id: "16505551234" }],
      messages: [{ id: expect.stringMatching(/^wamid\.[A-Za-z0-9+/]+=*$/) }],
    });
    expect(Buffer.from((body.messages[0]?.id ?? "").slice(6), "base64").toString("latin1")).toContain(
      "16505551234",
    );
  });

  test.each([
    ["Brazil", "+5541988887777", "554188887777"],
    ["Mexico", "+52 55 1234 5678", "5215512345678"],
  ])("to %s gives back another number than was dialled", async (_, to, waId) => {
    expect((await bench.send({ to, text: { body: "x" } })).body.contacts).toEqual([
      { input: to, wa_id: waId },
    ]);
  });

  test("to somebody who hides the number works by user id and gives back only that", async () => {
    const { body } = await bench.control("state");
    const userId = body.customers.find(({ name }) => name === "Noor")?.userId;
    const answer = await bench.send({ to: undefined, recipient: userId, text: { body: "x" } });
    expect(answer.body.contacts).toEqual([{ input: userId, user_id: userId }]);
  });

  test("without a plus is read as local to the business, unless somebody has exactly these digits", async () => {
    expect((await bench.send({ to: "16505551234", text: { body: "x" } })).body.contacts[0]?.wa_id).toBe(
      "16505551234",
    );
    expect((await bench.send({ to: "650 555 1234", text: { body: "x" } })).body.contacts[0]?.wa_id).toBe(
      "16505551234",
    );
  });

  const text = (more: object) => ({ type: "text", text: { body: "x" }, ...more });
  const interactive = (more: object) => ({
    type: "interactive",
    interactive: { body: { text: "x" }, ...more },
  });
  const reply = (id: string, title = "t") => ({ type: "reply", reply: { id, title } });
  const template = (name: string, parameters: unknown[] = [], language = "en_US") => ({
    type: "template",
    template: { name, language: { code: language }, components: [{ type: "body", parameters }] },
  });

  test.each([
    ["a product that is not whatsapp", text({ messaging_product: "sms" }), 100],
    ["nobody to send to", text({ to: undefined }), 131008],
    ["a recipient that is no number", text({ to: "hello" }), 131009],
    ["the business itself", text({ to: "+1 555 078 3881" }), 131021],
    ["a group", text({ recipient_type: "group" }), 131009],
    ["a type that does not exist", { type: "hologram", hologram: {} }, 100],
    ["a type called like a built-in", { type: "constructor", constructor: {} }, 100],
    ["a type without its content", { type: "image" }, 131008],
    ["an empty text", text({ text: { body: " " } }), 131008],
    ["a text beyond the limit", text({ text: { body: "x".repeat(4097) } }), 100],
    ["a quote of nothing", text({ context: {} }), 131008],
    ["callback data beyond the limit", text({ biz_opaque_callback_data: "x".repeat(513) }), 100],
    ["a media id of nobody", { type: "image", image: { id: "1" } }, 100],
    ["a link that is none", { type: "image", image: { link: "file:///etc/passwd" } }, 100],
    [
      "a sticker with a caption",
      { type: "sticker", sticker: { link: "https://example.com/a", caption: "x" } },
      100,
    ],
    ["a reaction without emoji", { type: "reaction", reaction: { message_id: "wamid.X" } }, 131008],
    [
      "a reaction that quotes",
      { type: "reaction", reaction: { message_id: "x", emoji: "👍" }, context: { message_id: "x" } },
      131009,
    ],
    ["a place beyond the earth", { type: "location", location: { latitude: 91, longitude: 0 } }, 131009],
    ["a card without a name", { type: "contacts", contacts: [{}] }, 131008],
    [
      "four buttons",
      interactive({ type: "button", action: { buttons: ["a", "b", "c", "d"].map((id) => reply(id)) } }),
      131009,
    ],
    [
      "two buttons of one id",
      interactive({ type: "button", action: { buttons: [reply("a"), reply("a")] } }),
      131009,
    ],
    [
      "a button with a long title",
      interactive({ type: "button", action: { buttons: [reply("a", "x".repeat(21))] } }),
      131009,
    ],
    ["a list without rows", interactive({ type: "list", action: { button: "b", sections: [{}] } }), 131009],
    ["a template of nobody", template("nothing"), 132001],
    ["a template in another language", template("hello_world", [], "de"), 132001],
    ["a template with too few parameters", template("order_update", [{ type: "text", text: "a" }]), 132000],
    [
      "a template without its picture",
      template("spring_offer", [{ type: "text" }, { type: "text" }]),
      132012,
    ],
  ])("%s is refused with the documented code", async (_, message, code) => {
    const { status, body } = await bench.send(message);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.error).toMatchObject({ code, type: "OAuthException", message: expect.any(String) });
    expect((await bench.control("state")).body.messages).toEqual([]);
  });

  test.each([
    ["a location", { type: "location", location: { latitude: 1, longitude: "2" } }],
    [
      "contact cards",
      { type: "contacts", contacts: [{ name: { formatted_name: "Ana", first_name: "Ana" } }] },
    ],
    ["buttons", interactive({ type: "button", action: { buttons: [reply("a"), reply("b")] } })],
    [
      "a list",
      interactive({
        type: "list",
        action: { button: "b", sections: [{ rows: [{ id: "1", title: "One" }] }] },
      }),
    ],
    [
      "a file by link",
      { type: "document", document: { link: "http://127.0.0.1:1/a.pdf", filename: "a.pdf" } },
    ],
    ["a text without its type", { text: { body: "x" } }],
  ])("%s is accepted", async (_, message) => {
    expect((await bench.send(message)).body.messages).toHaveLength(1);
  });

  test("a template says that it is accepted", async () => {
    const { body } = await bench.send(
      template("order_update", [
        { type: "text", text: "Ana" },
        { type: "text", text: "7" },
      ]),
    );
    expect(body.messages[0]).toMatchObject({ message_status: "accepted" });
  });

  test("a form is taken like JSON", async () => {
    const form = new URLSearchParams({
      messaging_product: "whatsapp",
      to: SHEENA,
      type: "text",
      text: '{"body":"x"}',
    });
    const { body } = await bench.graph(`/${NUMBER}/messages`, undefined, {
      method: "POST",
      headers: { authorization: "Bearer sim-access-token" },
      body: form,
    });
    expect(body.messages).toHaveLength(1);
  });
});

test("reading a message reads the earlier ones of its chat too", async () => {
  const first = await openWindow();
  const last = await openWindow();
  const read = {
    messaging_product: "whatsapp",
    status: "read",
    message_id: last.body.messageId,
    typing_indicator: { type: "text" },
  };
  expect((await bench.graph(`/${NUMBER}/messages`, read)).body).toEqual({ success: true });
  const { body } = await bench.control("state");
  expect(body.messages.map(({ id, status }) => [id, status])).toEqual([
    [first.body.messageId, "read"],
    [last.body.messageId, "read"],
  ]);
  expect((await bench.graph(`/${NUMBER}/messages`, { ...read, message_id: "wamid.X" })).body.error.code).toBe(
    131009,
  );
});

describe("media", () => {
  const png = new Blob([new Uint8Array([1, 2, 3])], { type: "image/png" });

  test("comes back byte for byte, with its digest, by a link that needs the token", async () => {
    const { body: uploaded } = await upload(formOf(png, "image/png"));
    const { body: info } = await bench.graph(`/${uploaded.id}`);
    expect(info).toMatchObject({
      id: uploaded.id,
      mime_type: "image/png",
      file_size: 3,
      messaging_product: "whatsapp",
    });
    expect(info.sha256).toBe(
      createHash("sha256")
        .update(Uint8Array.of(1, 2, 3))
        .digest("hex"),
    );
    const download = await fetch(info.url, { headers: { authorization: "Bearer sim-access-token" } });
    expect(download.headers.get("content-type")).toBe("image/png");
    expect([...new Uint8Array(await download.arrayBuffer())]).toEqual([1, 2, 3]);
    expect((await fetch(info.url)).status).toBe(401);
    expect((await bench.send({ type: "image", image: { id: uploaded.id } })).status).toBe(200);
  });

  test("a link dies after five minutes, a fresh one works, and the file after thirty days", async () => {
    const { body: uploaded } = await upload(formOf(png, "image/png"));
    const { body: info } = await bench.graph(`/${uploaded.id}`);
    const headers = { authorization: "Bearer sim-access-token" };
    await bench.control("clock", { advanceMs: 5 * 60_000 + 1000 });
    expect((await fetch(info.url, { headers })).status).toBe(404);
    const { body: fresh } = await bench.graph(`/${uploaded.id}`);
    expect((await fetch(fresh.url, { headers })).status).toBe(200);
    expect((await fetch(fresh.url.replace(/hash=\w/, "hash=_"), { headers })).status).toBe(404);
    await bench.control("clock", { advanceMs: 30 * 86_400_000 });
    expect((await bench.graph(`/${uploaded.id}`)).body.error).toMatchObject({ code: 100, error_subcode: 33 });
  });

  test("is gone after it was deleted", async () => {
    const { body: uploaded } = await upload(formOf(png, "image/png"));
    expect((await bench.graph(`/${uploaded.id}`, undefined, { method: "DELETE" })).body).toEqual({
      success: true,
    });
    expect((await bench.graph(`/${uploaded.id}`, undefined, { method: "DELETE" })).body.error.code).toBe(100);
  });

  test.each([
    ["of a type that is not supported", formOf(png, "application/zip"), 100],
    ["for another product", formOf(png, "image/png", "sms"), 100],
    ["that is empty", formOf(new Blob([]), "image/png"), 100],
    ["that is too large", formOf(new Blob([new Uint8Array(5 * 1024 * 1024 + 1)]), "image/png"), 100],
    ["that is missing", formOf(null, "image/png"), 131008],
  ])("a file %s is refused", async (_, form, code) => {
    expect((await upload(form)).body.error).toMatchObject({ code });
  });

  test("a broken form is refused", async () => {
    const headers = {
      authorization: "Bearer sim-access-token",
      "content-type": "multipart/form-data; boundary=x",
    };
    const answer = await bench.graph(`/${NUMBER}/media`, undefined, {
      method: "POST",
      headers,
      body: "--x nonsense",
    });
    expect(answer.body.error.code).toBe(100);
  });
});

test("no garbage makes it crash, and each answer has Meta's shape", async () => {
  const path = fc.oneof(
    fc.constantFrom(
      `/${NUMBER}/messages`,
      `/${NUMBER}/media`,
      `/${WABA}/subscribed_apps`,
      "/670843887433847/subscriptions",
    ),
    fc.webPath(),
    fc.stringMatching(/^\/[%\w./]{0,20}$/),
  );
  const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH");
  const type = fc.constantFrom(
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "x",
  );
  const keys = fc.constantFrom(
    "messaging_product",
    "to",
    "type",
    "text",
    "status",
    "message_id",
    "template",
    "interactive",
    "object",
    "action",
  );
  const body = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc
      .dictionary(
        keys,
        fc.oneof(fc.constantFrom("whatsapp", SHEENA, "text", "read", "template"), fc.jsonValue()),
      )
      .map((object) => JSON.stringify({ messaging_product: "whatsapp", ...object })),
  );
  await fc.assert(
    fc.asyncProperty(path, method, type, body, async (where, how, contentType, what) => {
      const url = new URL(`${bench.simulator.url}/v25.0${where}`);
      // Dots in a path can lead out of the Graph, which is then not what is tested.
      fc.pre(url.pathname.startsWith("/v25.0/"));
      const response = await fetch(url, {
        method: how,
        headers: { authorization: "Bearer sim-access-token", "content-type": contentType },
        ...(how !== "GET" && { body: what }),
      });
      expect(response.status).not.toBe(500);
      const answer = JSON.parse(await response.text());
      if (response.status !== 200) expect(answer.error.code ?? answer.error.message).toBeDefined();
    }),
    { numRuns: 400 },
  );
  expect((await bench.control("state")).status).toBe(200);
});
