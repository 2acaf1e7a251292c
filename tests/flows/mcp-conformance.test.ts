import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { inbound, seedDemo } from "../../local/demo-data";
import { connectMcp } from "../../local/mcp-client";
import { type Check, runScenario } from "../support/mcp-conformance";
import { startTestStack, type TestStack } from "../support/stack";

/** The scenarios that a server without the suite's own fixtures can be asked for, by protocol revision. */
const SCENARIOS: Record<string, readonly string[]> = {
  "2025-06-18": ["server-initialize", "ping", "tools-list", "resources-list"],
  "2025-11-25": [
    ...["server-initialize", "ping", "tools-list", "resources-list", "prompts-list"],
    ...["dns-rebinding-protection", "server-sse-multiple-streams", "server-session-lifecycle"],
  ],
  "2026-07-28": [
    ...["server-stateless", "tools-list", "resources-list", "prompts-list", "caching"],
    ...["sep-2164-resource-not-found", "dns-rebinding-protection", "http-header-validation"],
    ...["server-sse-multiple-streams", "input-required-result-unsupported-methods"],
  ],
};

/** Checks inside them that ask for a tool of the suite's own; they say themselves that they could not be made. */
const NEEDS_FIXTURE = new Set([
  "sep-2575-server-rejects-undeclared-capability",
  "sep-2575-missing-capability-http-400",
  "sep-2575-http-server-no-independent-requests-on-stream",
  "sep-2575-server-no-log-without-loglevel",
]);

/** Scenarios at once: each is a process of its own that mostly waits. */
const LANES = 3;

let stack: TestStack;
let key: string;

beforeAll(async () => {
  stack = await startTestStack();
  await seedDemo(stack.backend, stack.env, stack.simulatorUrl);
  const [account] = z
    .array(z.looseObject({ id: z.string() }))
    .parse(await runFunction(stack.backend, "accountsAdmin:list", {}));
  const created = await runFunction(stack.backend, "keysAdmin:create", {
    accountId: account?.id,
    name: "conformance",
    scopes: ["read", "write", "send"],
    rpm: 6_000,
  });
  key = z.looseObject({ key: z.string() }).parse(created).key;
});
afterAll(async () => await stack?.stop());

const endpoint = () => `${stack.env.SITE_URL}/api/mcp`;

test("the built app passes the official conformance suite in every revision that it speaks", async () => {
  const runs = Object.entries(SCENARIOS).flatMap(([revision, names]) =>
    names.map((scenario) => ({ revision, scenario })),
  );
  const checks: Check[] = [];
  const waiting = [...runs];
  const lane = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      checks.push(...(await runScenario({ url: endpoint(), key, ...run })));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const judged = checks.filter(({ id }) => !NEEDS_FIXTURE.has(id));
  expect(judged.filter(({ status }) => status === "FAILURE" || status === "WARNING")).toEqual([]);
  expect(judged.filter(({ status }) => status === "SUCCESS").length).toBeGreaterThanOrEqual(80);
}, 600_000);

describe("the address", () => {
  test("is the same with a slash at its end, and answers what is not POST without a redirect", async () => {
    const headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    for (const url of [endpoint(), `${endpoint()}/`]) {
      const post = await fetch(url, { method: "POST", redirect: "manual", headers, body });
      expect(post.status).toBe(200);
      for (const [method, status] of [
        ["GET", 405],
        ["HEAD", 405],
        ["DELETE", 405],
        ["OPTIONS", 204],
        ["PUT", 405],
      ] as const) {
        expect((await fetch(url, { method, redirect: "manual", headers })).status, `${method} ${url}`).toBe(
          status,
        );
      }
    }
  });

  test("has the pictures that the server names for itself", async () => {
    for (const file of ["icon.svg", "apple-icon.png"]) {
      expect((await fetch(`${stack.env.SITE_URL}/${file}`)).status, file).toBe(200);
    }
  });
});

test("a client of the built app is told of a message while its stream is open", async () => {
  const client = await connectMcp(stack.env.SITE_URL, key);
  const { resources } = await client.listResources();
  const uri = z.string().parse(resources.find(({ uri }) => uri.endsWith("/messages"))?.uri);
  const told = new Promise<string>((resolve) => {
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => resolve(params.uri));
  });
  await client.listen({ resourceSubscriptions: [uri] });
  await inbound(stack.simulatorUrl, {
    from: "+16505551234",
    name: "Sheena Nelson",
    type: "text",
    text: "Is this thing on?",
  });
  expect(await told).toBe(uri);
  const { contents } = await client.readResource({ uri });
  expect(JSON.stringify(contents)).toContain("Is this thing on?");
  await client.close();
});
