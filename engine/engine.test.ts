import { once } from "node:events";
import { BaseConvexClient, ConvexClient, type ConvexClientOptions, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { makeIssuer } from "../tests/support/identity";
import { type LiveEngine, startLiveEngine } from "../tests/support/live-engine";

const list = makeFunctionReference<"query", { channel: string }, string[]>("messages:list");
const whoAmI = makeFunctionReference<"query", Record<string, never>, string | null>("messages:whoAmI");
const crash = makeFunctionReference<"query", Record<string, never>, null>("messages:crash");
const send = makeFunctionReference<"mutation", { channel: string; body: string }, string>("messages:send");
const refuse = makeFunctionReference<"mutation", { channel: string }, null>("messages:refuse");
const sendTwice = makeFunctionReference<"action", { channel: string; body: string }, string>(
  "messages:sendTwice",
);

let issuer: Awaited<ReturnType<typeof makeIssuer>>;
let engine: LiveEngine;
const opened: { close(): Promise<unknown> }[] = [];

async function startDeployed(redactErrors = false): Promise<LiveEngine> {
  const started = await startLiveEngine({ redactErrors });
  await started.admin("/api/update_environment_variables", {
    changes: [{ name: "CHAT_JWKS", value: issuer.jwks }],
  });
  await started.deploy("chat-app");
  return started;
}

beforeAll(async () => {
  issuer = await makeIssuer();
  engine = await startDeployed();
}, 60_000);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.close()));
});

afterAll(() => engine.discard());

// ws has the browser's WebSocket interface but for parts that the client does not use.
const nodeSocket = WebSocket as unknown as NonNullable<ConvexClientOptions["webSocketConstructor"]>;

function live(url = engine.cloudUrl): ConvexClient {
  const client = new ConvexClient(url, {
    webSocketConstructor: nodeSocket,
    unsavedChangesWarning: false,
    logger: false,
  });
  opened.push(client);
  return client;
}

/** Resolves once the query answers what `isWanted` accepts. */
function until<Value>(
  subscribe: (heard: (value: Value) => void) => () => void,
  isWanted: (value: Value) => boolean,
) {
  return new Promise<Value>((resolve) => {
    const stop = subscribe((value) => {
      if (isWanted(value)) {
        queueMicrotask(() => stop());
        resolve(value);
      }
    });
  });
}

describe("ConvexHttpClient", () => {
  test("queries, mutates and acts", async () => {
    const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
    expect(await client.mutation(send, { channel: "http", body: "one" })).toMatch(/^[0-9a-z]{31,34}$/);
    expect(await client.action(sendTwice, { channel: "http", body: "two" })).toBe("sent two twice");
    expect(await client.query(list, { channel: "http" })).toEqual(["one", "two", "two"]);
  });

  test("hears a ConvexError with its data, and a message for every other error", async () => {
    const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
    const refused = await client
      .mutation(refuse, { channel: "http-refused" })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConvexError);
    expect(refused).toMatchObject({ data: { code: "closed", channel: "http-refused" } });
    expect(await client.query(list, { channel: "http-refused" })).toEqual([]);
    await expect(client.query(crash, {})).rejects.toThrow("the reason is for developers");
  });

  test("is who its token says, and is turned away with a token that cannot be verified", async () => {
    const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
    expect(await client.query(whoAmI, {})).toBeNull();
    client.setAuth(await issuer.token("ann"));
    expect(await client.query(whoAmI, {})).toBe("ann");
    client.setAuth(await issuer.token("ann", -60));
    await expect(client.query(whoAmI, {})).rejects.toThrow("Token expired");
  });
});

describe("the HTTP API", () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${engine.cloudUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  test("answers plain REST callers by path with plain JSON", async () => {
    const response = await post("/api/run/messages/list", { args: { channel: "nobody" } });
    expect(await response.json()).toEqual({ status: "success", value: [], logLines: [] });
    const query = new URLSearchParams({
      path: "messages:list",
      args: '{"channel":"nobody"}',
      format: "json",
    });
    expect(await (await fetch(`${engine.cloudUrl}/api/query?${query}`)).json()).toMatchObject({ value: [] });
  });

  test("answers a batch of queries in order", async () => {
    const queries = ["nobody", 5].map((channel) => ({ path: "messages:list", args: [{ channel }] }));
    const { results } = (await (await post("/api/query_batch", { queries })).json()) as { results: object[] };
    expect(results).toMatchObject([{ status: "success" }, { status: "error" }]);
  });

  test("lets only the administrator call internal functions", async () => {
    const body = { path: "messages:total", args: {} };
    // What is no deploy key is 403 on Convex; on 401 the CLI would try again for ever.
    expect((await post("/api/function", body)).status).toBe(403);
    expect((await post("/api/function", body, { authorization: "Convex wrong" })).status).toBe(403);
    const response = await engine.admin("/api/function", body);
    expect(await response.json()).toMatchObject({ status: "success", value: expect.any(Number) });
    expect(await (await post("/api/query", { ...body, args: [{}] })).json()).toMatchObject({
      status: "error",
    });
  });

  test.each([
    ["text that is not JSON", "/api/query", "{", 400],
    ["no path", "/api/query", {}, 400],
    ["a list", "/api/mutation", [], 400],
    ["two arguments", "/api/query", { path: "messages:list", args: [{}, {}] }, 400],
    ["an unknown format", "/api/query", { path: "messages:list", format: "xml" }, 400],
    ["a component", "/api/query", { path: "messages:list", componentPath: "a" }, 403],
    ["an unknown endpoint", "/api/nothing", {}, 404],
  ])("answers %s with a code and a sentence", async (_, path, body, status) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      code: expect.stringMatching(/^\w+$/),
      message: expect.stringMatching(/\S/),
    });
  });

  test("refuses a body beyond the limit of 16 MiB of arguments", async () => {
    const response = await post("/api/query", `"${"x".repeat(17 * 1024 * 1024)}"`);
    expect(response.status).toBe(413);
  });

  test("lets pages of any origin call it, credentials and headers included", async () => {
    const preflight = await fetch(`${engine.cloudUrl}/api/query`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-headers": "authorization,x-y" },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "authorization,x-y",
      "access-control-max-age": "86400",
    });
  });
});

describe("HTTP actions", () => {
  test("are served on the site port and under /http of the API port", async () => {
    const direct = await fetch(`${engine.siteUrl}/hook`, { method: "POST", body: "raw ✓" });
    expect([direct.status, await direct.text()]).toEqual([201, "got raw ✓"]);
    expect(direct.headers.get("x-seen-url")).toBe(`${engine.siteUrl}/hook`);
    const viaApi = await fetch(`${engine.cloudUrl}/http/hook`, { method: "POST", body: "again" });
    expect(viaApi.status).toBe(201);
    const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
    expect(await client.query(list, { channel: "hooks" })).toEqual(["raw ✓", "again"]);
    expect(await (await fetch(`${engine.siteUrl}/files/a/b?c=d`)).text()).toBe("/files/a/b");
  });

  test("know who calls, and throw only when they ask about a credential that is not a JWT", async () => {
    const me = async (authorization?: string) =>
      fetch(`${engine.siteUrl}/me`, authorization === undefined ? {} : { headers: { authorization } });
    expect(await (await me()).json()).toBeNull();
    expect(await (await me(`Bearer ${await issuer.token("ann")}`)).json()).toMatchObject({ subject: "ann" });
    expect((await me("Bearer pons_live_key")).status).toBe(500);
    const other = await fetch(`${engine.siteUrl}/files/x`, {
      headers: { authorization: "Bearer pons_live_key" },
    });
    expect(other.status).toBe(200);
  });

  test("that do not exist are 404", async () => {
    const response = await fetch(`${engine.siteUrl}/nothing`);
    expect([response.status, await response.text()]).toEqual([404, "No matching routes found"]);
  });
});

describe("ConvexClient", () => {
  test("sees a change that another client makes", async () => {
    const reader = live();
    const seen = until<string[]>(
      (heard) => reader.onUpdate(list, { channel: "live" }, heard),
      (bodies) => bodies.length === 1,
    );
    await live().mutation(send, { channel: "live", body: "hello" });
    expect(await seen).toEqual(["hello"]);
  });

  test("sees its own mutation by the time that the mutation resolves", async () => {
    const client = live();
    let newest: string[] = [];
    client.onUpdate(list, { channel: "own" }, (bodies) => {
      newest = bodies;
    });
    await client.mutation(send, { channel: "own", body: "mine" });
    expect(newest).toEqual(["mine"]);
  });

  test("signs in, becomes somebody else and signs out, and its queries follow", async () => {
    const client = live();
    const becomes = (wanted: string | null) =>
      until<string | null>(
        (heard) => client.onUpdate(whoAmI, {}, heard),
        (who) => who === wanted,
      );
    client.setAuth(() => issuer.token("ann"));
    await becomes("ann");
    client.setAuth(() => issuer.token("bo"));
    await becomes("bo");
    client.client.clearAuth();
    await becomes(null);
  });
});

test("a client survives a restart: its queries come back and its mutation is applied once", async () => {
  const first = await startDeployed();
  let second: LiveEngine | null = null;
  let changed = () => {};
  const client = new BaseConvexClient(first.cloudUrl, () => changed(), {
    webSocketConstructor: nodeSocket,
    unsavedChangesWarning: false,
    logger: false,
  });
  opened.push(client);
  try {
    client.subscribe("messages:list", { channel: "restart" });
    const bodies = () => client.localQueryResult("messages:list", { channel: "restart" });
    const sees = (count: number) =>
      new Promise<void>((resolve) => {
        changed = () => {
          const value = bodies();
          if (Array.isArray(value) && value.length === count) resolve();
        };
        changed();
      });
    await client.mutation("messages:send", { channel: "restart", body: "before" });
    await sees(1);
    const restarting = first.restart();
    const during = client.mutation("messages:send", { channel: "restart", body: "during" });
    second = await restarting;
    await during;
    await client.mutation("messages:send", { channel: "restart", body: "after" });
    await sees(3);
    expect(bodies()).toEqual(["before", "during", "after"]);
  } finally {
    await (second ?? first).discard();
  }
}, 60_000);

test("with redacted errors a client learns a ConvexError's data and nothing of other errors or of the console", async () => {
  const production = await startDeployed(true);
  try {
    const call = async (path: string, kind: string, args: object) => {
      const response = await fetch(`${production.cloudUrl}/api/${kind}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ path, args: [args], format: "json" }),
      });
      return response.json();
    };
    expect(await call("messages:crash", "query", {})).toEqual({
      status: "error",
      errorMessage: expect.stringMatching(/^\[Request ID: [0-9a-f]{16}\] Server Error$/),
      logLines: [],
    });
    expect(await call("messages:refuse", "mutation", { channel: "c" })).toMatchObject({
      errorData: { code: "closed", channel: "c" },
      logLines: [],
    });
    expect(await call("messages:send", "mutation", { channel: "c", body: "b" })).toMatchObject({
      logLines: [],
    });
  } finally {
    await production.discard();
  }
}, 60_000);

test("closing sends every client away so that it comes back", async () => {
  const closing = await startLiveEngine();
  const socket = new WebSocket(`${closing.cloudUrl.replace("http", "ws")}/api/1.48.0/sync`);
  await once(socket, "open");
  const closed = once(socket, "close");
  await closing.discard();
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1011, "InternalServerError"]);
  await expect(fetch(closing.cloudUrl)).rejects.toThrow();
});
