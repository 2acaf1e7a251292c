import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, NUMBER, SHEENA, startBench } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.control("reset", {}));

const APP = "670843887433847";
const post = (edge: string, body: object = {}) => bench.graph(`/${NUMBER}/${edge}`, body);
const register = (pin: string) => post("register", { messaging_product: "whatsapp", pin });
const read = async (path: string) => JSON.parse((await bench.graph(path)).text);

describe("registering a number", () => {
  test("takes the first PIN as its own, and later only that one", async () => {
    expect((await register("123456")).body).toEqual({ success: true });
    expect(await read(`/${NUMBER}?fields=is_pin_enabled,status`)).toEqual({
      is_pin_enabled: true,
      status: "CONNECTED",
      id: NUMBER,
    });
    expect((await register("654321")).body.error.code).toBe(133005);
    expect((await register("123456")).body).toEqual({ success: true });
  });

  test("stops listening for five minutes after five wrong PINs", async () => {
    await register("123456");
    for (let guess = 0; guess < 5; guess++) expect((await register("000000")).body.error.code).toBe(133005);
    expect((await register("123456")).body.error.code).toBe(133008);
    await bench.control("clock", { advanceMs: 5 * 60_000 });
    expect((await register("123456")).status).toBe(200);
  });

  test("works ten times in 72 hours", async () => {
    for (let nth = 0; nth < 10; nth++) expect((await register("123456")).status).toBe(200);
    expect((await register("123456")).body.error.code).toBe(133016);
    await bench.control("clock", { advanceMs: 72 * 3_600_000 });
    expect((await register("123456")).status).toBe(200);
  });

  test.each([[undefined], ["12345"], ["abcdef"]])("needs six digits, not %s", async (pin) => {
    expect((await post("register", { messaging_product: "whatsapp", pin })).status).toBe(400);
  });

  test("ends with deregistering: then nothing is sent until it is registered again", async () => {
    expect((await post("deregister")).body).toEqual({ success: true });
    expect((await bench.send()).body.error.code).toBe(133010);
    const health = await read(`/${NUMBER}?fields=health_status`);
    expect(health.health_status).toMatchObject({
      can_send_message: "BLOCKED",
      entities: [{ errors: [{ error_code: 133010 }] }, {}, {}, {}],
    });
    await register("123456");
    expect((await bench.send()).status).toBe(200);
  });

  test("a verified number asks for no code, a wrong code verifies nothing", async () => {
    expect((await post("request_code", { code_method: "SMS", language: "en_US" })).body.error.code).toBe(
      136024,
    );
    expect((await post("verify_code", { code: "999999" })).body.error.code).toBe(136025);
    expect((await post("request_code", { code_method: "PIGEON", language: "en_US" })).status).toBe(400);
  });
});

describe("blocking people", () => {
  const block = (user: string, method = "POST") =>
    bench.graph(`/${NUMBER}/block_users`, undefined, {
      method,
      headers: { authorization: "Bearer sim-access-token", "content-type": "application/json" },
      body: JSON.stringify({ messaging_product: "whatsapp", block_users: [{ user }] }),
    });

  test("works within 24 hours of their message; nothing can be sent to them until it is taken back", async () => {
    expect((await block(SHEENA)).body.error.code).toBe(139100);
    await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
    expect(JSON.parse((await block(SHEENA)).text).block_users.added_users).toEqual([
      { input: SHEENA, wa_id: "16505551234" },
    ]);
    expect((await read(`/${NUMBER}/block_users`)).data).toEqual([
      { messaging_product: "whatsapp", wa_id: "16505551234" },
    ]);
    expect((await bench.send()).body.error.code).toBe(130403);
    expect(JSON.parse((await block(SHEENA, "DELETE")).text).block_users.removed_users).toHaveLength(1);
    expect((await bench.send()).status).toBe(200);
  });

  test("who is not on WhatsApp cannot be blocked", async () => {
    expect((await block("+15005550000")).body.error.code).toBe(139100);
  });
});

test("the profile keeps what it is given, within its limits", async () => {
  const profile = { messaging_product: "whatsapp", about: "Plants", websites: ["https://e.com"] };
  expect((await post("whatsapp_business_profile", profile)).body).toEqual({ success: true });
  expect((await read(`/${NUMBER}/whatsapp_business_profile`)).data).toMatchObject([
    { about: "Plants", websites: ["https://e.com"], vertical: "RETAIL" },
  ]);
  expect((await post("whatsapp_business_profile", { ...profile, about: "x".repeat(140) })).status).toBe(400);
  expect((await post("whatsapp_business_profile", { ...profile, websites: ["a", "b", "c"] })).status).toBe(
    400,
  );
});

describe("the sample of a template", () => {
  const begin = (length: number, type = "image/png") =>
    bench.graph(
      `/${APP}/uploads?file_name=a&file_length=${length}&file_type=${encodeURIComponent(type)}`,
      {},
    );
  const bytes = (id: string, offset: number, data: string) =>
    bench.graph(`/${id}`, undefined, {
      method: "POST",
      headers: { authorization: "OAuth sim-access-token", file_offset: String(offset) },
      body: data,
    });

  test("is uploaded in parts, and its last part gives the handle", async () => {
    const { id } = (await begin(6)).body;
    expect(id).toMatch(/^upload:/);
    expect((await bytes(id, 0, "abc")).status).toBe(200);
    expect(await read(`/${id}`)).toMatchObject({ file_offset: 3 });
    expect((await bytes(id, 0, "abc")).status).toBe(400);
    expect(JSON.parse((await bytes(id, 3, "def")).text)).toEqual({ h: expect.stringMatching(/^4::/) });
  });

  test.each([
    ["no length", 0, "image/png"],
    ["a type that is none", 6, "text/html"],
  ])("with %s is refused", async (_, length, type) => {
    expect((await begin(length, type)).status).toBe(400);
  });
});
