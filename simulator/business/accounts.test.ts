import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, changesOf, itemsOf, NUMBER, SHEENA, startBench, WABA } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
});
afterAll(() => bench.close());

const read = async (path: string) => JSON.parse((await bench.graph(path)).text);
const numberIs = (fields: string) => read(`/${NUMBER}?fields=${fields}`);
const event = async (field: string, more: object) => {
  expect((await bench.control("event", { field, ...more })).status).toBe(200);
};
const codeOfSend = async () => (await bench.send()).body.error?.code ?? null;

describe("a new number", () => {
  const add = (body: object) => bench.graph(`/${WABA}/phone_numbers`, body);
  const dana = { cc: "1", phone_number: "14195551518", verified_name: "Lucky Shrub" };

  test("is added, verified by its code, registered, and then sends and receives", async () => {
    const { id } = (await add(dana)).body;
    expect(id).toMatch(/^\d{15}$/);
    expect(await read(`/${id}?fields=status,code_verification_status,platform_type`)).toMatchObject({
      status: "PENDING",
      code_verification_status: "NOT_VERIFIED",
      platform_type: "NOT_APPLICABLE",
    });
    const message = { messaging_product: "whatsapp", to: SHEENA, type: "text", text: { body: "Hi" } };
    expect((await bench.graph(`/${id}/messages`, message)).body.error.code).toBe(133010);
    const pin = { messaging_product: "whatsapp", pin: "123456" };
    expect((await bench.graph(`/${id}/register`, pin)).body.error.code).toBe(133006);
    // As Meta's page writes it: the parameters stand in the address.
    expect((await bench.graph(`/${id}/request_code?code_method=SMS&language=en_US`, {})).status).toBe(200);
    expect((await bench.graph(`/${id}/verify_code?code=000000`, {})).body.error.code).toBe(136025);
    expect((await bench.graph(`/${id}/verify_code?code=123456`, {})).status).toBe(200);
    expect((await bench.graph(`/${id}/register`, pin)).status).toBe(200);
    await bench.control("inbound", { from: SHEENA, to: id, type: "text", text: "Hello" });
    expect((await bench.graph(`/${id}/messages`, message)).status).toBe(200);
    expect(changesOf(bench.receiver)[0]?.value).toMatchObject({
      metadata: { phone_number_id: id, display_phone_number: "14195551518" },
    });
    expect((await read(`/${WABA}/phone_numbers`)).data).toHaveLength(2);
  });

  test.each([
    ["without a country code", { ...dana, cc: undefined }, 131008],
    ["with a country code that is none", { ...dana, cc: "x" }, 100],
    ["without a number", { ...dana, phone_number: undefined }, 131008],
    ["with letters for a number", { ...dana, phone_number: "hello" }, 100],
    ["without a name", { ...dana, verified_name: " " }, 131008],
    ["that is somebody's", { ...dana, phone_number: "5550783881" }, 100],
  ])("%s is refused", async (_, body, code) => {
    expect((await add(body)).body.error.code).toBe(code);
  });

  test("is refused beyond twenty-five of an account", async () => {
    for (let n = 0; n < 24; n++) {
      expect((await add({ ...dana, phone_number: `1419555${1000 + n}` })).status).toBe(200);
    }
    expect((await add({ ...dana, phone_number: "14195552000" })).body.error.code).toBe(100);
  });
});

test("another account of the business is found by the Graph, and takes numbers of its own", async () => {
  const { id } = JSON.parse((await bench.control("wabas", { name: "Second Shrub" })).text);
  expect((await read("/506914307656634/owned_whatsapp_business_accounts?fields=name")).data).toEqual([
    { id: WABA, name: "Lucky Shrub" },
    { id, name: "Second Shrub" },
  ]);
  const number = { cc: "49", phone_number: "15112340000", verified_name: "Second Shrub" };
  expect((await bench.graph(`/${id}/phone_numbers`, number)).status).toBe(200);
  expect((await read(`/${id}/phone_numbers`)).data).toMatchObject([{ verified_name: "Second Shrub" }]);
});

describe("what happens to a number or an account is true from then on", () => {
  test("quality and limits", async () => {
    await event("phone_number_quality_update", { event: "FLAGGED" });
    expect(await numberIs("status,quality_rating")).toMatchObject({
      status: "FLAGGED",
      quality_rating: "RED",
    });
    expect(await codeOfSend()).toBeNull();
    await event("phone_number_quality_update", { event: "UNFLAGGED" });
    expect(await numberIs("status,quality_rating")).toMatchObject({
      status: "CONNECTED",
      quality_rating: "GREEN",
    });
    await event("phone_number_quality_update", {
      event: "UPGRADE",
      max_daily_conversations_per_business: "TIER_10K",
    });
    expect(await numberIs("whatsapp_business_manager_messaging_limit")).toMatchObject({
      whatsapp_business_manager_messaging_limit: "TIER_10K",
    });
  });

  test("throughput: while it is upgraded nothing is sent", async () => {
    await event("phone_number_quality_update", { event: "THROUGHPUT_UPGRADE" });
    expect(await numberIs("throughput")).toMatchObject({ throughput: { level: "HIGH" } });
    expect(await codeOfSend()).toBe(131057);
    await bench.control("clock", { advanceMs: 60_000 });
    expect(await codeOfSend()).toBeNull();
  });

  test("the name", async () => {
    await event("phone_number_name_update", { decision: "APPROVED", requested_verified_name: "Shrubs" });
    expect(await numberIs("verified_name,name_status")).toMatchObject({
      verified_name: "Shrubs",
      name_status: "APPROVED",
    });
    await event("phone_number_name_update", { decision: "REJECTED", requested_verified_name: "Best" });
    expect(await numberIs("verified_name,name_status")).toMatchObject({
      verified_name: "Shrubs",
      name_status: "DECLINED",
    });
  });

  test.each([
    ["banned", { event: "DISABLED_UPDATE" }, "DISABLE", 131031],
    ["reinstated", { event: "DISABLED_UPDATE" }, "REINSTATE", null],
  ])("an account that is %s", async (_, change, waba_ban_state, code) => {
    if (code === null) await bench.control("reset", { profile: "banned" });
    await event("account_update", { ...change, ban_info: { waba_ban_state, waba_ban_date: "2026-11-21" } });
    expect(await codeOfSend()).toBe(code);
  });

  test("a restriction lasts until its end by the virtual clock", async () => {
    const now = (await bench.control("state")).body.clock.now;
    const expiration = Math.floor(now / 1000) + 3_600;
    await event("account_update", {
      event: "ACCOUNT_RESTRICTION",
      restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING", expiration }],
    });
    expect(await codeOfSend()).toBe(131031);
    await bench.control("clock", { advanceMs: 3_600_000 });
    expect(await codeOfSend()).toBeNull();
  });

  test("a number that left the platform, and came back", async () => {
    await event("account_update", { event: "ACCOUNT_OFFBOARDED" });
    expect(await codeOfSend()).toBe(133010);
    await event("account_update", { event: "ACCOUNT_RECONNECTED" });
    expect(await codeOfSend()).toBeNull();
  });
});

test("whom the business has blocked writes, and nothing arrives", async () => {
  const write = () => bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
  const block = (method: string) =>
    bench.graph(
      `/${NUMBER}/block_users`,
      { messaging_product: "whatsapp", block_users: [{ user: SHEENA }] },
      { method },
    );
  await write();
  expect((await block("POST")).status).toBe(200);
  expect((await write()).body).toEqual({ messageId: expect.stringMatching(/^wamid\./), deliveries: [] });
  expect(itemsOf(bench.receiver, "messages")).toHaveLength(1);
  await block("DELETE");
  await write();
  expect(itemsOf(bench.receiver, "messages")).toHaveLength(2);
});

describe("a reset to", () => {
  const reset = (profile: string) => bench.control("reset", { profile });

  test("empty has an account and a number, and neither people nor templates", async () => {
    await reset("empty");
    const { body } = await bench.control("state");
    expect([body.numbers.length, body.customers, body.templates]).toEqual([1, [], []]);
  });

  test("large has more of everything than one page shows, the same for the same seed", async () => {
    await reset("large");
    const first = (await bench.control("state")).body;
    expect([first.wabas.length, first.numbers.length]).toEqual([5, 41]);
    expect([first.customers.length > 300, first.templates.length > 100]).toEqual([true, true]);
    await reset("large");
    expect((await bench.control("state")).body.wabas).toEqual(first.wabas);
    expect((await read(`/${WABA}/message_templates`)).paging.next).toEqual(expect.any(String));
  });

  test.each([
    ["expired_token", 190],
    ["name_pending", 133010],
    ["banned", 131031],
  ])("%s refuses to send with %i", async (profile, code) => {
    await reset(profile);
    expect(await codeOfSend()).toBe(code);
    await reset("demo");
    expect(await codeOfSend()).toBeNull();
  });
});

test("the clock runs as fast as it is told, and as usual after a reset", async () => {
  await bench.control("clock", { speed: 3_600 });
  await bench.send();
  // Statuses of half a minute of virtual time come in some milliseconds of real time.
  const [first] = await bench.receiver.arrived(1);
  expect(first).toBeDefined();
  const before = (await bench.control("state")).body.clock.now;
  await new Promise((resolve) => setImmediate(resolve));
  expect((await bench.control("state")).body.clock.now).toBeGreaterThanOrEqual(before);
  const advanced = JSON.parse((await bench.control("clock", {})).text);
  expect(advanced.speed).toBe(3_600);
  await bench.control("reset", {});
  expect(JSON.parse((await bench.control("clock", {})).text).speed).toBe(1);
});
