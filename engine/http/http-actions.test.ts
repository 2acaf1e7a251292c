import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { HTTP_BODY_BYTES_MAX } from "../functions/limits";
import { actionRequest, sendActionResponse } from "./http-actions";
import { errorAnswer } from "./http-error";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server whose every request is answered by `action`, as a registered HTTP action would; its log beside it. */
async function serve(action: (request: Request) => Response | Promise<Response>) {
  const log: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    try {
      const exchange = { request: incoming, response: outgoing };
      const request = actionRequest(exchange, incoming.url ?? "/", "fallback");
      await sendActionResponse(await action(request), outgoing, (line) => log.push(line));
    } catch (error) {
      outgoing.writeHead(errorAnswer(error)?.status ?? 500).end(String(error));
    }
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // A TCP server has this kind of address.
  return { url: `http://127.0.0.1:${port}`, log };
}

test("the action's URL has the host and scheme that the caller used", async () => {
  const { url } = await serve((request) => new Response(request.url));
  const seen = async (headers: Record<string, string>) =>
    (await fetch(`${url}/a%20b?c=d&c=e`, { headers })).text();
  expect(await seen({})).toBe(`${url}/a%20b?c=d&c=e`);
  expect(await seen({ "x-forwarded-proto": "https" })).toBe(`${url.replace("http", "https")}/a%20b?c=d&c=e`);
  expect(await seen({ forwarded: 'for=1.2.3.4;proto="https"' })).toMatch(/^https:/);
});

test("method, headers and body of a POST arrive; GET and OPTIONS have no body", async () => {
  const { url } = await serve(async (request) =>
    Response.json({
      method: request.method,
      header: request.headers.get("x-signature"),
      body: request.body === null ? null : await request.text(),
    }),
  );
  const post = await fetch(url, { method: "POST", headers: { "x-signature": "abc" }, body: "raw ✓ bytes" });
  expect(await post.json()).toEqual({ method: "POST", header: "abc", body: "raw ✓ bytes" });
  const options = await fetch(url, { method: "OPTIONS" });
  expect(await options.json()).toMatchObject({ method: "OPTIONS", body: null });
});

test("status, repeated cookies and an empty body go out as the action made them", async () => {
  const headers = new Headers({ "x-answer": "1" });
  headers.append("set-cookie", "a=1; Path=/");
  headers.append("set-cookie", "b=2");
  const { url } = await serve(() => new Response(null, { status: 204, headers }));
  const response = await fetch(url);
  expect(response.status).toBe(204);
  expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
  expect(response.headers.get("x-answer")).toBe("1");
});

test("a streamed response arrives piece by piece", async () => {
  let sendRest = () => {};
  const { url } = await serve(
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("first"));
            sendRest = () => {
              controller.enqueue(new TextEncoder().encode("second"));
              controller.close();
            };
          },
        }),
      ),
  );
  const response = await fetch(url);
  const reader = response.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
  sendRest();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("second");
});

test("a response beyond the limit is cut there, and the log says so", async () => {
  const { url, log } = await serve(() => new Response(new Uint8Array(HTTP_BODY_BYTES_MAX + 1)));
  const body = await (await fetch(url)).arrayBuffer();
  expect(body.byteLength).toBe(HTTP_BODY_BYTES_MAX);
  expect(log).toEqual([expect.stringMatching(/was cut/)]);
});

test("an announced request body beyond the limit is refused before it is read", async () => {
  const { url } = await serve(() => new Response("ran"));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { "content-length": HTTP_BODY_BYTES_MAX + 1 };
    httpRequest(url, { method: "POST", headers }, resolve).on("error", reject).flushHeaders();
  });
  response.resume();
  expect(response.statusCode).toBe(413);
});
