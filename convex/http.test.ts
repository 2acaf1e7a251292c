import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signatureHeader } from "#shared/signature";
import {
  APP_SECRET,
  type App,
  bytesOf,
  closeApp,
  openApp,
  textMessage,
  webhook,
} from "../tests/support/convex-app";

let app: App;
beforeEach(() => {
  app = openApp();
});
afterEach(closeApp);

const handshake = (query: Record<string, string>) =>
  app.backend.fetch(`/webhook?${new URLSearchParams({ "hub.mode": "subscribe", ...query })}`);

describe("GET /webhook", () => {
  it("gives the challenge back as plain text when the token is right", async () => {
    const answer = await handshake({ "hub.verify_token": "verify-me", "hub.challenge": "1158201444" });
    expect([answer.status, await answer.text()]).toEqual([200, "1158201444"]);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
  });

  it.each([
    ["a wrong token", { "hub.verify_token": "verify-me!", "hub.challenge": "1" }],
    ["no token", { "hub.challenge": "1" }],
    ["another mode", { "hub.mode": "unsubscribe", "hub.verify_token": "verify-me", "hub.challenge": "1" }],
    ["no challenge", { "hub.verify_token": "verify-me" }],
  ])("answers 403 to %s", async (_, query) => {
    expect((await handshake(query)).status).toBe(403);
  });

  it("answers 403 to everybody while no token is configured", async () => {
    vi.stubEnv("WEBHOOK_VERIFY_TOKEN", "");
    expect((await handshake({ "hub.verify_token": "", "hub.challenge": "1" })).status).toBe(403);
  });
});

describe("POST /webhook", () => {
  const post = async (body: BodyInit, signature: string | null) =>
    await app.backend.fetch("/webhook", {
      method: "POST",
      body,
      headers: signature === null ? {} : { "x-hub-signature-256": signature },
    });

  it("answers 200 after the delivery is stored, and 200 for its repetition", async () => {
    await app.addAccount();
    const body = bytesOf(webhook([textMessage({ text: "Grüße" })]));
    const signature = await signatureHeader(APP_SECRET, body);
    expect((await post(body, signature)).status).toBe(200);
    expect((await post(body, signature)).status).toBe(200);
    expect(await app.rows("messages")).toMatchObject([{ text: "Grüße" }]);
  });

  it("verifies the bytes as they came, also when they are no valid UTF-8", async () => {
    await app.addAccount();
    const text = new Uint8Array(bytesOf(webhook([textMessage({ text: "caf\u00e9" })])));
    const at = text.indexOf(0xc3);
    const latin1 = new Uint8Array([...text.slice(0, at), 0xe9, ...text.slice(at + 2)]);
    expect((await post(latin1, await signatureHeader(APP_SECRET, latin1))).status).toBe(200);
    expect(await app.rows("messages")).toMatchObject([{ text: "caf\ufffd" }]);
  });

  it("answers 401 with one and the same body to a bad signature, a missing one and an unknown number", async () => {
    await app.addAccount();
    const body = bytesOf(webhook([textMessage()]));
    const unknown = bytesOf(webhook([textMessage()], { phoneNumberId: "404" }));
    const answers = [
      await post(body, `sha256=${"0".repeat(64)}`),
      await post(body, null),
      await post(unknown, await signatureHeader(APP_SECRET, unknown)),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
  });

  it("answers 413 to more than 4 MiB, whether or not the length was announced", async () => {
    expect((await post(new Uint8Array(5 * 1024 * 1024), null)).status).toBe(413);
    const chunk = new Uint8Array(1024 * 1024);
    let chunks = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        chunks++;
        controller.enqueue(chunk);
      },
    });
    const answer = await app.backend.fetch("/webhook", {
      method: "POST",
      body: endless,
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(chunks).toBeLessThan(10);
  });

  it("answers 503 when it cannot be stored, so that Meta comes again", async () => {
    await app.addAccount();
    vi.stubEnv("SECRETS_KEYS", "");
    vi.spyOn(console, "error").mockImplementation(() => {});
    const body = bytesOf(webhook([textMessage()]));
    expect((await post(body, await signatureHeader(APP_SECRET, body))).status).toBe(503);
  });
});
