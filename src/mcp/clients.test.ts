import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { internal } from "../../convex/_generated/api";
import { type InProcess, inboundText, SITE_URL, startInProcess } from "../../tests/support/in-process";

import { TOOLS } from "./tools";

type Door = (request: Request) => Promise<Response>;

const ENDPOINT = new URL(`${SITE_URL}/api/mcp`);
const INFO = { name: "test", version: "1.0.0" };

/** What a test needs of a client, whatever its protocol. */
type AnyClient = Pick<ModernClient, "close"> & {
  listTools: () => Promise<{ tools: { name: string; outputSchema?: unknown }[] }>;
  listPrompts: () => Promise<{ prompts: { name: string }[] }>;
  getPrompt: (params: { name: string }) => Promise<{ messages: { role: string }[] }>;
  callTool: (params: { name: string; arguments: Record<string, unknown> }) => Promise<unknown>;
  getInstructions: () => string | undefined;
};

/** The official clients of both generations, talking to the route function without a network. */
const CLIENTS: Record<string, (door: Door, key: string) => Promise<AnyClient>> = {
  "2026-07-28": async (door, key) => {
    const client = new ModernClient(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new ModernTransport(ENDPOINT, { fetch: through(door, key) }));
    return client;
  },
  "2025-11-25 (current SDK)": async (door, key) => {
    const client = new ModernClient(INFO, { versionNegotiation: { mode: "legacy" } });
    await client.connect(new ModernTransport(ENDPOINT, { fetch: through(door, key) }));
    return client;
  },
  "2025-11-25 (first SDK)": async (door, key) => {
    const client = new OldClient(INFO);
    await client.connect(new OldTransport(ENDPOINT, { fetch: through(door, key) }));
    return client;
  },
};

/** A fetch that ends in the route function, with the headers that a real connection would have. */
const through =
  (door: Door, key: string) =>
  async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    request.headers.set("host", "localhost:3000");
    request.headers.set("authorization", `Bearer ${key}`);
    return await door(request);
  };

const toolResult = z.object({
  isError: z.boolean().optional(),
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
});

let product: InProcess;
let door: Door;
let webhook: Door;
let accountId: Awaited<ReturnType<InProcess["addBusiness"]>>["id"];
const open: AnyClient[] = [];

beforeEach(async () => {
  product = await startInProcess();
  door = (await import("./endpoint")).answerMcp;
  webhook = (await import("@/app/api/webhook/route")).POST;
  accountId = (await product.addBusiness()).id;
});
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  await (await import("./audit")).drainAudit();
  await product.stop();
});

async function customerWrites(text: string, options: Parameters<typeof inboundText>[1] = {}) {
  const { body, signature, wamid } = await inboundText(text, options);
  const headers = { "x-hub-signature-256": signature };
  const response = await webhook(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
  expect(response.status).toBe(200);
  return wamid;
}

const graphSends = async () => {
  const response = await fetch(`${product.simulator.url}/_sim/requests?after=0`);
  const { requests } = z
    .object({ requests: z.array(z.looseObject({ method: z.string(), path: z.string() })) })
    .parse(await response.json());
  return requests.filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
};

for (const [revision, connect] of Object.entries(CLIENTS)) {
  describe(`a client of ${revision}`, () => {
    const clientWith = async (scopes: string[]) => {
      const { key } = await product.createKey(accountId, scopes);
      const client = await connect(door, key);
      open.push(client);
      const call = async (name: string, args: Record<string, unknown> = {}) => {
        const result = toolResult.parse(await client.callTool({ name, arguments: args }));
        const data = result.structuredContent;
        if (data !== undefined) expect(JSON.parse(result.content[0]?.text ?? "")).toEqual(data);
        return { ...result, data: data ?? {}, text: result.content[0]?.text ?? "" };
      };
      return { client, call };
    };

    it("finds the tools that its key may use, in a stable order, and a prompt", async () => {
      const { client } = await clientWith(["read", "send"]);
      const names = async () => (await client.listTools()).tools.map(({ name }) => name);
      expect(await names()).toEqual(TOOLS.filter(({ scope }) => scope !== "write").map(({ name }) => name));
      expect(await names()).toEqual(await names());
      expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual([
        "triage_inbox",
        "draft_reply",
        "daily_digest",
        "close_window_soon",
      ]);
      expect((await client.getPrompt({ name: "triage_inbox" })).messages).toHaveLength(1);
      expect(client.getInstructions()?.length).toBeLessThanOrEqual(512);
    });

    it("does not see tools outside its scopes and cannot tell them from unknown ones", async () => {
      const { client } = await clientWith(["conversations:read"]);
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
        "list_conversations",
        "list_unanswered",
        "search_contacts",
        "get_consent",
        "get_usage",
        "ping",
      ]);
      const answerTo = async (name: string) =>
        await client.callTool({ name, arguments: { contact: "+16505551234", text: "x" } }).then(
          (result) => JSON.stringify(result).replaceAll(name, "?"),
          (error: unknown) => String(error).replaceAll(name, "?"),
        );
      expect(await answerTo("send_text")).toBe(await answerTo("no_such_tool"));
      expect(await answerTo("send_text")).toMatch(/not found/);
      expect(await graphSends()).toEqual([]);
    });

    it("reads what a customer wrote and answers it with one Graph call", async () => {
      const { call } = await clientWith(["read", "send"]);
      const wamid = await customerWrites("Is it open on Sunday?");
      const list = await call("list_conversations");
      expect(list.data).toMatchObject({
        business: { number: "+15550783881" },
        conversations: [
          {
            contact: { name: "Sheena Nelson", phone: "+16505551234", untrusted: true },
            window: { open: true },
            last_message: { preview: "Is it open on Sunday?", untrusted: true },
          },
        ],
      });
      const sent = await call("send_text", {
        contact: "+16505551234",
        text: "Yes, from ten.",
        reply_to: wamid,
      });
      expect(sent.data).toMatchObject({ outcome: "accepted", wamid: expect.stringMatching(/^wamid\./) });
      expect(await graphSends()).toHaveLength(1);

      const thread = await call("get_conversation", { contact: "+16505551234" });
      expect(thread.data).toMatchObject({
        contact: { name: "Sheena Nelson" },
        window: { open: true, expires_at: expect.stringMatching(/^\d{4}-.*Z$/) },
        messages: [
          {
            direction: "inbound",
            text: "Is it open on Sunday?",
            wamid,
            untrusted: true,
            sender: { kind: "customer", name: "Sheena Nelson" },
          },
          { direction: "outbound", text: "Yes, from ten.", id: sent.data["message_id"], reply_to: { wamid } },
        ],
      });
    });

    it("sends nothing twice for one client_request_id, and nothing for validate_only", async () => {
      const { call } = await clientWith(["read", "send"]);
      await customerWrites("Hello");
      const args = { contact: "+16505551234", text: "Hi!", client_request_id: "once" };
      const checked = await call("send_text", { ...args, validate_only: true });
      expect(checked.data).toMatchObject({ valid: true, window: { open: true } });
      const first = await call("send_text", args);
      const second = await call("send_text", args);
      expect(second.data["message_id"]).toBe(first.data["message_id"]);
      expect(await graphSends()).toHaveLength(1);
    });

    it("is refused with data that says why and what to do, outside the window and for another's customer", async () => {
      const { call } = await clientWith(["read", "send"]);
      await product.addOtherBusiness();
      await customerWrites("Secret", { to: "other", from: "16505550000", name: "Not yours" });
      const unwindowed = await call("send_text", { contact: "+16505551234", text: "Hi!" });
      expect(unwindowed.data).toMatchObject({
        refused: true,
        reason: "window_closed",
        message: expect.any(String),
      });
      const foreign = await call("get_conversation", { contact: "+16505550000" });
      const missing = await call("get_conversation", { contact: "+16505559999" });
      expect(foreign.data).toMatchObject({ refused: true, reason: "not_found" });
      expect(foreign).toEqual(missing);
      const list = await call("list_conversations");
      expect(list.data["conversations"]).toEqual([]);
      expect(await graphSends()).toEqual([]);
    });

    it("learns which argument is wrong", async () => {
      const { call } = await clientWith(["read", "send"]);
      for (const [name, args, word] of [
        ["get_conversation", {}, "contact"],
        ["get_conversation", { contact: "+16505551234", limit: 0 }, "limit"],
        ["list_conversations", { limit: "many" }, "limit"],
        ["list_conversations", { page: 2 }, "page"],
        ["send_text", { contact: "+16505551234", text: "" }, "text"],
        ["send_text", { contact: "+16505551234", text: "x".repeat(4097) }, "text"],
        ["list_conversations", { cursor: "made-up" }, "cursor"],
      ] as const) {
        const result = await call(name, args);
        expect(result.isError, name).toBe(true);
        expect(result.text).toContain(word);
      }
    });

    it("pages through both lists without losing or repeating a row", async () => {
      const { call } = await clientWith(["read"]);
      for (let i = 0; i < 3; i++)
        await customerWrites(`Text ${i}`, { from: `1650555100${i}`, name: `C${i}` });
      for (let i = 0; i < 4; i++) await customerWrites(`Line ${i}`, { from: "16505551000" });
      const all = async (tool: string, field: string, cursorName: string, args: Record<string, unknown>) => {
        const ids: unknown[] = [];
        let cursor: unknown;
        do {
          const page = await call(tool, {
            ...args,
            limit: 2,
            ...(cursor !== undefined && { [cursorName]: cursor }),
          });
          ids.push(...z.array(z.unknown()).parse(page.data[field]));
          cursor = page.data["next_cursor"];
        } while (cursor !== undefined);
        return ids.map((row) => JSON.stringify(row));
      };
      const conversations = await all("list_conversations", "conversations", "cursor", {});
      expect(new Set(conversations).size).toBe(3);
      expect(conversations).toHaveLength(3);
      const messages = await all("get_conversation", "messages", "before", { contact: "+16505551000" });
      expect(new Set(messages).size).toBe(5);
      expect(messages).toHaveLength(5);
    });
  });
}

describe("any client", () => {
  const modern = async (scopes: string[]) => {
    const { key, id } = await product.createKey(accountId, scopes);
    const client = await connectModern(key);
    return { client, id };
  };
  const connectModern = async (key: string) => {
    const connect = CLIENTS["2026-07-28"];
    if (connect === undefined) throw new Error("The modern client is missing.");
    const client = await connect(door, key);
    open.push(client);
    return client;
  };
  const call = async (client: AnyClient, name: string, args: Record<string, unknown>) =>
    toolResult.parse(await client.callTool({ name, arguments: args }));

  it("sees hidden characters of a customer written out, in the text and in the name", async () => {
    const { client } = await modern(["read"]);
    await customerWrites("Hi\u202Eevil\u200B\u{E0041}", { name: "Bob\u2066" });
    const { structuredContent } = await call(client, "get_conversation", { contact: "+16505551234" });
    expect(structuredContent).toMatchObject({
      contact: { name: "Bob⟨U+2066⟩" },
      messages: [{ text: "Hi⟨U+202E⟩evil⟨U+200B⟩⟨U+E0041⟩" }],
    });
  });

  it("gets a smaller page, marked and with a cursor, where a full one would be too large", async () => {
    const { client } = await modern(["read"]);
    for (let i = 0; i < 20; i++) await customerWrites(`${i} ${"\u200B".repeat(900)}`);
    const { structuredContent, content } = await call(client, "get_conversation", {
      contact: "+16505551234",
    });
    expect(structuredContent).toMatchObject({ truncated: true, next_cursor: expect.any(String) });
    expect(content[0]?.text.length).toBeLessThanOrEqual(50_000);
  });

  it("cannot use a cursor of another key or of another list", async () => {
    const [mine, theirs] = [await modern(["read"]), await modern(["read"])];
    for (let i = 0; i < 2; i++) await customerWrites("Hello", { from: `1650555100${i}` });
    const { structuredContent } = await call(mine.client, "list_conversations", { limit: 1 });
    const cursor = structuredContent?.["next_cursor"];
    expect(cursor).toEqual(expect.any(String));
    for (const result of [
      await call(theirs.client, "list_conversations", { limit: 1, cursor }),
      await call(mine.client, "list_conversations", { limit: 1, cursor, archived: true }),
      await call(mine.client, "get_conversation", { contact: "+16505551000", before: cursor }),
    ]) {
      expect(result).toMatchObject({ isError: true });
      expect(result.content[0]?.text).toContain("invalid_request");
    }
    expect((await call(mine.client, "list_conversations", { limit: 1, cursor })).isError).toBeUndefined();
  });

  it("loses the connection as soon as its key is revoked", async () => {
    const { client, id } = await modern(["read"]);
    await call(client, "list_conversations", {});
    await product.backend.t.mutation(internal.keysAdmin.revoke, { apiKeyId: id });
    await expect(client.callTool({ name: "list_conversations", arguments: {} })).rejects.toThrow();
  });
});
