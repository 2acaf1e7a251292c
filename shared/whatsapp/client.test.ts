import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { GraphClient, type GraphClientOptions } from "./client";
import type { FetchLike } from "./http-exchange";
import { buildText } from "./outbound";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  return `http://127.0.0.1:${address.port}`;
}

/** A real server on a real socket; the client's own fetch is Node's. */
async function graph(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => answer(request, response, body));
  });
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return listen(server);
}

const clientOf = (baseUrl: string, more: Partial<GraphClientOptions> = {}) =>
  new GraphClient({ baseUrl, version: "v25.0", accessToken: "token", fetch, deadlineMs: 5_000, ...more });

function textBody() {
  const built = buildText({ to: { phone: "+16505551234" } }, "Hi");
  if (!built.ok) throw new Error(built.problem);
  return built.body;
}

const send = (baseUrl: string, more: Partial<GraphClientOptions> = {}) =>
  clientOf(baseUrl, more).sendMessage("106540352242922", textBody());

const ACCEPTED = {
  messaging_product: "whatsapp",
  contacts: [{ input: "+5541988887777", wa_id: "554188887777" }],
  messages: [{ id: "wamid.OUT" }],
};
const errorBody = (code: number) =>
  JSON.stringify({ error: { code, message: "m", type: "OAuthException", fbtrace_id: "A" } });

test("an accepted send tells the id and who it went to, and asks as Meta documents", async () => {
  let seen = { url: "", auth: "", type: "", body: "" };
  const url = await graph((request, response, body) => {
    const { authorization = "", "content-type": type = "" } = request.headers;
    seen = { url: request.url ?? "", auth: authorization, type, body };
    response.end(JSON.stringify(ACCEPTED));
  });
  expect(await send(`${url}/`, { appSecret: "secret" })).toEqual({
    outcome: "accepted",
    wamid: "wamid.OUT",
    recipient: { input: "+5541988887777", waId: "554188887777" },
  });
  const proof = createHmac("sha256", "secret").update("token").digest("hex");
  expect(seen).toEqual({
    url: `/v25.0/106540352242922/messages?appsecret_proof=${proof}`,
    auth: "Bearer token",
    type: "application/json",
    body: JSON.stringify(textBody()),
  });
});

test("without an app secret no proof is sent", async () => {
  const url = await graph((request, response) =>
    response.end(JSON.stringify({ ...ACCEPTED, path: request.url })),
  );
  const answer = await clientOf(url).get("/me");
  expect(answer).toMatchObject({ ok: true, value: { path: "/v25.0/me" } });
});

describe("the outcome of a send whose answer is", () => {
  test.each([
    ["400 with a code that refuses", 400, errorBody(131047), "rejected"],
    ["401 with a dead token", 401, errorBody(190), "rejected"],
    ["500 with a code that refuses", 500, errorBody(131045), "rejected"],
    ["400 with a rate limit", 400, errorBody(131056), "rateLimited"],
    ["429 with a rate limit", 429, errorBody(130429), "rateLimited"],
    ["429 without a body", 429, "", "rateLimited"],
    ["500 with code 131000", 500, errorBody(131000), "unknown"],
    ["400 with code 1", 400, errorBody(1), "unknown"],
    ["503 with code 2", 503, errorBody(2), "unknown"],
    ["500 with an unknown code", 500, errorBody(987654), "unknown"],
    ["502 in HTML", 502, "<html>Bad gateway</html>", "unknown"],
    ["404 in HTML", 404, "<html>Not found</html>", "unknown"],
    ["200 in HTML", 200, "<html>Hello</html>", "unknown"],
    ["200 with nothing", 200, "", "unknown"],
    ["200 with half of the JSON", 200, JSON.stringify(ACCEPTED).slice(0, -4), "unknown"],
    ["200 without a message id", 200, JSON.stringify({ ...ACCEPTED, messages: [] }), "unknown"],
    ["200 with an error inside", 200, errorBody(131047), "rejected"],
    ["a redirect", 302, "", "unknown"],
  ])("%s", async (_, status, body, outcome) => {
    const url = await graph((_request, response) =>
      response.writeHead(status, { location: "/elsewhere" }).end(body),
    );
    expect(await send(url)).toMatchObject({ outcome });
  });

  test("a rate limit that says how long to wait", async () => {
    const url = await graph((_request, response) =>
      response.writeHead(429, { "retry-after": "7" }).end(errorBody(4)),
    );
    expect(await send(url)).toMatchObject({
      outcome: "rateLimited",
      retryAfterMs: 7_000,
      error: { code: 4 },
    });
  });

  test("larger than anything that Meta answers", async () => {
    const url = await graph((_request, response) => response.end("x".repeat(5 * 1024 * 1024)));
    expect(await send(url)).toMatchObject({ outcome: "unknown", reason: "answer_too_large" });
  });
});

describe("the outcome of a send that meets", () => {
  test("a closed port: not sent", async () => {
    const server = createTcpServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await send(url)).toEqual({ outcome: "notSent", reason: "econnrefused" });
  });

  test("a name that does not exist: not sent", async () => {
    expect(await send("http://does-not-exist.invalid")).toMatchObject({ outcome: "notSent" });
  });

  test("a server that does not speak TLS: never accepted, never repeated blindly when in doubt", async () => {
    const server = createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    closing.push(() => server.close());
    const url = await listen(server);
    const { outcome } = await send(url.replace("http:", "https:"));
    expect(["notSent", "unknown"]).toContain(outcome);
  });

  test("a reset after the request arrived: unknown", async () => {
    const url = await graph((request) => request.socket.resetAndDestroy());
    expect(await send(url)).toMatchObject({ outcome: "unknown" });
  });

  test("an end in the middle of the answer: unknown", async () => {
    const url = await graph((request, response) => {
      response
        .writeHead(200, { "content-length": "1000" })
        .write('{"messages":[{"id":"wamid.OUT"}', () => request.socket.destroy());
    });
    expect(await send(url)).toMatchObject({ outcome: "unknown" });
  });

  test("silence: unknown, at the deadline", async () => {
    const url = await graph(() => undefined);
    expect(await send(url, { deadlineMs: 80 })).toEqual({ outcome: "unknown", reason: "timeout" });
  });

  test("an answer that drips: unknown, at the same deadline", async () => {
    const url = await graph((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(drip));
    });
    expect(await send(url, { deadlineMs: 120 })).toEqual({ outcome: "unknown", reason: "timeout" });
  });

  test("a fetch that ignores its signal: unknown, at the deadline", async () => {
    const deaf: FetchLike = () => new Promise(() => undefined);
    expect(await send("http://127.0.0.1:9", { fetch: deaf, deadlineMs: 50 })).toEqual({
      outcome: "unknown",
      reason: "timeout",
    });
  });

  test.each([new TypeError("fetch failed"), "a string", null, Object.assign(new Error("x"), { code: 5 })])(
    "a failure without a reason (%j): unknown",
    async (failure) => {
      const failing: FetchLike = () => Promise.reject(failure);
      expect(await send("http://127.0.0.1:9", { fetch: failing })).toEqual({
        outcome: "unknown",
        reason: "connection_lost",
      });
    },
  );

  test.each([
    ["ENOTFOUND", {}, "notSent"],
    ["EAI_AGAIN", {}, "notSent"],
    ["UND_ERR_CONNECT_TIMEOUT", {}, "notSent"],
    ["CERT_HAS_EXPIRED", {}, "notSent"],
    ["ETIMEDOUT", { syscall: "connect" }, "notSent"],
    ["EHOSTUNREACH", { syscall: "connect" }, "notSent"],
    ["ETIMEDOUT", { syscall: "read" }, "unknown"],
    ["ECONNRESET", {}, "unknown"],
    ["EPIPE", {}, "unknown"],
    ["UND_ERR_SOCKET", {}, "unknown"],
    ["UND_ERR_HEADERS_TIMEOUT", {}, "unknown"],
  ])("%s %j: %s", async (code, more, outcome) => {
    const cause = Object.assign(new Error(code), { code, ...more });
    const failing: FetchLike = () => Promise.reject(new TypeError("fetch failed", { cause }));
    expect(await send("http://127.0.0.1:9", { fetch: failing })).toMatchObject({ outcome });
  });
});

describe("media", () => {
  test("the link and what is known about the file", async () => {
    const info = {
      url: "https://lookaside.example/x",
      mime_type: "image/jpeg",
      sha256: "ab",
      file_size: "303833",
      id: "1",
    };
    const url = await graph((_request, response) => response.end(JSON.stringify(info)));
    expect(await clientOf(url).getMedia("1")).toEqual({
      ok: true,
      value: { url: info.url, mimeType: "image/jpeg", sha256: "ab", bytes: 303833 },
    });
  });

  test("a download carries the token, and stops at its limit", async () => {
    const url = await graph((request, response) => {
      response.writeHead(request.headers.authorization === "Bearer token" ? 200 : 401).end("12345");
    });
    const client = clientOf(url);
    expect(await client.downloadMedia(url, 5)).toMatchObject({
      ok: true,
      value: Uint8Array.from(Buffer.from("12345")),
    });
    expect(await client.downloadMedia(url, 4)).toEqual({ ok: false, reason: "answer_too_large" });
  });

  test("a redirect is not followed, so the token goes nowhere else", async () => {
    let elsewhere = 0;
    const other = await graph((_request, response) => {
      elsewhere++;
      response.end();
    });
    const url = await graph((_request, response) => response.writeHead(302, { location: other }).end());
    expect(await clientOf(url).downloadMedia(url, 100)).toEqual({ ok: false, reason: "http_302" });
    expect(elsewhere).toBe(0);
  });
});

test("marking as read says whether it worked", async () => {
  const url = await graph((_request, response) => response.end('{"success":true}'));
  expect(await clientOf(url).markRead("1", {})).toEqual({ ok: true, value: true });
  const refusing = await graph((_request, response) => response.writeHead(400).end(errorBody(131009)));
  expect(await clientOf(refusing).markRead("1", {})).toMatchObject({ ok: false, reason: "graph_131009" });
});
