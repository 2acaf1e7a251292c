import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Bench,
  opensslHmac,
  type Received,
  type Receiver,
  SHEENA,
  startBench,
  startReceiver,
  WABA,
} from "../test-support";

let bench: Bench;
let second: Receiver;
beforeAll(async () => {
  bench = await startBench();
  second = await startReceiver("second-token");
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
  second.received.length = 0;
});
afterAll(async () => {
  await bench.close();
  await second.close();
});

interface App {
  readonly id: string;
  readonly secret: string;
  readonly accessToken: string;
}

const addApp = async (more: object = {}): Promise<App> => {
  const answer = await bench.control("apps", {
    name: "Second",
    secret: "second-secret",
    callbackUrl: second.url,
    verifyToken: "second-token",
    ...more,
  });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text);
};
const inbound = () => bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
const asApp = (token: string, path: string, body?: object, method?: string) =>
  bench.graph(path, body, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(method !== undefined && { method }),
  });

const isSignedBy = async (received: Received | undefined, secret: string) =>
  received?.headers["x-hub-signature-256"] ===
  `sha256=${await opensslHmac(received?.bytes ?? Buffer.alloc(0), secret)}`;

describe("a second app", () => {
  test("hears the same webhook as the first, each signed with its own secret", async () => {
    await addApp();
    expect((await inbound()).body.deliveries).toHaveLength(2);
    const [ofFirst] = bench.receiver.received;
    const [ofSecond] = second.received;
    expect(ofSecond?.bytes).toEqual(ofFirst?.bytes);
    expect(await isSignedBy(ofFirst, "sim-app-secret")).toBe(true);
    expect(await isSignedBy(ofSecond, "second-secret")).toBe(true);
    expect(await isSignedBy(ofSecond, "sim-app-secret")).toBe(false);
    const { deliveries } = (await bench.control("deliveries")).body;
    const n = deliveries.find(({ url }) => url === second.url)?.n;
    await bench.control(`deliveries/${n}/resend`, {});
    expect(await isSignedBy(second.received[1], "second-secret")).toBe(true);
  });

  test("listens to its own accounts and fields only", async () => {
    const { id } = JSON.parse((await bench.control("wabas", { name: "Another" })).text);
    await addApp({ wabaIds: [id], fields: ["message_template_status_update"] });
    await inbound();
    expect([bench.receiver.received.length, second.received.length]).toEqual([1, 0]);
    const template = {
      name: "x",
      language: "en_US",
      category: "UTILITY",
      components: [{ type: "BODY", text: "Hello to you." }],
    };
    expect((await bench.graph(`/${id}/message_templates`, template)).status).toBe(200);
    await bench.control("clock", { advanceMs: 10_000 });
    expect([bench.receiver.received.length, second.received.length]).toEqual([1, 1]);
  });

  test("ends and begins its own subscription, and leaves that of the first alone", async () => {
    const app = await addApp();
    const apps = async () =>
      JSON.parse((await bench.graph(`/${WABA}/subscribed_apps`)).text).data.map(
        (entry: { whatsapp_business_api_data: { name: string } }) => entry.whatsapp_business_api_data.name,
      );
    expect(await apps()).toEqual(["Simulated app", "Second"]);
    await asApp(app.accessToken, `/${WABA}/subscribed_apps`, undefined, "DELETE");
    expect(await apps()).toEqual(["Simulated app"]);
    await inbound();
    expect([bench.receiver.received.length, second.received.length]).toEqual([1, 0]);
    await asApp(app.accessToken, `/${WABA}/subscribed_apps`, {});
    await inbound();
    expect([bench.receiver.received.length, second.received.length]).toEqual([2, 1]);
  });

  test("manages its callback by its own credential; another app's looks as if it did not exist", async () => {
    const app = await addApp();
    const own = `${app.id}|second-secret`;
    const shown = await asApp(own, `/${app.id}/subscriptions`);
    expect(JSON.parse(shown.text).data[0].callback_url).toBe(second.url);
    expect((await bench.graph(`/${app.id}/subscriptions`)).body.error.code).toBe(100);
    expect((await asApp(own, "/670843887433847/subscriptions")).body.error.code).toBe(100);
    const described = await bench.graph(`/debug_token?input_token=${app.accessToken}`);
    expect(JSON.parse(described.text).data).toMatchObject({ app_id: app.id, is_valid: true });
  });

  test("whose callback fails the handshake, or whose account is of nobody, is not made", async () => {
    const wrong = { callbackUrl: second.url, verifyToken: "wrong" };
    expect(await bench.control("apps", wrong)).toMatchObject({
      status: 409,
      body: { error: { path: "callbackUrl" } },
    });
    expect(await bench.control("apps", { wabaIds: ["1"] })).toMatchObject({
      status: 404,
      body: { error: { path: "wabaIds.0" } },
    });
  });
});
