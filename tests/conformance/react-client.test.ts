import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { ConvexHttpClient } from "convex/browser";
import { ConvexReactClient } from "convex/react";
import { type FunctionReference, makeFunctionReference, type PaginationResult } from "convex/server";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import {
  copyApp,
  deploy,
  type EngineProcess,
  freePorts,
  killEngine,
  type Ports,
  startEngineProcess,
  tempDir,
} from "../support/engine-process";
import { makeIssuer } from "../support/identity";
import { openTcpGate, type TcpGate } from "../support/tcp-gate";

/**
 * The genuine client of `convex/react`, on real sockets, against a real engine process that is killed and restarted
 * and whose line is cut: what an application must not notice.
 */

type Message = { channel: string; body: string };
const list = makeFunctionReference<"query", { channel: string }, string[]>("messages:list");
const send = makeFunctionReference<"mutation", Message, string>("messages:send");
const hang = makeFunctionReference<"action", Message, null>("messages:sendAndHang");
const large = makeFunctionReference<"query", { characters: number }, string>("messages:large");
const whoAmI = makeFunctionReference<"query", Record<string, never>, string | null>("messages:whoAmI");
const page = makeFunctionReference<
  "query",
  { channel: string; paginationOpts: { numItems: number; cursor: string | null; id: number } },
  PaginationResult<string>
>("messages:page");

const dataDir = tempDir("react-client");
/** As in a browser: its "online" event spares the client's pause before it reconnects. */
const browserWindow = new EventTarget();

let ports: Ports;
let engine: EngineProcess;
let gate: TcpGate;
let issuer: Awaited<ReturnType<typeof makeIssuer>>;
const clients: ConvexReactClient[] = [];

beforeAll(async () => {
  vi.stubGlobal("window", browserWindow);
  [ports, issuer] = await Promise.all([freePorts(), makeIssuer()]);
  engine = await start();
  gate = await openTcpGate(ports.port);
  await fetch(`${engine.url}/api/update_environment_variables`, {
    method: "POST",
    headers: { authorization: `Convex ${engine.adminKey}` },
    body: JSON.stringify({ changes: [{ name: "CHAT_JWKS", value: issuer.jwks }] }),
  });
  const app = copyApp("chat-app");
  await deploy(app, engine);
  fs.rmSync(app, { recursive: true, force: true });
});

afterEach(async () => {
  gate.open();
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(async () => {
  vi.unstubAllGlobals();
  await gate.close();
  await engine.child.stop();
  fs.rmSync(dataDir, { recursive: true, force: true });
});

const start = () => startEngineProcess(dataDir, ports, ["--isolation", "reuse"]);

async function restart(): Promise<void> {
  engine = await start();
  browserWindow.dispatchEvent(new Event("online"));
}

/** `webSocketConstructor`, because Node 20 has no WebSocket of its own. */
function open(): ConvexReactClient {
  const client = new ConvexReactClient(gate.url, {
    webSocketConstructor: WebSocket as unknown as typeof globalThis.WebSocket, // The same interface, typed apart.
    unsavedChangesWarning: false,
    logger: false,
  });
  clients.push(client);
  return client;
}

const newChannel = () => `channel-${randomUUID()}`;
const http = () => new ConvexHttpClient(engine.url, { logger: false });

/** Watches a query and keeps every result that the application would have been shown. */
function watch<Query extends FunctionReference<"query">>(
  client: ConvexReactClient,
  query: Query,
  args: Query["_args"],
) {
  const watched = client.watchQuery(query, args);
  const shown: Query["_returnType"][] = [];
  const stop = watched.onUpdate(() => {
    const result: Query["_returnType"] | undefined = watched.localQueryResult();
    if (result !== undefined) shown.push(result);
  });
  return { shown, stop, latest: (): Query["_returnType"] | undefined => watched.localQueryResult() };
}

const until = (isSo: () => boolean) => vi.waitUntil(isSo, { timeout: 30_000, interval: 5 });

/** Breaks the line and waits until the client is back. */
async function reconnect(client: ConvexReactClient): Promise<void> {
  const { connectionCount } = client.connectionState();
  gate.cut();
  await until(() => {
    browserWindow.dispatchEvent(new Event("online"));
    const state = client.connectionState();
    return state.isWebSocketConnected && state.connectionCount > connectionCount;
  });
}

describe("when the server is killed", () => {
  test("mutations under way are applied once and in order, and no optimistic update stays", async () => {
    const [client, channel] = [open(), newChannel()];
    const { latest, shown } = watch(client, list, { channel });
    await until(() => latest() !== undefined);
    const bodies = Array.from({ length: 60 }, (_, n) => String(n));
    let done = 0;
    const answers = bodies.map(async (body) => {
      await client.mutation(
        send,
        { channel, body },
        {
          optimisticUpdate: (store, message) => {
            const rows = store.getQuery(list, { channel }) ?? [];
            store.setQuery(list, { channel }, [...rows, `${message.body}?`]);
          },
        },
      );
      done++;
    });
    await until(() => done > 2);
    await killEngine(engine);
    expect(done).toBeLessThan(bodies.length);
    await restart();
    await Promise.all(answers);
    expect(latest()).toEqual(bodies);
    expect(await http().query(list, { channel })).toEqual(bodies);
    // Whatever was shown: confirmed rows first, then what was still hoped for, nothing lost and nothing twice.
    for (const rows of shown) {
      expect(rows.map((row) => row.replace("?", ""))).toEqual(bodies.slice(0, rows.length));
    }
  });

  test("a mutation that was committed but not answered is answered from its first run", async () => {
    const [client, channel] = [open(), newChannel()];
    const { latest } = watch(client, list, { channel });
    await until(() => latest() !== undefined);
    gate.mute();
    const answer = client.mutation(send, { channel, body: "once" });
    await vi.waitUntil(async () => (await http().query(list, { channel })).length === 1, { timeout: 30_000 });
    await killEngine(engine);
    gate.open();
    await restart();
    expect(await answer).toEqual(expect.any(String));
    await until(() => latest()?.length === 1);
    expect(await http().query(list, { channel })).toEqual(["once"]);
  });

  test("an action under way fails on the client and is not sent again", async () => {
    const [client, channel] = [open(), newChannel()];
    const failed = expect(client.action(hang, { channel, body: "started" })).rejects.toThrow(
      /connection lost/i,
    );
    await vi.waitUntil(async () => (await http().query(list, { channel })).length === 1, { timeout: 30_000 });
    await killEngine(engine);
    await restart();
    await failed;
    await client.mutation(send, { channel, body: "later" });
    expect(await http().query(list, { channel })).toEqual(["started", "later"]);
  });

  test("subscriptions show what changed meanwhile", async () => {
    const [client, channel] = [open(), newChannel()];
    const { latest } = watch(client, list, { channel });
    await until(() => latest() !== undefined);
    gate.shut();
    await killEngine(engine);
    engine = await start();
    await http().mutation(send, { channel, body: "meanwhile" });
    gate.open();
    browserWindow.dispatchEvent(new Event("online"));
    await until(() => latest()?.[0] === "meanwhile");
  });
});

test("twenty reconnects in a row lose nothing and double nothing", async () => {
  const [client, channel] = [open(), newChannel()];
  const { latest, shown } = watch(client, list, { channel });
  await until(() => latest() !== undefined);
  const bodies: string[] = [];
  const answers: Promise<string>[] = [];
  for (let n = 0; n < 20; n++) {
    for (const half of ["a", "b"]) {
      bodies.push(`${n}${half}`);
      answers.push(client.mutation(send, { channel, body: `${n}${half}` }));
    }
    await reconnect(client);
  }
  await Promise.all(answers);
  await until(() => latest()?.length === bodies.length);
  expect(latest()).toEqual(bodies);
  for (const [n, rows] of shown.entries()) {
    expect(rows.length).toBeGreaterThanOrEqual(shown[n - 1]?.length ?? 0);
    expect(rows).toEqual(bodies.slice(0, rows.length));
  }
});

test("1,000 subscriptions of one client each hear of their own change, and no other query runs", async () => {
  const [client, prefix] = [open(), newChannel()];
  const watches = Array.from({ length: 1_000 }, (_, n) => watch(client, list, { channel: `${prefix}-${n}` }));
  await until(() => watches.every(({ latest }) => latest() !== undefined));
  const cursor = await newestLogCursor();
  const changed = [0, 1, 499, 500, 998, 999];
  for (const n of changed) {
    await client.mutation(send, { channel: `${prefix}-${n}`, body: `news ${n}` });
  }
  for (const [n, { latest }] of watches.entries()) {
    expect(latest()).toEqual(changed.includes(n) ? [`news ${n}`] : []);
  }
  const runs = await logEntriesAfter(cursor);
  expect(runs.filter(({ udfType }) => udfType === "Query")).toHaveLength(changed.length);

  await reconnect(client);
  await client.mutation(send, { channel: `${prefix}-7`, body: "after" });
  expect(watches[7]?.latest()).toEqual(["after"]);
  expect(watches[999]?.latest()).toEqual(["news 999"]);
});

test("a result of 6 MB arrives whole, in parts that other answers do not wait for", async () => {
  const [client, channel] = [open(), newChannel()];
  const { latest } = watch(client, large, { characters: 1_500_000 });
  await until(() => latest() !== undefined);
  expect(Buffer.byteLength(latest() ?? "")).toBe(6_000_000);
  expect(latest() === "😀".repeat(1_500_000)).toBe(true);
  await client.mutation(send, { channel, body: "still alive" });
});

test("a token that expires while connected is fetched again, and subscriptions go on", async () => {
  const [client, channel] = [open(), newChannel()];
  const authenticated: boolean[] = [];
  let fetches = 0;
  client.setAuth(
    async () => {
      fetches++;
      // The client judges by the token's life alone, so that only the server notices the end of the second one.
      const startedSecondsAgo = fetches <= 2 ? 598 : 0;
      return issuer.token("ann", 600 - startedSecondsAgo, {
        n: fetches,
        iat: Math.floor(Date.now() / 1000) - startedSecondsAgo,
      });
    },
    (isAuthenticated) => authenticated.push(isAuthenticated),
  );
  const who = watch(client, whoAmI, {});
  const rows = watch(client, list, { channel });
  await until(() => fetches >= 2 && who.latest() === "ann" && rows.latest() !== undefined);
  await until(() => {
    // Every change makes the server look at the token; from the third second on it has expired.
    void http().mutation(send, { channel, body: "x" });
    return fetches > 2;
  });
  const count = (await http().query(list, { channel })).length;
  await until(() => (rows.latest()?.length ?? 0) >= count);
  await client.mutation(send, { channel, body: "mine" });
  expect(who.latest()).toBe("ann");
  expect(who.shown.slice(who.shown.indexOf("ann"))).not.toContain(null);
  expect(authenticated).not.toContain(false);
});

test("pages have no gap and no row twice, whatever is inserted while the line is cut", async () => {
  const [client, channel] = [open(), newChannel()];
  for (const body of ["1", "2", "3", "4", "5", "6"]) await http().mutation(send, { channel, body });
  const pageAt = (cursor: string | null) =>
    watch(client, page, { channel, paginationOpts: { numItems: 3, cursor, id: 1 } });
  const first = pageAt(null);
  await until(() => first.latest() !== undefined);
  const second = pageAt(first.latest()?.continueCursor ?? null);
  await until(() => second.latest() !== undefined);
  const rows = () => [...(first.latest()?.page ?? []), ...(second.latest()?.page ?? [])];
  expect(rows()).toEqual(["6", "5", "4", "3", "2", "1"]);

  gate.shut();
  for (const body of ["7", "8", "9", "10"]) await http().mutation(send, { channel, body });
  gate.open();
  browserWindow.dispatchEvent(new Event("online"));
  const newestFirst = ["10", "9", "8", "7", "6", "5", "4", "3", "2", "1"];
  await until(() => rows().length === newestFirst.length);
  expect(rows()).toEqual(newestFirst);
  // The page has grown and still ends where it ended; a new one, which has no end yet, has three rows.
  expect(first.latest()?.page).toEqual(newestFirst.slice(0, 7));
  const fresh = watch(open(), page, { channel, paginationOpts: { numItems: 3, cursor: null, id: 2 } });
  await until(() => fresh.latest() !== undefined);
  expect(fresh.latest()?.page).toEqual(newestFirst.slice(0, 3));
});

test("optimistic updates are laid over the server's rows in order, and each is dropped with its own row", async () => {
  const [client, channel] = [open(), newChannel()];
  const { latest, shown } = watch(client, list, { channel });
  await until(() => latest() !== undefined);
  const hope = (body: string) =>
    client.mutation(
      send,
      { channel, body },
      {
        optimisticUpdate: (store) => {
          const rows = store.getQuery(list, { channel }) ?? [];
          store.setQuery(list, { channel }, [...rows, `${body}?`]);
        },
      },
    );
  gate.mute();
  const answers = [hope("a"), hope("b"), hope("c")];
  expect(latest()).toEqual(["a?", "b?", "c?"]);
  await vi.waitUntil(async () => (await http().query(list, { channel })).length === 3, { timeout: 30_000 });
  await http().mutation(send, { channel, body: "theirs" });
  gate.open();
  browserWindow.dispatchEvent(new Event("online"));
  await Promise.all(answers);
  await until(() => latest()?.length === 4);
  expect(latest()).toEqual(["a", "b", "c", "theirs"]);
  for (const rows of shown) {
    const bodies = rows.map((row) => row.replace("?", ""));
    expect(new Set(bodies).size).toBe(bodies.length);
  }
});

type LogEntry = { udfType: string; identifier: string };

async function readLog(cursor: number): Promise<{ entries: LogEntry[]; newCursor: number }> {
  const response = await fetch(`${engine.url}/api/stream_function_logs?cursor=${cursor}`, {
    headers: { authorization: `Convex ${engine.adminKey}` },
  });
  return response.json();
}

/** The log waits for news where there is none, so a call of a function comes first. */
async function newestLogCursor(): Promise<number> {
  return (await readLog(0)).newCursor;
}

async function logEntriesAfter(cursor: number): Promise<LogEntry[]> {
  return (await readLog(cursor)).entries;
}
