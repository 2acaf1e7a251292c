import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signatureHeader } from "#shared/signature";
import {
  APP_SECRET,
  type InProcess,
  inboundText,
  startInProcess,
  VERIFY_TOKEN,
} from "../../tests/support/in-process";

const URL_OF_WEBHOOK = "http://localhost:3000/api/webhook";

let product: InProcess;
let route: typeof import("@/app/api/webhook/route");

beforeEach(async () => {
  product = await startInProcess();
  route = await import("@/app/api/webhook/route");
});
afterEach(async () => await product.stop());

const deliver = async (body: BodyInit, signature: string | null) =>
  await route.POST(
    new Request(URL_OF_WEBHOOK, {
      method: "POST",
      body,
      headers: signature === null ? {} : { "x-hub-signature-256": signature },
      // Needed by Node for a body that is a stream; the type of the browser's fetch does not know it.
      ...{ duplex: "half" },
    }),
  );

const storedMessages = async () =>
  await product.backend.t.run(async (ctx) => await ctx.db.query("messages").collect());

describe("the handshake", () => {
  const shake = async (query: Record<string, string>) =>
    await route.GET(new Request(`${URL_OF_WEBHOOK}?${new URLSearchParams(query)}`));

  it("answers the challenge as plain text to whoever knows the verify token", async () => {
    const response = await shake({
      "hub.mode": "subscribe",
      "hub.verify_token": VERIFY_TOKEN,
      "hub.challenge": "<b>1158201444</b>",
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await response.text()).toBe("<b>1158201444</b>");
  });

  it("answers 403 to a wrong, missing or prefixed token and to another mode", async () => {
    const right = { "hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1" };
    const wrong: Record<string, string>[] = [
      { ...right, "hub.verify_token": "wrong" },
      { ...right, "hub.verify_token": `${VERIFY_TOKEN}x` },
      { ...right, "hub.mode": "unsubscribe" },
      { "hub.mode": "subscribe", "hub.challenge": "1" },
      { "hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN },
    ];
    for (const query of wrong) {
      expect((await shake(query)).status).toBe(403);
    }
  });
});

describe("a delivery", () => {
  it("is acknowledged after it is stored, and a second time without a second message", async () => {
    await product.addBusiness();
    const { body, signature } = await inboundText("Hello");
    const first = await deliver(body, signature);
    expect([first.status, await first.json()]).toEqual([200, { outcome: "accepted" }]);
    expect(await storedMessages()).toMatchObject([{ text: "Hello", direction: "inbound" }]);

    const second = await deliver(body, signature);
    expect([second.status, await second.json()]).toEqual([200, { outcome: "duplicate" }]);
    expect(await storedMessages()).toHaveLength(1);
  });

  it("gets the same 401 whatever is wrong with its signature", async () => {
    await product.addBusiness();
    const { body, signature } = await inboundText("Hello");
    const answers = [
      await deliver(body, null),
      await deliver(body, "sha256=short"),
      await deliver(body, signature.replace("sha256=", "sha1=")),
      await deliver(body, await signatureHeader("another secret", body)),
      await deliver(`${body} `, signature),
    ];
    const texts = await Promise.all(answers.map(async (answer) => await answer.text()));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(texts).size).toBe(1);
    expect(await storedMessages()).toEqual([]);
  });

  it("is kept byte for byte: what is signed but not understood is acknowledged too", async () => {
    await product.addBusiness();
    for (const body of [
      "not json",
      "[".repeat(50_000),
      '{"object":"whatsapp_business_account","entry":[{}]}',
    ]) {
      const response = await deliver(body, await signatureHeader(APP_SECRET, body));
      expect(response.status, body.slice(0, 20)).toBe(200);
    }
  });

  it("is refused with 413 above 4 MiB, whether or not it says its length", async () => {
    const big = new Uint8Array(4 * 1024 * 1024 + 1);
    const signature = await signatureHeader(APP_SECRET, big);
    expect((await deliver(big, signature)).status).toBe(413);

    let chunksRead = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        chunksRead += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    expect((await deliver(endless, signature)).status).toBe(413);
    expect(chunksRead).toBeLessThan(100);
    expect(product.backend.calls).toEqual([]);
  });

  it("is asked for again with 503 while the backend is away, and taken afterwards", async () => {
    await product.addBusiness();
    const { body, signature } = await inboundText("Hello");
    await product.backend.stop();
    expect((await deliver(body, signature)).status).toBe(503);
    await product.backend.resume();
    expect((await deliver(body, signature)).status).toBe(200);
    expect(await storedMessages()).toHaveLength(1);
  });
});
