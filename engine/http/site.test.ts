import { randomUUID } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";
import { HTTP_BODY_BYTES_MAX } from "../functions/limits";

const list = makeFunctionReference<"query", { channel: string }, string[]>("messages:list");
const send = makeFunctionReference<"mutation", { channel: string; body: string }, string>("messages:send");

let engine: LiveEngine;
let client: ConvexHttpClient;

beforeAll(async () => {
  engine = await startLiveEngine({ isolation: "reuse", redactErrors: true });
  await engine.admin("/api/update_environment_variables", { changes: [{ name: "CHAT_JWKS", value: "x" }] });
  await engine.deploy("chat-app");
  client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
}, 60_000);

afterAll(() => engine.discard());

const say = (channel: string, body: string) => client.mutation(send, { channel, body });
const heard = (channel: string) => client.query(list, { channel });
const newChannel = () => `channel-${randomUUID()}`;
const until = (isSo: () => Promise<boolean>) => vi.waitUntil(isSo, { timeout: 15_000, interval: 10 });

/** A request whose body the test writes itself. */
function post(path: string, headers: http.OutgoingHttpHeaders = {}) {
  const request = http.request(`${engine.siteUrl}${path}`, { method: "POST", headers, agent: false });
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
  });
  return { request, response };
}

async function textOf(message: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) text += String(chunk);
  return text;
}

describe("a response that streams", () => {
  test("arrives part by part, before the action has ended", async () => {
    const channel = newChannel();
    await say(channel, "first;");
    const response = await fetch(`${engine.siteUrl}/parts?channel=${channel}`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader?.read()).toMatchObject({ value: "first;" });
    await say(channel, "second;");
    expect(await reader?.read()).toMatchObject({ value: "second;" });
    await say(channel, "end");
    expect(await reader?.read()).toMatchObject({ done: true });
    expect(await heard(`${channel}-endings`)).toEqual([]);
  });

  test("is canceled when the caller goes, also while nothing is being sent", async () => {
    const channel = newChannel();
    await say(channel, "first;");
    const aborter = new AbortController();
    const response = await fetch(`${engine.siteUrl}/parts?channel=${channel}`, { signal: aborter.signal });
    await response.body?.getReader().read();
    aborter.abort();
    await until(async () => (await heard(`${channel}-endings`)).length === 2);
    expect((await heard(`${channel}-endings`)).sort()).toEqual(["aborted", "canceled"]);
  });

  test("that breaks does not look whole", async () => {
    const channel = newChannel();
    await say(channel, "first;");
    const response = await fetch(`${engine.siteUrl}/parts?channel=${channel}`);
    const reader = response.body?.getReader();
    await reader?.read();
    await say(channel, "break");
    await expect(reader?.read()).rejects.toThrow();
  });

  test("is made no faster than its caller reads", async () => {
    const channel = newChannel();
    const socket = net.connect(Number(new URL(engine.siteUrl).port), "127.0.0.1");
    socket.pause();
    socket.write(`GET /flood?channel=${channel} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    // Everything that is made is noted. When notes stop coming, the buffers on the way are full.
    let made = -1;
    await vi.waitUntil(
      async () => {
        const before = made;
        made = (await heard(channel)).length;
        return made > 0 && made === before;
      },
      { timeout: 15_000, interval: 500 },
    );
    expect(made).toBeLessThan(HTTP_BODY_BYTES_MAX / (256 * 1024));
    socket.destroy();
  });
});

describe("the body of a request", () => {
  test("streams into the action while it is still being sent", async () => {
    const { request, response } = post("/sizes");
    request.write(Buffer.alloc(1000));
    const answer = await response;
    expect(await new Promise((resolve) => answer.once("data", (data) => resolve(String(data))))).toBe(
      "1000;",
    );
    request.end(Buffer.alloc(2000));
    expect(await textOf(answer)).toBe("2000;");
  });

  test.each([
    ["nothing", 0],
    ["a short one", 10],
    ["a long one", 5_000_000],
  ])("arrives whole: %s", async (_, size) => {
    const response = await fetch(`${engine.siteUrl}/count`, { method: "POST", body: new Uint8Array(size) });
    expect(await response.text()).toBe(String(size));
  });

  test("that nobody reads does not keep the answer back, nor the next request on the connection", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 3; n++) {
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        http
          .request(`${engine.siteUrl}/refuse`, { method: "POST", agent }, resolve)
          .once("error", reject)
          .end(Buffer.alloc(3_000_000));
      });
      expect([response.statusCode, await textOf(response)]).toEqual([403, "no"]);
    }
    agent.destroy();
  });

  test("beyond 20 MiB is refused before it is read where it says so, and while it is read where it does not", async () => {
    const announced = post("/count", { "content-length": HTTP_BODY_BYTES_MAX + 1 });
    announced.request.flushHeaders();
    expect((await announced.response).statusCode).toBe(413);
    announced.request.destroy();

    const growing = post("/count");
    for (let sent = 0; sent <= HTTP_BODY_BYTES_MAX; sent += 1024 * 1024) {
      growing.request.write(Buffer.alloc(1024 * 1024));
    }
    growing.request.end();
    expect((await growing.response).statusCode).toBe(413);
  });

  test("that breaks off leaves nothing behind: the next request is answered", async () => {
    const { request, response } = post("/count", { "content-length": 1_000_000 });
    const failed = expect(response).rejects.toThrow();
    await new Promise((resolve) => request.write(Buffer.alloc(100_000), resolve));
    request.destroy(new Error("gone"));
    await failed;
    expect((await fetch(`${engine.siteUrl}/count`, { method: "POST", body: "x" })).status).toBe(200);
  });
});

describe("an answer", () => {
  test("has every cookie and every byte", async () => {
    const response = await fetch(`${engine.siteUrl}/cookies`);
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(
      Uint8Array.from({ length: 256 }, (_, n) => n),
    );
  });

  test("to HEAD is the head of the one to GET", async () => {
    const response = await fetch(`${engine.siteUrl}/cookies`, { method: "HEAD" });
    expect([response.status, response.headers.getSetCookie().length, await response.text()]).toEqual([
      200,
      2,
      "",
    ]);
  });

  test("of an action that throws hides the text and keeps the data of a ConvexError", async () => {
    const response = await fetch(`${engine.siteUrl}/fail`);
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        code: expect.stringMatching(/^\[Request ID: [0-9a-f]{16}\] Server Error$/),
        data: { code: "refused" },
      },
    ]);
  });

  test.each([
    ["GET", "/nothing", 404, "No matching routes found"],
    ["POST", "/cookies", 404, "No matching routes found"],
    ["GET", "/hook", 404, "No matching routes found"],
    ["OPTIONS", "/hook", 404, "No matching routes found"],
  ])("to %s %s is %s", async (method, path, status, text) => {
    const response = await fetch(`${engine.siteUrl}${path}`, { method });
    expect([response.status, await response.text()]).toEqual([status, text]);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("names the address that the caller used, also behind a proxy", async () => {
    const seen = async (headers: Record<string, string>) =>
      (await fetch(`${engine.siteUrl}/hook`, { method: "POST", body: "x", headers })).headers.get(
        "x-seen-url",
      );
    expect(await seen({})).toBe(`${engine.siteUrl}/hook`);
    expect(await seen({ "x-forwarded-proto": "https" })).toBe(
      `${engine.siteUrl.replace("http", "https")}/hook`,
    );
    expect(await seen({ forwarded: "for=1.2.3.4;proto=https, for=5.6.7.8;proto=http" })).toMatch(/^https:/);
    expect(await seen({ forwarded: "for=1.2.3.4;proto=http, for=5.6.7.8;proto=https" })).toMatch(/^http:/);
  });
});

test("many callers who go at once leave every place free", async () => {
  const channel = newChannel();
  await say(channel, "first;");
  const aborter = new AbortController();
  const asked = Array.from({ length: 64 }, async () => {
    const response = await fetch(`${engine.siteUrl}/parts?channel=${channel}`, { signal: aborter.signal });
    await response.body?.getReader().read();
  });
  await Promise.all(asked);
  aborter.abort();
  expect((await fetch(`${engine.siteUrl}/cookies`)).status).toBe(200);
});
