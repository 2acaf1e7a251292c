import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Readable } from "node:stream";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { ROOT } from "../../local/env";
import { type LiveProduct, startLiveProduct } from "../../tests/support/live-product";

const SCRIPT = path.join(ROOT, "src/mcp/stdio.ts");
const ARGS = ["--import", "tsx", SCRIPT];
const INFO = { name: "test", version: "1.0.0" };
const WAIT = { timeout: 30_000, interval: 20 };

let product: LiveProduct;
let app: http.Server;
let site: string;

beforeAll(async () => {
  product = await startLiveProduct();
  const { answerMcp } = await import("./endpoint");
  app = http.createServer(async (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const body = request.method === "POST" ? { body: await bytesOf(request) } : {};
    const headers = new Headers(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === "string" ? [[name, value] as [string, string]] : [],
      ),
    );
    const method = request.method ?? "GET";
    const url = `http://localhost${request.url}`;
    const answer = await answerMcp(new Request(url, { method, headers, signal: gone.signal, ...body }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.flushHeaders();
    for await (const chunk of answer.body ?? []) response.write(chunk);
    response.end();
  });
  const port = await new Promise<number>((resolve) => {
    app.listen(0, "127.0.0.1", () => resolve((app.address() as AddressInfo).port));
  });
  site = `http://127.0.0.1:${port}`;
}, 180_000);
afterAll(async () => {
  (await import("./push/streams")).closeAllStreams();
  await new Promise<void>((resolve) => {
    app.close(() => resolve());
    app.closeAllConnections();
  });
  await (await import("./audit")).drainAudit();
  await product.stop();
}, 60_000);

const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
}, 30_000);

async function bytesOf(stream: Readable): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Settings of a process that asks the running installation, and of one that is the server itself. */
const WAYS: Record<string, (key: string) => Record<string, string>> = {
  "an installation's address": (key) => ({ PONS_API_KEY: key, PONS_URL: site }),
  "the backend itself": (key) => ({ ...product.serverEnv, PONS_API_KEY: key }),
};

type Talk = {
  told: string[];
  tools: () => Promise<string[]>;
  call: (name: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>;
  read: (uri: string) => Promise<string>;
  subscribe: (uri: string) => Promise<void>;
};

const result = z.looseObject({ structuredContent: z.record(z.string(), z.unknown()).optional() });
const contents = z.looseObject({ contents: z.tuple([z.looseObject({ text: z.string() })]) });

const modern =
  (mode: "modern" | "legacy") =>
  async (env: Record<string, string>): Promise<Talk> => {
    const client = new Client(INFO, {
      versionNegotiation: { mode: mode === "modern" ? { pin: "2026-07-28" } : "legacy" },
    });
    const told: string[] = [];
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
      told.push(params.uri);
    });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: ARGS, env, cwd: ROOT, stderr: "ignore" }),
    );
    open.push(client);
    return {
      told,
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args) =>
        result.parse(await client.callTool({ name, arguments: args })).structuredContent ?? {},
      read: async (uri) => contents.parse(await client.readResource({ uri })).contents[0].text,
      subscribe: async (uri) =>
        void (mode === "modern"
          ? await client.listen({ resourceSubscriptions: [uri] })
          : await client.subscribeResource({ uri })),
    };
  };

const old = async (env: Record<string, string>): Promise<Talk> => {
  const client = new OldClient(INFO);
  const told: string[] = [];
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    told.push(params.uri);
  });
  await client.connect(
    new OldTransport({ command: process.execPath, args: ARGS, env, cwd: ROOT, stderr: "ignore" }),
  );
  open.push(client);
  return {
    told,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args) =>
      result.parse(await client.callTool({ name, arguments: args })).structuredContent ?? {},
    read: async (uri) => contents.parse(await client.readResource({ uri })).contents[0].text,
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
  };
};

const CLIENTS: Record<string, (env: Record<string, string>) => Promise<Talk>> = {
  "2026-07-28": modern("modern"),
  "2025-11-25 (current SDK)": modern("legacy"),
  "2025-11-25 (first SDK)": old,
};

const cases = Object.keys(WAYS).flatMap((way) =>
  Object.keys(CLIENTS).map((kind, at) => ({
    way,
    kind,
    from: `16505558${at}${Object.keys(WAYS).indexOf(way)}0`,
  })),
);

describe.each(cases)("over stdio with $way, a client of $kind", ({ way, kind, from }) => {
  it("lists, reads, sends, is refused, and is told what changed", async () => {
    const connect = CLIENTS[kind];
    const settings = WAYS[way];
    if (connect === undefined || settings === undefined) throw new Error("There is no such case.");
    const { key } = await product.createKey(["read", "send"]);
    const client = await connect(settings(key));
    expect(await client.tools()).toContain("send_text");
    const uri = `pons://accounts/${product.number.slice(1)}/messages`;
    await client.subscribe(uri);
    await product.customerWrites("Over the pipe", { from, name: "Ada" });
    await vi.waitFor(() => expect(client.told).toContain(uri), WAIT);
    expect(await client.read(uri)).toContain("Over the pipe");
    const sent = await client.call("send_text", { contact: `+${from}`, text: "Hello!" });
    expect(sent).toMatchObject({ outcome: "accepted" });
    const refused = await client.call("send_text", { contact: "+16505559999", text: "Hello!" });
    expect(refused).toMatchObject({ refused: true });
  });
});

describe("the stdio process", () => {
  const run = async (env: Record<string, string>) => {
    const child = spawn(process.execPath, ARGS, { cwd: ROOT, env, stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.stdin.end();
    const [code] = await once(child, "close");
    return { code, out, err };
  };

  it("ends with one sentence on standard error when it has no usable settings", async () => {
    for (const [env, word] of [
      [{}, "PONS_API_KEY"],
      [{ PONS_API_KEY: "pons_live_x", PONS_URL: "http://example.com" }, "https"],
      [{ ...product.serverEnv, PONS_API_KEY: "pons_live_x" }, "not a valid key"],
    ] as const) {
      const { code, out, err } = await run({ ...env });
      expect([code, out]).toEqual([1, ""]);
      expect(err).toContain(word);
    }
  });

  it("writes nothing but the protocol, and ends when the client goes", async () => {
    const { key } = await product.createKey(["read"]);
    for (const way of Object.values(WAYS)) {
      const { code, out } = await run(way(key));
      expect([code, out]).toEqual([0, ""]);
    }
  });
});
