import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callOf, Harness, REQUEST_ID } from "../../tests/support/functions-harness";
import { ManualClock } from "../../tests/support/manual-clock";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.deployed();
});
afterAll(() => harness.discard());

describe("an action of the default runtime", () => {
  test("calls queries, mutations and actions, and sees their errors as data", async () => {
    expect(await harness.action("actions:everything", { text: "hello" })).toEqual({
      id: "string",
      secret: "for functions only",
      refused: { code: "refused", text: "no" },
      nested: "hello",
      identity: null,
      random: 8,
      key: "secret",
      hidden: [],
      process: ["env"],
      env: "hello",
    });
    expect(await harness.query("notes:list")).toEqual(["hello"]);
  });

  test("has the real network", async () => {
    const server = http.createServer((request, response) => response.end(`seen ${request.url}`));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    expect(await harness.action("actions:fetchText", { url: `http://127.0.0.1:${port}/x` })).toBe("seen /x");
    await new Promise((closed) => server.close(closed));
  });

  test("fails with the place in the developer's file, and its lines are kept", async () => {
    const { outcome, logLines } = await harness.functions.action(callOf("actions:fail"));
    expect(outcome).toMatchObject({
      ok: false,
      failure: {
        message: expect.stringMatching(
          new RegExp(
            `^\\[Request ID: ${REQUEST_ID}\\] Server Error\nUncaught Error: the action failed\n {4}at handler \\(\\.\\./convex/actions\\.ts:`,
          ),
        ),
      },
    });
    expect(logLines).toEqual(["[ERROR] 'about to fail'"]);
  });

  test("calls a function through its handle, which names it for good", async () => {
    const first = (await harness.action("actions:viaHandle")) as { handle: string; text: string };
    expect(first).toEqual({
      handle: expect.stringMatching(/^function:\/\/\w+#actions\.js:echo$/),
      text: "through the handle",
    });
    expect(await harness.action("actions:viaHandle")).toEqual(first);
  });

  test("stores a file, reads it back, and a query gives its address", async () => {
    const stored = (await harness.action("actions:store", { text: "bytes" })) as { id: string };
    expect(stored).toMatchObject({ text: "bytes", type: "text/plain", size: 5 });
    expect(await harness.query("actions:fileUrl", { id: stored.id })).toMatch(
      /^http:\/\/127\.0\.0\.1:3210\/api\/storage\//,
    );
  });

  test("many run side by side and each gets its own answer", async () => {
    const texts = Array.from({ length: 50 }, (_, n) => `text ${n}`);
    expect(await Promise.all(texts.map((text) => harness.action("actions:echo", { text })))).toEqual(texts);
  });
});

describe("an action of the Node runtime", () => {
  test("has Node's modules and the deployment's variables", async () => {
    expect(await harness.action("machine:hash", { text: "abc" })).toMatchObject({
      hash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      platform: os.platform(),
      env: "hello",
    });
  });

  test("that ends its thread fails, and the next one runs in a new thread", async () => {
    await expect(harness.action("machine:leave")).rejects.toThrow("Transient error while executing action");
    expect(await harness.action("machine:hash", { text: "" })).toMatchObject({ platform: os.platform() });
  });

  test("takes no more than 5 MiB of arguments", async () => {
    const text = "x".repeat(5 * 1024 * 1024);
    await expect(harness.action("machine:hash", { text })).rejects.toThrow("limit: 5 MiB");
    expect(await harness.action("actions:echo", { text })).toHaveLength(text.length);
  });
});

test("an action that runs for half an hour is given up", async () => {
  const clock = new ManualClock();
  const own = await Harness.deployed({ clock });
  const run = own.functions.action({
    ...callOf("jobs:hang", { label: "began" }),
    identity: { kind: "admin", actingAs: null },
  });
  await own.until(async () => ((await own.query("jobs:labels")) as string[]).includes("began"));
  clock.advance(30 * 60_000);
  expect((await run).outcome).toMatchObject({
    ok: false,
    failure: { message: expect.stringContaining("Function execution timed out (maximum duration: 1800s)") },
  });
  await own.discard();
});

describe("HTTP actions", () => {
  const ask = (path: string, init: RequestInit = {}, identity = { kind: "none" } as const) =>
    harness.functions.http(new Request(`http://127.0.0.1:3211${path}`, init), identity);

  test("see the request's bytes and headers, and answer with their own", async () => {
    const body = Uint8Array.of(0, 255, 128, 10);
    const response = await ask("/echo", { method: "POST", body, headers: { "x-sent": "yes" } });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-seen")).toBe("yes");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(body);
  });

  test("are found exactly first, then by the longest prefix; HEAD is GET", async () => {
    expect(await (await ask("/files/a")).text()).toBe("any /files/a");
    expect(await (await ask("/files/deep/a")).text()).toBe("deep /files/deep/a");
    expect((await ask("/files/a", { method: "HEAD" })).status).toBe(200);
  });

  test("stream", async () => {
    expect(await (await ask("/stream")).text()).toBe("part 0;part 1;part 2;");
  });

  test("end when nobody reads their answer any more", async () => {
    const response = await ask("/endless");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await harness.until(async () =>
      ((await harness.query("jobs:labels")) as string[]).includes("reader gone"),
    );
  });

  test.each([
    ["/nothing", "GET"],
    ["/echo", "GET"],
  ])("%s by %s has no route", async (path, method) => {
    const response = await ask(path, { method });
    expect([response.status, await response.text()]).toEqual([404, "No matching routes found"]);
  });

  test("that throw answer 500 with the error and its data", async () => {
    const response = await ask("/fail");
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      code: expect.stringMatching(/^\[Request ID: [0-9a-f]{16}\] Server Error: Uncaught ConvexError: /),
      trace: expect.stringContaining("../convex/notes.ts"),
      data: { code: "refused", text: "from http" },
    });
  });

  test("know the caller, and fail for a credential that could not be checked", async () => {
    expect(await (await ask("/whoami")).json()).toBeNull();
    const response = await harness.functions.http(new Request("http://127.0.0.1:3211/whoami"), {
      kind: "unknown",
      reason: "Could not parse the token.",
    });
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("Could not parse the token.");
  });

  test("take bodies of 20 MiB at most", async () => {
    const response = await ask("/echo", { method: "POST", body: new Uint8Array(20 * 1024 * 1024 + 1) });
    expect(response.status).toBe(413);
  });

  test("a deployment without http.ts says so", async () => {
    const bare = await Harness.open();
    const response = await bare.functions.http(new Request("http://127.0.0.1:3211/"), { kind: "none" });
    expect([response.status, await response.text()]).toEqual([
      404,
      "This Convex deployment does not have HTTP actions enabled.",
    ]);
    await bare.discard();
  });
});
