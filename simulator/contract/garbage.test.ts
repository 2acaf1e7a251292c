import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bench, NUMBER, SHEENA, startBench, WABA } from "../test-support";
import { DOCUMENTED_REQUESTS, type Given } from "./documented-requests";
import { DOCUMENTED_TEMPLATES } from "./documented-templates";

const APP = "670843887433847";
const TEN_MB = 10 * 1024 * 1024;

let bench: Bench;
let templateId = "";
let given: Given;
beforeAll(async () => {
  bench = await startBench();
  await bench.control("settings", { rateLimits: false });
  // Nothing that is accepted here need be delivered.
  await bench.control("clock", { set: 1_750_000_000_000, frozen: true });
  const { messageId } = (await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" })).body;
  const list = JSON.parse((await bench.graph(`/${WABA}/message_templates`)).text);
  templateId = list.data[0].id;
  const id = await bench.upload("image/png");
  given = {
    files: { image: id, video: id, document: id, audio: id, voice: id, sticker: id },
    host: "http://127.0.0.1:1",
    inboundId: messageId,
    to: SHEENA,
    userId: "US.13491208655302741918",
  };
});
afterAll(() => bench.close());

/** Every address of the Graph that takes a POST, with a body that it would take. */
const POSTS = (): readonly (readonly [path: string, body: object])[] => [
  ...DOCUMENTED_REQUESTS.map(({ body }) => [`/${NUMBER}/messages`, body(given)] as const),
  [
    `/${NUMBER}/messages`,
    {
      messaging_product: "whatsapp",
      status: "read",
      message_id: given.inboundId,
      typing_indicator: { type: "text" },
    },
  ],
  ...DOCUMENTED_TEMPLATES.map((template) => [`/${WABA}/message_templates`, template] as const),
  [`/${templateId}`, { components: [{ type: "BODY", text: "Hello to you" }] }],
  [`/${templateId}/unpause`, {}],
  [`/${WABA}/subscribed_apps`, { override_callback_uri: "http://127.0.0.1:1", verify_token: "t" }],
  [`/${NUMBER}`, { webhook_configuration: { override_callback_uri: "", verify_token: "t" } }],
  [`/${NUMBER}`, { pin: "123456" }],
  [`/${NUMBER}/media`, { messaging_product: "whatsapp", type: "image/png" }],
  [`/${NUMBER}/request_code`, { code_method: "SMS", language: "en_US" }],
  [`/${NUMBER}/verify_code`, { code: "123456" }],
  [`/${NUMBER}/register`, { messaging_product: "whatsapp", pin: "123456" }],
  [`/${NUMBER}/deregister`, {}],
  [`/${NUMBER}/whatsapp_business_profile`, { messaging_product: "whatsapp", about: "x", websites: [] }],
  [`/${NUMBER}/block_users`, { messaging_product: "whatsapp", block_users: [{ user: SHEENA }] }],
  [
    `/${APP}/subscriptions`,
    {
      object: "whatsapp_business_account",
      callback_url: "http://127.0.0.1:1",
      verify_token: "t",
      fields: [],
    },
  ],
  [`/${APP}/uploads`, { file_name: "a", file_length: 1, file_type: "image/png" }],
  ["/oauth/access_token", { client_id: APP, client_secret: "x", grant_type: "fb_exchange_token" }],
];
const PATHS = () => [...new Set(POSTS().map(([path]) => path)), "/upload:1", "/me", "/1/messages"];

const post = async (path: string, body: string | Uint8Array, contentType = "application/json") => {
  const response = await fetch(`${bench.simulator.url}/v25.0${path}`, {
    method: "POST",
    headers: { authorization: "Bearer sim-access-token", "content-type": contentType },
    body: typeof body === "string" ? body : Buffer.from(body),
  });
  return { status: response.status, answer: JSON.parse(await response.text()) };
};

/** A Graph answer: success, or Meta's error object with its four fixed fields. */
function expectGraphAnswer({ status, answer }: Awaited<ReturnType<typeof post>>): void {
  if (status === 200) {
    expect(answer).not.toHaveProperty("error");
    return;
  }
  expect([400, 401, 403, 404, 413, 429, 500]).toContain(status);
  expect(answer.error).toMatchObject({
    message: expect.any(String),
    type: expect.stringMatching(/^(OAuthException|GraphMethodException)$/),
    code: expect.any(Number),
    fbtrace_id: expect.stringMatching(/^A[\w-]{22}$/),
  });
  // Meta's 500s are codes of the API; one of the simulator's own would be a crash.
  if (status === 500) expect([131000, 131016, 131057]).toContain(answer.error.code);
}

const surprise = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    1e308,
    "",
    "\u0000",
    "\ud83d",
    [],
    {},
    [null],
    [[]],
    "x".repeat(5_000),
  ),
  fc.constant(undefined),
  fc.jsonValue(),
);

/** A copy in which one place, counted through the whole body, holds something else. */
function exchanged(document: unknown, place: number, what: unknown): unknown {
  let left = place % Math.max(1, countPlaces(document));
  const walk = (inner: unknown): unknown => {
    if (left-- === 0) return what;
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, child]) => [key, walk(child)]));
  };
  return walk(document);
}

function countPlaces(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countPlaces(inner), 1);
}

describe("every address that takes a POST answers as Meta does to", () => {
  test("documented bodies with anything exchanged in them", async () => {
    const posts = POSTS();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(posts.length - 1),
        fc.array(fc.tuple(fc.nat(), surprise), { minLength: 1, maxLength: 3 }),
        async (which, exchanges) => {
          const [path, body] = posts[which] ?? ["", {}];
          const spoiled = exchanges.reduce<unknown>(
            (result, [place, what]) => exchanged(result, place, what),
            body,
          );
          expectGraphAnswer(await post(path, JSON.stringify(spoiled) ?? ""));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("any JSON, any bytes, and any content type", async () => {
    const bodies = fc.oneof(
      fc.json().map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 200 }),
    );
    const types = fc.constantFrom(
      "application/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "multipart/form-data",
      "text/plain",
      "image/png",
      "x",
    );
    const paths = PATHS();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), bodies, types, async (path, body, type) => {
        expectGraphAnswer(await post(path, body, type));
      }),
      { numRuns: 300 },
    );
  });

  test("ten megabytes of nonsense, and of JSON", async () => {
    await bench.control("reset", {});
    for (const path of [`/${NUMBER}/messages`, `/${NUMBER}/media`, `/${WABA}/message_templates`]) {
      expectGraphAnswer(await post(path, Buffer.alloc(TEN_MB, "{"), "application/json"));
    }
    const long = JSON.stringify({
      messaging_product: "whatsapp",
      to: SHEENA,
      type: "text",
      text: { body: "x".repeat(TEN_MB) },
    });
    const answer = await post(`/${NUMBER}/messages`, long);
    expect(answer).toMatchObject({
      status: 400,
      answer: { error: { code: 100, message: expect.stringContaining("text['body']") } },
    });
  });

  test("JSON that is nested a hundred thousand deep", async () => {
    const deep = `${'{"text":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const answer = await post(`/${NUMBER}/messages`, deep);
    expectGraphAnswer(answer);
    expect(answer.status).toBe(400);
  });
});

test("after all this the simulator still works", async () => {
  await bench.control("reset", {});
  expect((await bench.send()).status).toBe(200);
});
