import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeIssuer } from "../../tests/support/identity";
import { type JumpingClock, jumpingClock } from "../../tests/support/jumping-clock";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";

const list = makeFunctionReference<"query", { channel: string }, string[]>("messages:list");
const send = makeFunctionReference<"mutation", { channel: string; body: string }, string>("messages:send");

let engine: LiveEngine;
let clock: JumpingClock;
let issuer: Awaited<ReturnType<typeof makeIssuer>>;

beforeAll(async () => {
  clock = jumpingClock();
  [engine, issuer] = await Promise.all([
    startLiveEngine({ isolation: "reuse", redactErrors: true, clock }),
    makeIssuer(),
  ]);
  await engine.admin("/api/update_environment_variables", {
    changes: [{ name: "CHAT_JWKS", value: issuer.jwks }],
  });
  await engine.deploy("chat-app");
}, 60_000);

afterAll(() => engine.discard());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${engine.cloudUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const answerOf = async (path: string, body: unknown): Promise<unknown> => (await post(path, body)).json();

async function write(channel: string, ...bodies: string[]): Promise<void> {
  const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  for (const body of bodies) {
    await client.mutation(send, { channel, body });
  }
}

async function now(): Promise<string> {
  const answer: { ts: string } = await (await post("/api/query_ts", {})).json();
  return answer.ts;
}

const listAt = (ts: string, channel: string) =>
  answerOf("/api/query_at_ts", { path: "messages:list", args: [{ channel }], ts });

describe("a query at a timestamp", () => {
  test("sees what was there then, and nothing later", async () => {
    await write("at", "before");
    const ts = await now();
    await write("at", "after");
    expect(await listAt(ts, "at")).toMatchObject({ status: "success", value: ["before"] });
    expect(await listAt(await now(), "at")).toMatchObject({ value: ["before", "after"] });
  });

  test("is answered for 30 seconds and refused once its state is forgotten", async () => {
    await write("old", "a");
    const ts = await now();
    await write("old", "b");
    clock.jump(29_000);
    await write("old", "c");
    expect(await listAt(ts, "old")).toMatchObject({ value: ["a"] });
    clock.jump(60_000);
    await write("old", "d", "e");
    const refused = await post("/api/query_at_ts", {
      ...{ path: "messages:list", args: [{ channel: "old" }] },
      ts,
    });
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: "OutOfRetention" }]);
  });

  test("lets consistentQuery see one state while others write", async () => {
    await write("cut", "0");
    const reader = new ConvexHttpClient(engine.cloudUrl, { logger: false });
    const first = await reader.consistentQuery(list, { channel: "cut" });
    const later = await Promise.all([
      write("cut", "1", "2", "3"),
      reader.consistentQuery(list, { channel: "cut" }),
      reader.consistentQuery(list, { channel: "cut" }),
    ]);
    const last = await reader.consistentQuery(list, { channel: "cut" });
    expect([first, later[1], later[2], last]).toEqual([["0"], ["0"], ["0"], ["0"]]);
  });
});

test("a batch answers every query from one state, in order, each in its own format", async () => {
  await write("batch", "0");
  const query = { path: "messages:list", args: [{ channel: "batch" }] };
  const queries = [query, { ...query, args: [{ channel: 5 }] }, { ...query, format: "json" }, query];
  const [answer] = await Promise.all([
    answerOf("/api/query_batch", { queries }),
    write("batch", "1", "2", "3"),
  ]);
  const { results }: { results: { status: string; value: unknown }[] } = JSON.parse(JSON.stringify(answer));
  expect(results.map(({ status }) => status)).toEqual(["success", "error", "success", "success"]);
  expect(results[3]?.value).toEqual(results[0]?.value);
});

describe("a call by path", () => {
  test("answers any kind of function in plain JSON", async () => {
    const sent = await answerOf("/api/run/messages/send", { args: { channel: "run", body: "hi" } });
    expect(sent).toMatchObject({ status: "success", value: expect.any(String) });
    expect(await answerOf("/api/run/messages/list", { args: { channel: "run" } })).toMatchObject({
      value: ["hi"],
    });
    const acted = await answerOf("/api/run/messages/sendTwice", { args: { channel: "run", body: "x" } });
    expect(acted).toMatchObject({ value: "sent x twice" });
  });

  test("reaches neither internal functions nor another path that the body names", async () => {
    const missing = { status: "error" };
    expect(await answerOf("/api/run/messages/total", { args: {} })).toMatchObject(missing);
    const misled = { path: "messages:list", args: { channel: "run" } };
    expect(await answerOf("/api/run/messages/nothing", misled)).toMatchObject(missing);
  });
});

describe("an error of a function", () => {
  test("is a status 200 that hides its text and keeps the data of a ConvexError", async () => {
    const crashed = await post("/api/query", { path: "messages:crash", args: [{}] });
    expect(crashed.status).toBe(200);
    expect(await crashed.json()).toEqual({
      status: "error",
      errorMessage: expect.stringMatching(/^\[Request ID: [0-9a-f]{16}\] Server Error$/),
      logLines: [],
    });
    expect(
      await answerOf("/api/mutation", { path: "messages:refuse", args: [{ channel: "x" }] }),
    ).toMatchObject({
      status: "error",
      errorData: { code: "closed", channel: "x" },
    });
  });

  test("of the wrong kind says that there is no such function of that kind", async () => {
    expect(
      await answerOf("/api/mutation", { path: "messages:list", args: [{ channel: "x" }] }),
    ).toMatchObject({
      status: "error",
    });
  });
});

describe("the log of the CLI", () => {
  type Entry = { identifier: string; udfType: string };
  const read = async (cursor: string | number): Promise<{ entries: Entry[]; newCursor: number }> => {
    const headers = { authorization: `Convex ${engine.adminKey}` };
    return (await fetch(`${engine.cloudUrl}/api/stream_function_logs?cursor=${cursor}`, { headers })).json();
  };

  test("waits for the next call, and gives each of them once", async () => {
    await write("logged", "a");
    const { newCursor } = await read(0);
    const waiting = read(newCursor);
    await write("logged", "b");
    const news = await waiting;
    expect(news.entries).toMatchObject([{ identifier: "messages:send", udfType: "Mutation" }]);
    const later = read(news.newCursor);
    await answerOf("/api/query", { path: "messages:list", args: [{ channel: "logged" }] });
    expect((await later).entries).toMatchObject([{ identifier: "messages:list", udfType: "Query" }]);
  });

  test("answers with nothing before a proxy would lose patience", async () => {
    const { newCursor } = await read(0);
    const waiting = read(newCursor);
    // The request must have begun to wait, which nothing tells: the clock jumps until it is answered.
    let isDone = false;
    void waiting.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      clock.jump(50_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await waiting).entries).toEqual([]);
  });

  test("is for administrators, and its cursor is a number", async () => {
    expect((await fetch(`${engine.cloudUrl}/api/stream_function_logs?cursor=0`)).status).toBe(403);
    expect(await read("yesterday")).toMatchObject({ code: "BadCursor" });
  });
});

test("metrics of clients are taken", async () => {
  expect((await post("/api/debug_event", { event: "x" })).status).toBe(200);
});

describe("a request that is no call is refused with a code and a sentence:", () => {
  const call = { path: "messages:list", args: [{ channel: "x" }] };
  const cases: [string, string, unknown, number, string, Record<string, string>?][] = [
    ["text that is not JSON", "/api/query", "{", 400, "BadJson"],
    ["a list instead of a call", "/api/mutation", [], 400, "BadRequest"],
    ["no path", "/api/query", {}, 400, "BadRequest"],
    ["two arguments", "/api/query", { ...call, args: [{}, {}] }, 400, "BadArgs"],
    ["an unknown format", "/api/query", { ...call, format: "xml" }, 400, "BadFormat"],
    ["an unknown endpoint", "/api/nothing", {}, 404, "NotFound"],
    ["no timestamp", "/api/query_at_ts", call, 400, "BadRequest"],
    ["a timestamp of four bytes", "/api/query_at_ts", { ...call, ts: "AAAAAA==" }, 400, "BadTimestamp"],
    ["a future timestamp", "/api/query_at_ts", { ...call, ts: "////////fw==" }, 400, "BadTimestamp"],
    ["a timestamp before all", "/api/query_at_ts", { ...call, ts: "AQAAAAAAAAA=" }, 400, "OutOfRetention"],
    ["a batch without queries", "/api/query_batch", {}, 400, "BadRequest"],
    ["too large a batch", "/api/query_batch", { queries: Array(101).fill(call) }, 400, "TooManyQueries"],
    ["a URL that names no function", "/api/run/messages", {}, 400, "MissingIdentifier"],
    ["a URL with broken escapes", "/api/run/messages/%E0%A4%A", {}, 400, "MissingIdentifier"],
    ["a component without the key", "/api/query", { ...call, componentPath: "a" }, 403, "BadDeployKey"],
    ["any function without the key", "/api/function", call, 403, "BadDeployKey"],
    ["a push without the key", "/api/deploy2/start_push", {}, 403, "BadDeployKey"],
    ["a wrong key", "/api/query", call, 403, "BadDeployKey", { authorization: "Convex wrong" }],
    ["a scheme of its own", "/api/query", call, 401, "InvalidAuthHeader", { authorization: "Basic YTpi" }],
    ["a token that is none", "/api/query", call, 401, "InvalidAuthHeader", { authorization: "Bearer x" }],
    ["an unknown encoding", "/api/query", call, 415, "UnsupportedEncoding", { "content-encoding": "lzma" }],
    ["broken compression", "/api/query", call, 400, "BadBody", { "content-encoding": "gzip" }],
  ];

  test.each(cases)("%s", async (_, path, body, status, code, headers) => {
    const response = await post(path, body, headers);
    expect([response.status, await response.json()]).toEqual([
      status,
      { code, message: expect.stringMatching(/\S/) },
    ]);
  });

  test("a token that has expired is 401 on the API", async () => {
    const response = await post("/api/query", call, {
      authorization: `Bearer ${await issuer.token("ann", -3_600)}`,
    });
    expect([response.status, await response.json()]).toMatchObject([
      401,
      { message: expect.stringContaining("Token expired") },
    ]);
  });
});
