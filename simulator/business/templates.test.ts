import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, NUMBER, startBench, WABA } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.control("reset", {});
  bench.receiver.received.length = 0;
});

const BODY = { type: "BODY", text: "Hi {{1}}, see you soon.", example: { body_text: [["Ana"]] } };
const NEW = { name: "visit", language: "en_US", category: "UTILITY", components: [BODY] };
const create = (more: object = {}) => bench.graph(`/${WABA}/message_templates`, { ...NEW, ...more });
const body = (text: string, example?: string[]) => ({
  type: "BODY",
  text,
  ...(example && { example: { body_text: [example] } }),
});
const buttons = (...list: object[]) => [BODY, { type: "BUTTONS", buttons: list }];
const reply = { type: "QUICK_REPLY", text: "Yes" };
const link = (url: string, more: object = {}) => ({ type: "URL", text: "Go", url, ...more });

const find = async (name: string) =>
  (await bench.graph(`/${WABA}/message_templates?name=${name}`)).body.data[0] as
    | { status?: string; category?: string; rejected_reason?: string }
    | undefined;
const advance = (advanceMs: number) => bench.control("clock", { advanceMs });
const told = () =>
  bench.receiver.received.flatMap(({ bytes }) =>
    JSON.parse(bytes.toString()).entry.flatMap(
      (entry: { changes: { field: string; value: object }[] }) => entry.changes,
    ),
  );
const send = (name: string, parameters: object[] = [{ type: "text", text: "Ana" }]) =>
  bench.send({
    type: "template",
    template: { name, language: { code: "en_US" }, components: [{ type: "body", parameters }] },
  });

describe("a new template", () => {
  test("waits for its review and is then told as approved, by webhook and in the list", async () => {
    expect((await create()).body).toMatchObject({
      id: expect.any(String),
      status: "PENDING",
      category: "UTILITY",
    });
    expect((await send("visit")).body.error.code).toBe(132001);
    await advance(2_000);
    expect(told()).toEqual([
      {
        field: "message_template_status_update",
        value: {
          event: "APPROVED",
          message_template_id: expect.any(Number),
          message_template_name: "visit",
          message_template_language: "en_US",
          message_template_category: "UTILITY",
          reason: "NONE",
        },
      },
    ]);
    expect((await send("visit")).status).toBe(200);
  });

  test("with words that the reviewer does not like is rejected with a reason", async () => {
    await create({ components: [body("Please reject me, {{1}} or not.", ["x"])] });
    await advance(2_000);
    expect(told()).toMatchObject([{ value: { event: "REJECTED", reason: "TAG_CONTENT_MISMATCH" } }]);
    expect(await find("visit")).toMatchObject({
      status: "REJECTED",
      rejected_reason: "TAG_CONTENT_MISMATCH",
    });
  });

  test.each([
    ["a name with capitals", { name: "Visit" }, 2388047],
    ["a language that is none", { language: "English" }, 2388039],
    ["a category that is none", { category: "NEWS" }, 2388040],
    ["no components", { components: [] }, 2388072],
    ["no body", { components: [{ type: "FOOTER", text: "x" }] }, 2388072],
    ["two bodies", { components: [BODY, BODY] }, 2388072],
    ["a body of 1025 characters", { components: [body("x".repeat(1025))] }, 2388073],
    ["a variable at the start", { components: [body("{{1}} is here now.", ["x"])] }, 2388299],
    ["a variable at the end", { components: [body("Here is {{1}}", ["x"])] }, 2388299],
    ["two variables side by side", { components: [body("Hi {{1}} {{2}} there.", ["x", "y"])] }, 2388072],
    ["variables out of order", { components: [body("Hi {{2}} there.", ["x"])] }, 2388072],
    [
      "more variables than words",
      { components: [body("a {{1}}, {{2}}, {{3}} b", ["x", "y", "z"])] },
      2388293,
    ],
    ["a variable without sample", { components: [body("Hi {{1}} there.")] }, 2388043],
    ["a picture without sample", { components: [{ type: "HEADER", format: "IMAGE" }, BODY] }, 2388273],
    [
      "a header of 61 characters",
      { components: [{ type: "HEADER", format: "TEXT", text: "x".repeat(61) }, BODY] },
      2388073,
    ],
    ["a footer with a variable", { components: [BODY, { type: "FOOTER", text: "{{1}}" }] }, 2388072],
    ["eleven buttons", { components: buttons(...Array.from({ length: 11 }, () => reply)) }, 2388072],
    ["replies between links", { components: buttons(reply, link("https://e.com"), reply) }, 2388072],
    [
      "three links",
      { components: buttons(link("https://e.com"), link("https://e.com"), link("https://e.com")) },
      2388072,
    ],
    ["a button of 26 characters", { components: buttons({ ...reply, text: "x".repeat(26) }) }, 2388072],
    [
      "a link with its variable in the middle",
      { components: buttons(link("https://e.com/{{1}}/x", { example: ["x"] })) },
      2388072,
    ],
    ["a link's variable without sample", { components: buttons(link("https://e.com/{{1}}")) }, 2388043],
    [
      "a code of 16 characters",
      { components: buttons({ type: "COPY_CODE", example: "x".repeat(16) }) },
      2388072,
    ],
  ])("with %s is refused with Meta's subcode", async (_, more, subcode) => {
    const { status, body: answer } = await create(more);
    expect(status).toBe(400);
    expect(answer.error).toMatchObject({
      code: 100,
      error_subcode: subcode,
      error_user_msg: expect.any(String),
    });
  });

  test("of a name and language that exist is refused; in another language it is another template", async () => {
    await create();
    expect((await create()).body.error).toMatchObject({ code: 100, error_subcode: 2388024 });
    expect((await create({ language: "de" })).status).toBe(200);
  });
});

describe("an approved template", () => {
  const event = (change: object) => bench.control("templates", { template: "order_update", ...change });
  const two = [
    { type: "text", text: "Ana" },
    { type: "text", text: "1042" },
  ];

  test("rated red is paused for three hours, then for six, then disabled for good", async () => {
    await event({ quality: "RED" });
    expect(told()).toMatchObject([
      {
        field: "message_template_quality_update",
        value: { previous_quality_score: "GREEN", new_quality_score: "RED" },
      },
      {
        field: "message_template_status_update",
        value: { event: "PAUSED", other_info: { title: "FIRST_PAUSE" } },
      },
    ]);
    expect((await send("order_update", two)).body.error.code).toBe(132015);
    await advance(3 * 3_600_000);
    expect((await send("order_update", two)).status).toBe(200);
    await event({ event: "pause" });
    await advance(3 * 3_600_000);
    expect((await send("order_update", two)).body.error.code).toBe(132015);
    await advance(3 * 3_600_000);
    await event({ event: "pause" });
    expect((await send("order_update", two)).body.error.code).toBe(132016);
  });

  test("whose category Meta changes is told with both categories", async () => {
    await event({ category: "MARKETING" });
    expect(told()).toMatchObject([
      {
        field: "template_category_update",
        value: { previous_category: "UTILITY", new_category: "MARKETING" },
      },
    ]);
    expect(await find("order_update")).toMatchObject({ category: "MARKETING" });
  });

  test("that is edited goes through review again, and once a day at most", async () => {
    const [template] = (await bench.graph(`/${WABA}/message_templates?name=order_update`)).body
      .data as unknown as { id: string }[];
    const components = [body("Hello {{1}}, your order {{2}} left.", ["a", "b"])];
    expect((await bench.graph(`/${template?.id}`, { components })).body).toEqual({ success: true });
    expect((await send("order_update", two)).body.error.code).toBe(132001);
    await advance(2_000);
    expect((await send("order_update", two)).status).toBe(200);
    expect((await bench.graph(`/${template?.id}`, { components })).body.error).toMatchObject({
      error_subcode: 2388095,
    });
    expect((await bench.graph(`/${template?.id}`, { category: "MARKETING" })).body.error).toMatchObject({
      error_subcode: 2388025,
    });
  });

  test("that is deleted cannot be sent, blocks its name for thirty days and is then gone", async () => {
    const remove = await bench.graph(`/${WABA}/message_templates?name=order_update`, undefined, {
      method: "DELETE",
      headers: { authorization: "Bearer sim-access-token" },
    });
    expect(remove.body).toEqual({ success: true });
    expect((await send("order_update", two)).body.error.code).toBe(132001);
    expect((await create({ name: "order_update" })).body.error).toMatchObject({ error_subcode: 2388023 });
    await advance(30 * 86_400_000);
    expect(await find("order_update")).toBeUndefined();
    expect((await create({ name: "order_update" })).status).toBe(200);
  });

  test("cannot do what its status does not allow, and says so", async () => {
    expect((await event({ event: "unarchive" })).status).toBe(409);
    expect((await bench.control("templates", { template: "none", event: "pause" })).body.error.path).toBe(
      "template",
    );
    expect((await bench.control("templates", { template: "order_update", event: "explode" })).status).toBe(
      400,
    );
  });
});

test.each([
  ["revoked", { state: "revoked" }, 460],
  ["deauthorized", { state: "deauthorized" }, 458],
  ["expired", { expiresInMs: 0 }, 463],
])("a token that is %s gets code 190 with its subcode on every call", async (_, change, subcode) => {
  expect((await bench.control("tokens", { token: "sim-access-token", ...change })).status).toBe(200);
  for (const path of [`/${WABA}`, `/${NUMBER}`, "/me"]) {
    expect((await bench.graph(path)).body.error).toMatchObject({ code: 190, error_subcode: subcode });
  }
  expect((await bench.send()).status).toBe(401);
});
