import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { DEMO_ACCOUNT, inbound, seedDemo } from "../../local/demo-data";
import { connectMcp } from "../../local/mcp-client";
import { startTestStack, type TestStack } from "../support/stack";

/** The largest body that is taken (contract 5). */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const APP_SECRET = "sim-app-secret";

let stack: TestStack;
let accountId: string;

beforeAll(async () => {
  stack = await startTestStack();
  await seedDemo(stack.backend, stack.env, stack.simulatorUrl);
  const accounts = z
    .array(z.looseObject({ id: z.string() }))
    .parse(await runFunction(stack.backend, "accountsAdmin:list", {}));
  accountId = accounts[0]?.id ?? "";
});
afterAll(() => stack?.stop());

/** Signed by node's own HMAC, so that the product's signature code does not vouch for itself. */
const sign = (body: string | Uint8Array, secret = APP_SECRET): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

const message = (wamid: string, text: string, phoneNumberId: string = DEMO_ACCOUNT.phoneNumberId): string =>
  JSON.stringify({
    object: "whatsapp_business_account",
    entry: [
      {
        id: DEMO_ACCOUNT.wabaId,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: phoneNumberId },
              contacts: [{ profile: { name: "Bad Input" }, wa_id: "16505550000" }],
              messages: [
                {
                  from: "16505550000",
                  id: wamid,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: "text",
                  text: { body: text },
                },
              ],
            },
          },
        ],
      },
    ],
  });

describe.each([
  ["the app's route", () => `${stack.env.SITE_URL}/api/webhook`],
  ["the backend's own route", () => `${stack.env.CONVEX_SITE_URL}/webhook`],
])("a webhook at %s", (door, url) => {
  const post = (body: string | Uint8Array<ArrayBuffer>, signature: string | null) =>
    fetch(url(), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(signature !== null && { "x-hub-signature-256": signature }),
      },
      body,
    });
  const id = (name: string) => `wamid.${door.length}${name}`;

  test.each([
    ["no signature", () => null],
    ["a malformed one", () => "sha256=zz"],
    ["one of another secret", () => sign(message(id("forged"), "forged"), "another secret")],
    ["sha1 in place of sha256", () => `sha1=${"0".repeat(40)}`],
  ])("with %s is answered 401, always with the same body", async (_, signature) => {
    const refused = await post(message(id("forged"), "forged"), signature());
    const unknownNumber = await post(
      message(id("forged"), "forged", "999999999999999"),
      sign("x", "another secret"),
    );
    expect(refused.status).toBe(401);
    expect(unknownNumber.status).toBe(401);
    expect(await refused.text()).toBe(await unknownNumber.text());
  });

  test("that was cut short on its way is answered 401", async () => {
    const body = message(id("cut"), "cut");
    expect((await post(body.slice(0, -20), sign(body))).status).toBe(401);
  });

  test("larger than 4 MiB is answered 413", async () => {
    const body = "x".repeat(BODY_BYTES_MAX + 1024 * 1024);
    for (const signature of [sign(body), null]) expect((await post(body, signature)).status).toBe(413);
  });

  test("that is signed but not JSON, or nested a hundred thousand deep, is kept and answered 200", async () => {
    for (const body of [
      `not json but it names ${DEMO_ACCOUNT.phoneNumberId} "phone_number_id":"${DEMO_ACCOUNT.phoneNumberId}"`,
      `{"metadata":{"phone_number_id":"${DEMO_ACCOUNT.phoneNumberId}"},"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    ]) {
      expect((await post(body, sign(body))).status).toBe(200);
    }
  });

  test("with bytes that are not UTF-8 is checked as it came", async () => {
    const body = new Uint8Array([
      ...new TextEncoder().encode(message(id("bytes"), "é").slice(0, -1)),
      0xff,
      0x7d,
    ]);
    expect((await post(body, sign(body))).status).toBe(200);
  });

  test("that comes twice is answered 200 twice and shows once", async () => {
    const text = `only once at ${door}`;
    const body = message(id("twice"), text);
    for (let n = 0; n < 2; n++) expect((await post(body, sign(body))).status).toBe(200);
    const agent = await connectMcp(stack.env.SITE_URL, await makeKey(["read"]));
    const conversation = await agent.callTool({
      name: "get_conversation",
      arguments: { contact: "+16505550000" },
    });
    await agent.close();
    expect(JSON.stringify(conversation.structuredContent).split(text).length - 1).toBe(1);
  });
});

test("the handshake answers the challenge as plain text, and 403 to a wrong token", async () => {
  const ask = (token: string) =>
    fetch(
      `${stack.env.SITE_URL}/api/webhook?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`,
    );
  const right = await ask(stack.env.WEBHOOK_VERIFY_TOKEN);
  expect([right.status, await right.text()]).toEqual([200, "1158201444"]);
  expect(right.headers.get("content-type")).toMatch(/^text\/plain/);
  expect((await ask("wrong")).status).toBe(403);
});

const createdKey = z.looseObject({ id: z.string(), key: z.string() });

async function makeKey(scopes: string[]): Promise<string> {
  return createdKey.parse(
    await runFunction(stack.backend, "keysAdmin:create", { accountId, name: "probe", scopes }),
  ).key;
}

describe("an MCP call", () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "probe", version: "1" } },
  };
  const post = (headers: Record<string, string>) =>
    fetch(`${stack.env.SITE_URL}/api/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: JSON.stringify(initialize),
    });

  test("without a key is answered 401 and told where to get one", async () => {
    const answer = await post({});
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(
      /^Bearer .*resource_metadata=".*oauth-protected-resource"/,
    );
  });

  test("with a revoked key is answered as one with no key at all", async () => {
    const created = createdKey.parse(
      await runFunction(stack.backend, "keysAdmin:create", { accountId, name: "revoked", scopes: ["read"] }),
    );
    expect((await post({ authorization: `Bearer ${created.key}` })).status).toBe(200);
    await runFunction(stack.backend, "keysAdmin:revoke", { apiKeyId: created.id });
    const [revoked, none] = [await post({ authorization: `Bearer ${created.key}` }), await post({})];
    expect(revoked.status).toBe(401);
    expect(await revoked.text()).toBe(await none.text());
  });

  test("to a tool outside the key's scope is answered as one to a tool that does not exist", async () => {
    const agent = await connectMcp(stack.env.SITE_URL, await makeKey(["read"]));
    const tools = (await agent.listTools()).tools.map((tool) => tool.name);
    expect(tools).toContain("get_conversation");
    expect(tools).not.toContain("send_text");
    const attempt = (name: string) =>
      agent.callTool({ name, arguments: { contact: "+16505551234", text: "hi" } }).then(
        (result) => JSON.stringify(result),
        (error: unknown) => String(error),
      );
    expect((await attempt("send_text")).replaceAll("send_text", "X")).toBe(
      (await attempt("no_such_tool")).replaceAll("no_such_tool", "X"),
    );
    await agent.close();
  });

  test("with wrong arguments is told which, and sends nothing", async () => {
    const agent = await connectMcp(stack.env.SITE_URL, await makeKey(["read", "send"]));
    const result = await agent.callTool({
      name: "send_text",
      arguments: { contact: "+16505551234", text: 5 },
    });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain("text");
    await agent.close();
  });

  test("to a conversation of another account is answered, byte for byte, as one that does not exist", async () => {
    const agent = await connectMcp(stack.env.SITE_URL, await makeKey(["read", "send"]));
    await inbound(stack.simulatorUrl, { from: "+16505551234", type: "text", text: "mine" });
    const ask = async (contact: string) =>
      JSON.stringify(await agent.callTool({ name: "get_conversation", arguments: { contact } }));
    // An id of the right shape that belongs to nobody, and one that belongs to another table.
    expect(await ask("zz7abcdefghjkmnpqrstvwxyz0123456")).toBe(await ask(accountId));
    await agent.close();
  });
});
