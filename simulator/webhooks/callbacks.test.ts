import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, NUMBER, type Receiver, SHEENA, startBench, startReceiver, WABA } from "../test-support";
import { followsOverrides, WEBHOOK_FIELDS } from "./fields";

const APP = "/670843887433847/subscriptions";

let bench: Bench;
/** Callbacks of an account and of a number. */
let ofWaba: Receiver;
let ofNumber: Receiver;
beforeAll(async () => {
  bench = await startBench();
  ofWaba = await startReceiver("waba-token");
  ofNumber = await startReceiver("number-token");
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  for (const receiver of [bench.receiver, ofWaba, ofNumber]) receiver.received.length = 0;
});
afterEach(() => {
  bench.receiver.answer = () => 200;
});
afterAll(async () => {
  await bench.close();
  await ofWaba.close();
  await ofNumber.close();
});

const inbound = (text = "Hello") => bench.control("inbound", { from: SHEENA, type: "text", text });
const rateTemplate = () => bench.control("templates", { template: "hello_world", quality: "YELLOW" });
const overrideWaba = () =>
  bench.graph(`/${WABA}/subscribed_apps`, {
    override_callback_uri: ofWaba.url,
    verify_token: "waba-token",
  });
const overrideNumber = (uri = ofNumber.url, verify_token = "number-token") =>
  bench.graph(`/${NUMBER}`, { webhook_configuration: { override_callback_uri: uri, verify_token } });
const arrivals = () => [bench.receiver, ofWaba, ofNumber].map(({ received }) => received.length);
const fieldsOf = ({ received }: Receiver): string[] =>
  received.flatMap(({ bytes }) =>
    JSON.parse(bytes.toString()).entry.flatMap((entry: { changes: { field: string }[] }) =>
      entry.changes.map(({ field }) => field),
    ),
  );

describe("which callback hears of what", () => {
  test("the number's wins over the account's, and that over the app's", async () => {
    await inbound();
    expect(arrivals()).toEqual([1, 0, 0]);
    await overrideWaba();
    await inbound();
    expect(arrivals()).toEqual([1, 1, 0]);
    expect((await overrideNumber()).body).toEqual({ success: true });
    await inbound();
    expect(arrivals()).toEqual([1, 1, 1]);
    expect((await bench.graph(`/${NUMBER}?fields=webhook_configuration`)).body).toEqual({
      id: NUMBER,
      webhook_configuration: {
        phone_number: ofNumber.url,
        whatsapp_business_account: ofWaba.url,
        application: bench.receiver.url,
      },
    });
    await overrideNumber("");
    await inbound();
    expect(arrivals()).toEqual([1, 2, 1]);
  });

  test("news of templates goes to the app whatever overrides there are, with the time of the entry", async () => {
    await overrideWaba();
    await overrideNumber();
    await rateTemplate();
    expect(arrivals()).toEqual([1, 0, 0]);
    expect(fieldsOf(bench.receiver)).toEqual(["message_template_quality_update"]);
    const body = JSON.parse(bench.receiver.received[0]?.bytes.toString() ?? "");
    expect(Object.keys(body.entry[0]).sort()).toEqual(["changes", "id", "time"]);
  });

  test("an override whose callback fails the handshake changes nothing", async () => {
    expect((await overrideNumber(ofNumber.url, "wrong")).body.error.code).toBe(2200);
    expect((await overrideNumber("ftp://x")).body.error.code).toBe(100);
    expect((await overrideNumber(`http://127.0.0.1/${"x".repeat(200)}`)).body.error.code).toBe(100);
    expect(
      (await bench.graph(`/${NUMBER}`, { webhook_configuration: { verify_token: "x" } })).body.error.code,
    ).toBe(131008);
    await inbound();
    expect(arrivals()).toEqual([1, 0, 0]);
  });

  test("every field of an account or template stays with the app", () => {
    const conversations = WEBHOOK_FIELDS.filter(followsOverrides);
    expect(conversations).toContain("messages");
    expect(
      conversations.filter((field) => /template|account|capability|security|quality/.test(field)),
    ).toEqual([]);
  });
});

describe("the fields of the app", () => {
  const subscribe = (fields: unknown) =>
    bench.graph(APP, {
      object: "whatsapp_business_account",
      callback_url: bench.receiver.url,
      verify_token: "sim-verify-token",
      fields,
    });
  const shownFields = async (): Promise<string[]> => {
    const { data } = JSON.parse((await bench.graph(APP)).text);
    return data[0]?.fields.map(({ name }: { name: string }) => name) ?? [];
  };

  test.each([
    ["a list", ["messages"]],
    ["a text with commas", "messages, security"],
  ])("only what was asked for is sent (%s)", async (_, fields) => {
    expect((await subscribe(fields)).body).toEqual({ success: true });
    await rateTemplate();
    await inbound();
    expect(fieldsOf(bench.receiver)).toEqual(["messages"]);
  });

  test("hold for overrides too", async () => {
    await overrideNumber();
    await subscribe(["account_update"]);
    await inbound();
    expect(arrivals()).toEqual([0, 0, 0]);
  });

  test("an unknown one is refused with its position", async () => {
    const answer = await subscribe(["messages", "mesages"]);
    expect(answer.body.error).toMatchObject({ code: 100, message: expect.stringContaining("fields[1]") });
    expect(await shownFields()).toEqual([...WEBHOOK_FIELDS]);
  });

  test("can be ended one by one", async () => {
    await subscribe(["messages", "security"]);
    await bench.graph(APP, { fields: "security" }, { method: "DELETE" });
    expect(await shownFields()).toEqual(["messages"]);
    await bench.graph(APP, {}, { method: "DELETE" });
    expect(await shownFields()).toEqual([]);
    await inbound();
    expect(arrivals()).toEqual([0, 0, 0]);
  });
});

describe("how webhooks are written", () => {
  const settings = (change: object) => bench.control("settings", change);

  test("several updates come in one POST when batching is on", async () => {
    await settings({ batchMs: 1_000 });
    await overrideNumber();
    await inbound("one");
    await inbound("two");
    await rateTemplate();
    expect(arrivals()).toEqual([0, 0, 0]);
    await bench.control("clock", { advanceMs: 1_000 });
    expect(arrivals()).toEqual([1, 0, 1]);
    expect(fieldsOf(ofNumber)).toEqual(["messages", "messages"]);
    expect(fieldsOf(bench.receiver)).toEqual(["message_template_quality_update"]);
  });

  test("a batch leaves early when it is full", async () => {
    await settings({ batchMs: 60_000, batchMax: 2 });
    await inbound("one");
    await inbound("two");
    await inbound("three");
    const [first] = await bench.receiver.arrived(1);
    expect(JSON.parse(first?.bytes.toString() ?? "").entry[0].changes).toHaveLength(2);
  });

  test("slashes are escaped on request, and the signature covers the escaped bytes", async () => {
    await settings({ escapeSlashes: true });
    await inbound("https://example.com");
    const [first] = bench.receiver.received;
    expect(first?.bytes.toString()).toContain('"https:\\/\\/example.com"');
    expect(JSON.parse(first?.bytes.toString() ?? "").object).toBe("whatsapp_business_account");
  });

  test("a batch of more than 3 MB is split, and one update of more is not sent at all", async () => {
    await settings({ batchMs: 1_000 });
    await inbound("x".repeat(1_600_000));
    await inbound("y".repeat(1_600_000));
    await bench.control("clock", { advanceMs: 1_000 });
    expect(bench.receiver.received.map(({ bytes }) => bytes.length > 1_600_000)).toEqual([true, true]);
    await settings({ batchMs: 0 });
    const { deliveries } = (await inbound("z".repeat(3_200_000))).body;
    expect(deliveries).toMatchObject([{ status: null }]);
    expect(arrivals()).toEqual([2, 0, 0]);
  });

  test("a setting that does not exist is refused, and a reset undoes the others", async () => {
    expect((await settings({ batchMS: 1 })).body.error.path).toBe("batchMS");
    await settings({ escapeSlashes: true });
    await bench.control("reset", {});
    expect(JSON.parse((await bench.control("settings")).text)).toMatchObject({
      batchMs: 0,
      escapeSlashes: false,
      answerTimeoutMs: 20_000,
    });
  });
});

describe("a callback that", () => {
  const reasons = async () =>
    (await bench.control("deliveries")).body.deliveries.map(({ status, error }) => error ?? status);

  test("hangs is given up and asked again", async () => {
    await bench.control("settings", { answerTimeoutMs: 100 });
    bench.receiver.answer = (nth) => (nth === 1 ? null : 200);
    expect((await inbound()).body.deliveries).toMatchObject([{ status: null }]);
    await bench.receiver.arrived(2);
    await bench.control("clock", { advanceMs: 10 });
    expect(await reasons()).toEqual(["TimeoutError", 200]);
  });

  test("resets the connection is asked again", async () => {
    bench.receiver.answer = () => "reset";
    expect((await inbound()).body.deliveries).toMatchObject([{ status: null }]);
    bench.receiver.answer = () => 200;
    await bench.control("clock", { advanceMs: 60_000 });
    expect([(await reasons())[0], (await reasons()).at(-1)]).toEqual(["ECONNRESET", 200]);
  });

  test("redirects is not followed", async () => {
    bench.receiver.answer = () => ({ location: ofWaba.url });
    expect((await inbound()).body.deliveries).toMatchObject([{ status: 302 }]);
    expect(ofWaba.received).toHaveLength(0);
  });

  test("answers 500 is asked again", async () => {
    bench.receiver.answer = (nth) => (nth === 1 ? 500 : 200);
    await inbound();
    await bench.control("clock", { advanceMs: 1_000 });
    expect(await reasons()).toEqual([500, 200]);
  });

  test("can be sent a delivery of the log once more", async () => {
    bench.receiver.answer = () => 200;
    await inbound();
    const answer = await bench.control("deliveries/1/resend", {});
    expect(answer.body.deliveries).toMatchObject([{ status: 200, url: bench.receiver.url }]);
    const [first, second] = bench.receiver.received;
    expect(second?.bytes).toEqual(first?.bytes);
    expect(second?.headers["x-hub-signature-256"]).toBe(first?.headers["x-hub-signature-256"]);
    expect((await bench.control("deliveries")).body.deliveries.at(-1)).toMatchObject({ n: 2, resendOf: 1 });
    expect((await bench.control("deliveries/99/resend", {})).status).toBe(404);
  });
});
