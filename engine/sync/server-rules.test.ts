import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeIssuer } from "../../tests/support/identity";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";
import { ManualClock } from "../../tests/support/manual-clock";
import { type ServerMessage, SyncClient, tsOf } from "../../tests/support/sync-client";

/** Rules of the server that only show while time stands: nothing here waits for a clock but the one that it moves. */

const REST_MS = 50;

let engine: LiveEngine;
let clock: ManualClock;
let issuer: Awaited<ReturnType<typeof makeIssuer>>;
const clients: SyncClient[] = [];

beforeAll(async () => {
  // The CLI and the tokens live in the present.
  clock = new ManualClock(Date.now());
  [engine, issuer] = await Promise.all([startLiveEngine({ isolation: "reuse", clock }), makeIssuer()]);
  await engine.admin("/api/update_environment_variables", {
    changes: [{ name: "CHAT_JWKS", value: issuer.jwks }],
  });
  await engine.deploy("chat-app");
}, 60_000);

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  clock.advance(REST_MS);
});

afterAll(async () => {
  const discarded = engine.discard();
  clock.advance(60_000);
  await discarded;
});

async function open(connect?: object | null): Promise<SyncClient> {
  const client = await SyncClient.open(engine.cloudUrl, connect);
  clients.push(client);
  return client;
}

const newChannel = () => `channel-${randomUUID()}`;

const send = (client: SyncClient, requestId: number, channel: string, body: string) =>
  client.mutate(requestId, "messages:send", { channel, body });

/** The next message of this type; the others are let pass. */
async function nextOf(client: SyncClient, type: string): Promise<ServerMessage> {
  for (;;) {
    const message = await client.next();
    if (message.type === type) return message;
  }
}

/** Sends mutations that nobody else has a part in and waits for their answers. */
async function storm(writer: SyncClient, channel: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    send(writer, n, channel, String(n));
  }
  for (let n = 0; n < count; n++) {
    await nextOf(writer, "MutationResponse");
  }
}

describe("under a storm of writes", () => {
  test("a query runs at the first change, then once per 50 ms, and ends at the newest state", async () => {
    const [reader, writer, channel] = [await open(), await open(), newChannel()];
    reader.subscribe(0, [[1, "messages:list", { channel }]]);
    await reader.transition();
    clock.advance(REST_MS);
    const before = engine.queryRuns();
    await storm(writer, channel, 50);
    const first = await reader.transition();
    expect(engine.queryRuns() - before).toBe(1);
    expect(reader.unread).toBe(0);

    clock.advance(REST_MS);
    const second = await reader.transition();
    expect(engine.queryRuns() - before).toBe(2);
    const [shown] = second.modifications;
    expect(shown?.value).toHaveLength(50);
    expect(tsOf(second.endVersion.ts)).toBeGreaterThan(tsOf(first.endVersion.ts));
  });

  test("clients that share some of their queries all come to one moment", async () => {
    const [a, b, c] = [newChannel(), newChannel(), newChannel()];
    const writer = await open();
    const readers = await Promise.all([open(), open(), open()]);
    const pairs = [
      [a, b],
      [b, c],
      [c, a],
    ];
    for (const [n, reader] of readers.entries()) {
      reader.subscribe(
        0,
        (pairs[n] ?? []).map((channel, queryId) => [queryId, "messages:list", { channel }]),
      );
      await reader.transition();
    }
    clock.advance(REST_MS);
    for (let n = 0; n < 30; n++) {
      send(writer, n, [a, b, c][n % 3] ?? a, String(n));
      await nextOf(writer, "MutationResponse");
      if (n % 10 === 5) clock.advance(REST_MS);
    }
    await Promise.all(
      readers.map(async (reader) => {
        const rows = new Map<number, number>();
        while (rows.get(0) !== 10 || rows.get(1) !== 10) {
          clock.advance(REST_MS);
          for (const { queryId, value } of (await reader.transition()).modifications) {
            rows.set(queryId, Array.isArray(value) ? value.length : 0);
          }
        }
      }),
    );
  });

  test("the Transition after a client's own mutation waits for one rest at most", async () => {
    const [client, writer, channel] = [await open(), await open(), newChannel()];
    client.subscribe(0, [[1, "messages:list", { channel }]]);
    await client.transition();
    await storm(writer, channel, 5);
    send(client, 0, channel, "mine");
    const response = await nextOf(client, "MutationResponse");
    clock.advance(REST_MS);
    for (;;) {
      const { endVersion, modifications } = await client.transition();
      if (tsOf(endVersion.ts) >= tsOf(response["ts"])) {
        expect(modifications[0]?.value).toContain("mine");
        break;
      }
    }
  });
});

describe("versions", () => {
  test("of the query set may jump ahead, and every change until then is in one Transition", async () => {
    const [client, channel] = [await open(), newChannel()];
    client.send({
      type: "ModifyQuerySet",
      baseVersion: 0,
      newVersion: 5,
      modifications: [
        { type: "Add", queryId: 1, udfPath: "messages.js:list", args: [{ channel }] },
        { type: "Add", queryId: 2, udfPath: "messages:whoAmI", args: [{}] },
      ],
    });
    client.send({
      type: "ModifyQuerySet",
      baseVersion: 5,
      newVersion: 6,
      modifications: [{ type: "Remove", queryId: 2 }],
    });
    let version = 0;
    const last = new Map<number, string>();
    while (version < 6) {
      const { endVersion, modifications } = await client.transition();
      version = endVersion.querySet;
      for (const { queryId, type } of modifications) last.set(queryId, type);
    }
    expect([...last]).toEqual(
      expect.arrayContaining([
        [1, "QueryUpdated"],
        [2, "QueryRemoved"],
      ]),
    );
  });

  test("of a query id may be used again after its removal", async () => {
    const [client, one, two] = [await open(), newChannel(), newChannel()];
    client.subscribe(0, [[1, "messages:list", { channel: one }]]);
    await client.transition();
    client.send({
      type: "ModifyQuerySet",
      baseVersion: 1,
      newVersion: 2,
      modifications: [
        { type: "Remove", queryId: 1 },
        { type: "Add", queryId: 1, udfPath: "messages:list", args: [{ channel: two }] },
      ],
    });
    const { modifications } = await client.transition();
    expect(modifications.at(-1)).toMatchObject({ type: "QueryUpdated", queryId: 1, value: [] });
  });

  test.each([
    ["that stands still", { baseVersion: 0, newVersion: 0, modifications: [] }],
    ["that goes back", { baseVersion: 0, newVersion: -1, modifications: [] }],
    [
      "that adds a query twice",
      {
        baseVersion: 0,
        newVersion: 1,
        modifications: [1, 1].map((queryId) => ({
          ...{ type: "Add", queryId, udfPath: "messages:whoAmI", args: [{}] },
        })),
      },
    ],
  ])("of a query set %s are a FatalError", async (_, change) => {
    const client = await open();
    client.send({ type: "ModifyQuerySet", ...change });
    expect((await client.next()).type).toBe("FatalError");
    expect((await client.closed).code).toBe(1002);
  });

  test("that do not fit name what was expected, as the client's developer must see it", async () => {
    const client = await open();
    client.send({ type: "ModifyQuerySet", baseVersion: 7, newVersion: 8, modifications: [] });
    expect(await client.next()).toEqual({
      type: "FatalError",
      error: expect.stringContaining("BaseVersionMismatch"),
    });
  });
});

describe("an identity", () => {
  const authenticate = (client: SyncClient, baseVersion: number, value: string) =>
    client.send({ type: "Authenticate", tokenType: "User", baseVersion, value });

  test("of a token that expires while connected ends the socket at the next change, blaming no update", async () => {
    const [client, writer, channel] = [await open(), await open(), newChannel()];
    const aheadSeconds = Math.round((clock.nowMs() - Date.now()) / 1000);
    const token = await issuer.token("ann", aheadSeconds + 60);
    authenticate(client, 0, token);
    client.subscribe(0, [[1, "messages:list", { channel }]]);
    while ((await client.transition()).endVersion.querySet === 0);
    clock.advance(62_000);
    send(writer, 0, channel, "news");
    expect(await nextOf(client, "AuthError")).toMatchObject({ baseVersion: 1, authUpdateAttempted: false });
    await client.closed;
  });

  test("that is refused leaves the version where it was", async () => {
    const client = await open();
    client.send({ type: "Authenticate", tokenType: "None", baseVersion: 0 });
    await client.transition();
    authenticate(client, 1, "not a token");
    expect(await nextOf(client, "AuthError")).toMatchObject({ baseVersion: 1, authUpdateAttempted: true });
    await client.closed;
  });

  test("of a wrong admin key is an AuthError too", async () => {
    const client = await open();
    client.send({ type: "Authenticate", tokenType: "Admin", baseVersion: 0, value: "wrong" });
    expect(await client.next()).toMatchObject({ type: "AuthError", authUpdateAttempted: true });
    await client.closed;
  });
});

describe("a component's function", () => {
  test("is not there for clients, and never takes a socket along", async () => {
    const client = await open();
    client.send({
      type: "ModifyQuerySet",
      baseVersion: 0,
      newVersion: 1,
      modifications: [
        { type: "Add", queryId: 1, udfPath: "messages:whoAmI", args: [{}], componentPath: "inner" },
        { type: "Add", queryId: 2, udfPath: "messages:whoAmI", args: [{}] },
      ],
    });
    expect((await client.transition()).modifications).toMatchObject([
      { type: "QueryFailed", queryId: 1 },
      { type: "QueryUpdated", queryId: 2, value: null },
    ]);
    const call = { udfPath: "messages:send", args: [{ channel: "x", body: "y" }], componentPath: "inner" };
    client.send({ type: "Mutation", requestId: 0, ...call });
    expect(await nextOf(client, "MutationResponse")).toMatchObject({ success: false });
    client.send({ type: "Action", requestId: 1, ...call });
    expect(await nextOf(client, "ActionResponse")).toMatchObject({ success: false });
  });
});

test("a mutation that failed runs anew when it is sent again; nothing of it was stored", async () => {
  const sessionId = randomUUID();
  const first = await open({ sessionId });
  first.mutate(3, "messages:refuse", { channel: "x" });
  expect(await nextOf(first, "MutationResponse")).toMatchObject({ success: false });
  await first.close();
  const second = await open({ sessionId });
  second.mutate(3, "messages:send", { channel: newChannel(), body: "now it works" });
  expect(await nextOf(second, "MutationResponse")).toMatchObject({ requestId: 3, success: true });
});

test("the same request of another session is another request", async () => {
  const [channel, clientsOfBoth] = [newChannel(), [await open(), await open()]];
  for (const client of clientsOfBoth) {
    send(client, 0, channel, "each");
    await nextOf(client, "MutationResponse");
  }
  const reader = await open();
  reader.subscribe(0, [[1, "messages:list", { channel }]]);
  expect((await reader.transition()).modifications).toMatchObject([{ value: ["each", "each"] }]);
});

test("more than 1,000 waiting mutations close the socket with a reason that the client backs off from", async () => {
  const [client, channel] = [await open(), newChannel()];
  for (let n = 0; n < 1_500; n++) {
    send(client, n, channel, "x");
  }
  expect(await client.closed).toEqual({ code: 1013, reason: "TooManyConcurrentMutations" });
});

test("metrics of the client are taken without an answer", async () => {
  const client = await open();
  client.send({ type: "Event", eventType: "ClientConnect", event: [{ name: "x", startTime: 1 }] });
  client.subscribe(0, [[1, "messages:whoAmI", {}]]);
  expect((await client.next()).type).toBe("Transition");
});

test("new code reruns every query, and a client that saw it hears of a changed answer only", async () => {
  const client = await open();
  client.subscribe(0, [[1, "messages:whoAmI", {}]]);
  await client.transition();
  clock.advance(REST_MS);
  const before = engine.queryRuns();
  await engine.admin("/api/update_environment_variables", {
    changes: [{ name: "UNUSED", value: randomUUID() }],
  });
  send(client, 0, newChannel(), "x");
  await nextOf(client, "MutationResponse");
  expect((await client.transition()).modifications).toEqual([]);
  expect(engine.queryRuns()).toBeGreaterThan(before);
});

test("at its end the engine sends clients away so that they come back", async () => {
  const other = await startLiveEngine();
  const client = await SyncClient.open(other.cloudUrl);
  const closed = client.closed;
  await other.discard();
  expect(await closed).toEqual({ code: 1011, reason: "InternalServerError" });
});
