import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeIssuer } from "../../tests/support/identity";
import { type JumpingClock, jumpingClock } from "../../tests/support/jumping-clock";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";
import { SyncClient, tsOf } from "../../tests/support/sync-client";

let engine: LiveEngine;
let issuer: Awaited<ReturnType<typeof makeIssuer>>;
const clients: SyncClient[] = [];

beforeAll(async () => {
  [engine, issuer] = await Promise.all([startLiveEngine({ isolation: "reuse" }), makeIssuer()]);
  await engine.admin("/api/update_environment_variables", {
    changes: [{ name: "CHAT_JWKS", value: issuer.jwks }],
  });
  await engine.deploy("chat-app");
}, 60_000);

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

afterAll(() => engine.discard());

async function open(connect?: object | null): Promise<SyncClient> {
  const client = await SyncClient.open(engine.cloudUrl, connect);
  clients.push(client);
  return client;
}

/** A channel that no other test writes to. */
const newChannel = () => `channel-${randomUUID()}`;

/** The next changes that there are; signing in is confirmed by a Transition of its own. */
async function nextChanges(client: SyncClient) {
  for (;;) {
    const { modifications } = await client.transition();
    if (modifications.length > 0) {
      return modifications;
    }
  }
}

const send = (client: SyncClient, requestId: number, channel: string, body: string) =>
  client.mutate(requestId, "messages:send", { channel, body });

describe("a subscription", () => {
  test("is answered in the Transition that reaches its query set version, and again after a change", async () => {
    const [reader, writer, channel] = [await open(), await open(), newChannel()];
    reader.subscribe(0, [[7, "messages:list", { channel }]]);
    const first = await reader.transition();
    expect(first.endVersion).toMatchObject({ querySet: 1, identity: 0 });
    expect(first.modifications).toMatchObject([{ type: "QueryUpdated", queryId: 7, value: [] }]);

    send(writer, 0, channel, "hello");
    const second = await reader.transition();
    expect(second.modifications).toMatchObject([{ type: "QueryUpdated", queryId: 7, value: ["hello"] }]);
  });

  test("that is removed is confirmed and not heard of again", async () => {
    const [client, channel] = [await open(), newChannel()];
    client.subscribe(0, [[1, "messages:list", { channel }]]);
    await client.transition();
    client.send({
      type: "ModifyQuerySet",
      baseVersion: 1,
      newVersion: 2,
      modifications: [{ type: "Remove", queryId: 1 }],
    });
    expect((await client.transition()).modifications).toEqual([{ type: "QueryRemoved", queryId: 1 }]);
    send(client, 0, channel, "x");
    expect((await client.next()).type).toBe("MutationResponse");
    expect((await client.transition()).modifications).toEqual([]);
  });

  test("of a function that fails or does not exist carries the error, and the socket lives on", async () => {
    const client = await open();
    client.subscribe(0, [
      [1, "messages:crash", {}],
      [2, "messages:total", {}],
      [3, "messages:list", { channel: 5 }],
    ]);
    const { modifications } = await client.transition();
    expect(modifications).toMatchObject([
      { type: "QueryFailed", errorMessage: expect.stringContaining("the reason is for developers") },
      { type: "QueryFailed", errorMessage: expect.stringContaining("Could not find public function") },
      { type: "QueryFailed", errorMessage: expect.stringContaining("ArgumentValidationError") },
    ]);
  });

  test("keeps its page's end through its journal: after a reconnect the page has grown and has no gap", async () => {
    const [client, channel] = [await open(), newChannel()];
    for (const [n, body] of ["a", "b", "c"].entries()) {
      send(client, n, channel, body);
      await client.next();
      await client.transition();
    }
    const args = { channel, paginationOpts: { numItems: 2, cursor: null } };
    client.subscribe(0, [[1, "messages:page", args]]);
    const [before] = (await client.transition()).modifications;
    expect(before?.value).toMatchObject({ page: ["c", "b"] });
    expect(before?.journal).toEqual(expect.any(String));

    send(client, 3, channel, "d");
    await client.next();
    expect((await client.transition()).modifications).toMatchObject([{ value: { page: ["d", "c", "b"] } }]);

    const again = await open();
    again.subscribe(0, [[1, "messages:page", args, String(before?.journal)]]);
    expect((await again.transition()).modifications).toMatchObject([{ value: { page: ["d", "c", "b"] } }]);
    const fresh = await open();
    fresh.subscribe(0, [[1, "messages:page", args]]);
    expect((await fresh.transition()).modifications).toMatchObject([{ value: { page: ["d", "c"] } }]);
  });

  test("sees all its queries at one time, whatever is written meanwhile", async () => {
    const [reader, writer, channel] = [await open(), await open(), newChannel()];
    const seen = new Map<number, number>();
    reader.subscribe(0, [
      [1, "messages:list", { channel }],
      [2, "messages:page", { channel, paginationOpts: { numItems: 1000, cursor: null } }],
    ]);
    for (let n = 0; n < 100; n++) {
      send(writer, n, channel, String(n));
    }
    while ((seen.get(1) ?? 0) < 100) {
      for (const { queryId, value } of (await reader.transition()).modifications) {
        const rows = Array.isArray(value) ? value : (value as { page: string[] }).page;
        seen.set(queryId, rows.length);
      }
      expect(seen.get(2)).toBe(seen.get(1));
    }
  });
});

describe("a mutation", () => {
  test("is answered first and then reflected by a Transition that is not older", async () => {
    const [client, channel] = [await open(), newChannel()];
    client.subscribe(0, [[1, "messages:list", { channel }]]);
    await client.transition();
    send(client, 0, channel, "mine");
    const response = await client.next();
    expect(response).toMatchObject({ type: "MutationResponse", requestId: 0, success: true });
    const transition = await client.transition();
    expect(tsOf(transition.endVersion.ts)).toBeGreaterThanOrEqual(tsOf(response["ts"]));
    expect(transition.modifications).toMatchObject([{ value: ["mine"] }]);
  });

  test("that touches no subscription is still followed by a Transition, without modifications", async () => {
    const [client, channel] = [await open(), newChannel()];
    client.subscribe(0, [[1, "messages:list", { channel }]]);
    await client.transition();
    send(client, 0, newChannel(), "elsewhere");
    const response = await client.next();
    const { modifications, endVersion } = await client.transition();
    expect(modifications).toEqual([]);
    expect(tsOf(endVersion.ts)).toBeGreaterThanOrEqual(tsOf(response["ts"]));
  });

  test("runs after those that the socket sent before it", async () => {
    const [client, channel] = [await open(), newChannel()];
    for (let n = 0; n < 30; n++) {
      send(client, n, channel, String(n));
    }
    const answered: unknown[] = [];
    while (answered.length < 30) {
      const message = await client.next();
      if (message.type === "MutationResponse") {
        answered.push(message["requestId"]);
      }
    }
    expect(answered).toEqual(Array.from({ length: 30 }, (_, n) => n));
    const reader = await open();
    reader.subscribe(0, [[1, "messages:list", { channel }]]);
    expect((await reader.transition()).modifications[0]?.value).toEqual(answered.map(String));
  });

  test("that is sent again after a reconnect is answered alike and applied once", async () => {
    const [sessionId, channel] = [randomUUID(), newChannel()];
    const first = await open({ sessionId });
    send(first, 4, channel, "once");
    const response = await first.next();
    await first.close();
    const second = await open({ sessionId });
    send(second, 4, channel, "once");
    const repeated = await second.next();
    expect(repeated).toEqual(response);
    await second.transition();
    second.subscribe(0, [[1, "messages:list", { channel }]]);
    expect((await second.transition()).modifications).toMatchObject([{ value: ["once"] }]);
  });

  test("that throws leaves nothing behind and answers with its data", async () => {
    const [client, channel] = [await open(), newChannel()];
    client.subscribe(0, [[1, "messages:list", { channel }]]);
    await client.transition();
    client.mutate(0, "messages:refuse", { channel });
    expect(await client.next()).toMatchObject({
      type: "MutationResponse",
      success: false,
      errorData: { code: "closed", channel },
    });
    expect((await client.transition()).modifications).toEqual([]);
  });
});

test("an action is answered, and the Transition after it shows what it wrote", async () => {
  const [client, channel] = [await open(), newChannel()];
  client.subscribe(0, [[1, "messages:list", { channel }]]);
  await client.transition();
  client.send({
    type: "Action",
    requestId: 9,
    udfPath: "messages:sendTwice",
    args: [{ channel, body: "x" }],
  });
  let value: unknown;
  let answered = false;
  while (!answered || JSON.stringify(value) !== '["x","x"]') {
    const message = await client.next();
    if (message.type === "ActionResponse") {
      expect(message).toMatchObject({ requestId: 9, success: true, result: "sent x twice" });
      answered = true;
    } else {
      const [change] = message["modifications"] as { value: unknown }[];
      value = change?.value ?? value;
    }
  }
});

describe("an identity", () => {
  const authenticate = (client: SyncClient, baseVersion: number, value: string) =>
    client.send({ type: "Authenticate", tokenType: "User", baseVersion, value });

  test("reruns the queries when it changes", async () => {
    const client = await open();
    client.subscribe(0, [[1, "messages:whoAmI", {}]]);
    expect((await client.transition()).modifications).toMatchObject([{ value: null }]);
    authenticate(client, 0, await issuer.token("ann"));
    const signedIn = await client.transition();
    expect(signedIn.endVersion.identity).toBe(1);
    expect(signedIn.modifications).toMatchObject([{ value: "ann" }]);
    client.send({ type: "Authenticate", tokenType: "None", baseVersion: 1 });
    expect((await client.transition()).modifications).toMatchObject([{ value: null }]);
  });

  test("that only has a newer token is confirmed without running anything", async () => {
    const client = await open();
    authenticate(client, 0, await issuer.token("ann"));
    client.subscribe(0, [[1, "messages:whoAmI", {}]]);
    await nextChanges(client);
    const before = engine.queryRuns();
    authenticate(client, 1, await issuer.token("ann", 700));
    const renewed = await client.transition();
    expect(renewed).toMatchObject({ endVersion: { identity: 2 }, modifications: [] });
    expect(engine.queryRuns()).toBe(before);
  });

  test("does not leak: two users of one query see themselves", async () => {
    const [ann, bo] = [await open(), await open()];
    authenticate(ann, 0, await issuer.token("ann"));
    authenticate(bo, 0, await issuer.token("bo"));
    for (const client of [ann, bo]) {
      client.subscribe(0, [[1, "messages:whoAmI", {}]]);
    }
    const value = async (client: SyncClient) => (await nextChanges(client))[0]?.value;
    expect(await Promise.all([value(ann), value(bo)])).toEqual(["ann", "bo"]);
  });

  test("that cannot be verified ends the socket with an AuthError about the attempt", async () => {
    const client = await open();
    authenticate(client, 0, "not a token");
    expect(await client.next()).toMatchObject({
      type: "AuthError",
      baseVersion: 0,
      authUpdateAttempted: true,
    });
    await client.closed;
  });

  test("that has expired ends the socket with an AuthError at the next call", async () => {
    const client = await open();
    // Five seconds of leeway let it in; it has expired all the same.
    authenticate(client, 0, await issuer.token("ann", -2));
    expect(await client.next()).toMatchObject({ type: "AuthError", authUpdateAttempted: false });
    await client.closed;
  });
});

describe("an administrator", () => {
  test("may call internal functions and the system queries of the CLI; nobody else may", async () => {
    const [admin, user] = [await open(), await open()];
    admin.send({ type: "Authenticate", tokenType: "Admin", baseVersion: 0, value: engine.adminKey });
    for (const client of [admin, user]) {
      client.subscribe(0, [
        [1, "messages:total", {}],
        [2, "_system/cli/tables:default", { paginationOpts: { cursor: null, numItems: 10 } }],
        [3, "_system/cli/convexUrl:cloudUrl", {}],
      ]);
    }
    expect(await nextChanges(admin)).toMatchObject([
      { value: expect.any(Number) },
      { value: { page: [{ name: "messages" }], isDone: true } },
      { value: engine.cloudUrl },
    ]);
    expect((await nextChanges(user)).map(({ type }) => type)).toEqual([
      "QueryFailed",
      "QueryFailed",
      "QueryFailed",
    ]);
  });

  test("sees a table row by row, newest first, page after page", async () => {
    const [client, channel] = [await open(), newChannel()];
    send(client, 0, channel, "older");
    send(client, 1, channel, "newer");
    for (let answers = 0; answers < 2; ) {
      answers += (await client.next()).type === "MutationResponse" ? 1 : 0;
    }
    const admin = await open();
    admin.send({ type: "Authenticate", tokenType: "Admin", baseVersion: 0, value: engine.adminKey });
    const read = async (version: number, cursor: string | null) => {
      const paginationOpts = { cursor, numItems: 1 };
      admin.subscribe(version, [
        [version, "_system/cli/tableData:default", { table: "messages", order: "desc", paginationOpts }],
      ]);
      const [change] = await nextChanges(admin);
      return change?.value as { page: { body: string }[]; continueCursor: string };
    };
    const first = await read(0, null);
    const second = await read(1, first.continueCursor);
    expect([...first.page, ...second.page].map((row) => row.body)).toEqual(["newer", "older"]);
  });
});

describe("a broken client is told why and sent away", () => {
  test.each([
    ["that does not connect first", null, { type: "Mutation", requestId: 0, udfPath: "a:b", args: [{}] }],
    [
      "with a wrong query set version",
      {},
      { type: "ModifyQuerySet", baseVersion: 3, newVersion: 4, modifications: [] },
    ],
    ["with a wrong identity version", {}, { type: "Authenticate", baseVersion: 2, tokenType: "None" }],
    [
      "that removes what it never added",
      {},
      {
        type: "ModifyQuerySet",
        baseVersion: 0,
        newVersion: 1,
        modifications: [{ type: "Remove", queryId: 1 }],
      },
    ],
    ["that sends no protocol", {}, ["hello"]],
  ])("%s", async (_, connect, message) => {
    const client = await open(connect);
    client.send(message);
    expect(await client.next()).toMatchObject({ type: "FatalError" });
    expect((await client.closed).code).toBe(1002);
  });

  test("that has seen a later time than there is gets 1011, so that it comes back to the right server", async () => {
    const client = await open({
      maxObservedTimestamp: Buffer.from("ffffffffffffff7f", "hex").toString("base64"),
    });
    expect(await client.closed).toEqual({ code: 1011, reason: "InternalServerError" });
  });
});

test("a large result travels in parts that make one Transition", async () => {
  const client = await open();
  client.subscribe(0, [[1, "messages:large", { characters: 2_000_000 }]]);
  const parts = [await client.next()];
  while (parts.length < Number(parts[0]?.["totalParts"])) {
    parts.push(await client.next());
  }
  expect(parts.map((part) => part.type)).toEqual(parts.map(() => "TransitionChunk"));
  const transition: { modifications: { value: string }[] } = JSON.parse(
    parts.map((part) => part["chunk"]).join(""),
  );
  expect(transition.modifications[0]?.value).toBe("😀".repeat(2_000_000));
});

test("a commit reruns nothing for 1,000 unrelated subscriptions, and one query for 200 equal ones", async () => {
  const [watched, unrelated, writer] = [newChannel(), await open(), await open()];
  unrelated.subscribe(
    0,
    Array.from({ length: 1_000 }, (_, n) => [n, "messages:list", { channel: `${watched}-${n}` }]),
  );
  expect((await unrelated.transition()).modifications).toHaveLength(1_000);
  const readers = await Promise.all(Array.from({ length: 200 }, () => open()));
  for (const reader of readers) {
    reader.subscribe(0, [[1, "messages:list", { channel: watched }]]);
    await reader.transition();
  }
  const before = engine.queryRuns();
  send(writer, 0, watched, "news");
  const seen = await Promise.all(readers.map((reader) => reader.transition()));
  expect(seen.every(({ modifications }) => JSON.stringify(modifications[0]?.value) === '["news"]')).toBe(
    true,
  );
  expect(engine.queryRuns() - before).toBe(1);
  expect(unrelated.unread).toBe(0);
});

test("a client that does not read gets few newest states, not every one of them", async () => {
  const [writer, channel] = [await open(), newChannel()];
  // A version without TransitionChunk, so that every state is one message.
  const reader = await SyncClient.open(engine.cloudUrl, {}, { version: "1.20.0" });
  clients.push(reader);
  reader.subscribe(0, [[1, "messages:list", { channel }]]);
  await reader.transition();
  reader.pause();
  const commits = 30;
  for (let n = 0; n < commits; n++) {
    send(writer, n, channel, `${n}`.padEnd(300_000, "."));
    while ((await writer.next()).type !== "MutationResponse");
  }
  reader.resume();
  let states = 0;
  for (let rows = 0; rows < commits; states++) {
    const [change] = (await reader.transition()).modifications;
    rows = Array.isArray(change?.value) ? change.value.length : rows;
  }
  expect(states).toBeLessThan(commits / 2);
});

describe("a silent socket", () => {
  let clock: JumpingClock;
  let quiet: LiveEngine;

  beforeAll(async () => {
    clock = jumpingClock();
    quiet = await startLiveEngine({ clock });
  });
  afterAll(() => quiet.discard());

  test("hears a Ping after 15 seconds", async () => {
    const client = await SyncClient.open(quiet.cloudUrl);
    clients.push(client);
    client.send({ type: "Event", eventType: "x", event: null });
    clock.jump(20_000);
    expect(await client.next()).toEqual({ type: "Ping" });
  });

  test("from which nothing comes for two minutes, not even a pong, is closed", async () => {
    const client = await SyncClient.open(quiet.cloudUrl, {}, { autoPong: false });
    clients.push(client);
    clock.jump(125_000);
    expect((await client.closed).code).toBe(1006);
  });
});
