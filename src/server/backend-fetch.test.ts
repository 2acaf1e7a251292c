import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BackendUnavailable } from "./app-error";
import { fetchFromBackend } from "./backend-fetch";

let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
let server: http.Server;
let url: string;
let connections: number;

beforeEach(async () => {
  connections = 0;
  server = http.createServer((request, response) => answer(request, response));
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // A TCP server has this kind of address.
  url = `http://127.0.0.1:${port}/api/query`;
});
afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const call = async (body = "{}") =>
  await fetchFromBackend(url, { method: "POST", headers: { "content-type": "application/json" }, body });

describe("a call of the backend", () => {
  it("carries its body and headers, and gives the answer back as it came", async () => {
    answer = async (request, response) => {
      let text = "";
      for await (const part of request.setEncoding("utf8")) text += part;
      const bytes = Buffer.from(`${request.method} ${request.headers["content-type"]} ${text}`);
      // In the middle of a character.
      response.write(bytes.subarray(0, bytes.length - 2));
      setImmediate(() => response.end(bytes.subarray(bytes.length - 2)));
    };
    const response = await call("Grüße 👋");
    expect([response.status, await response.text()]).toEqual([200, "POST application/json Grüße 👋"]);
  });

  it("uses its connection again", async () => {
    answer = (request, response) => request.resume().on("end", () => response.end("ok"));
    for (let i = 0; i < 5; i++) await call();
    expect(connections).toBe(1);
  });

  it("tells the function's own error from a backend that does not work", async () => {
    answer = (_request, response) => response.writeHead(560).end("the function said no");
    expect(await (await call()).text()).toBe("the function said no");
    for (const status of [307, 401, 404, 500, 503]) {
      answer = (_request, response) => response.writeHead(status).end("away");
      await expect(call()).rejects.toMatchObject({
        name: "BackendUnavailable",
        reason: `status ${status}: away`,
      });
    }
  });

  it("fails when the connection breaks before or within the answer, or there is none", async () => {
    answer = (request) => request.socket.destroy();
    await expect(call()).rejects.toBeInstanceOf(BackendUnavailable);
    answer = (request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => request.socket.destroy());
    };
    await expect(call()).rejects.toBeInstanceOf(BackendUnavailable);
    await new Promise((resolve) => server.close(resolve));
    await expect(call()).rejects.toBeInstanceOf(BackendUnavailable);
  });

  it("is given up after ten seconds without an answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const arrived = new Promise<void>((resolve) => {
      answer = () => resolve();
    });
    const failed = expect(call()).rejects.toMatchObject({ reason: expect.stringContaining("10000 ms") });
    await arrived;
    vi.advanceTimersByTime(10_000);
    await failed;
  });
});
