/**
 * What each tool answers, over the real endpoint. It is one file because all tools share one product, which takes
 * seconds to start.
 */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { type InProcess, inboundText, SITE_URL, startInProcess } from "../../tests/support/in-process";

let product: InProcess;
let accountId: Awaited<ReturnType<InProcess["addBusiness"]>>["id"];
let door: (request: Request) => Promise<Response>;
let webhook: (request: Request) => Promise<Response>;
let drainAudit: () => Promise<void>;
let requestsBefore = 0;
const open: Client[] = [];

const CUSTOMER = "+16505551234";
const EVERYTHING = ["read", "write", "send"];

/** All that customers and sends leave behind; the account, its templates and the keys stay. */
const TRACES = [
  "consentEntries",
  "consentStates",
  "contactIdentities",
  "contacts",
  "conversations",
  "messages",
  "outbox",
  "reactions",
  "sendRequests",
  "webhookEvents",
  "accountSequences",
] as const;

// One deployment for the whole file, because starting one costs more than all calls of a test; each test begins empty.
beforeAll(async () => {
  product = await startInProcess();
  door = (await import("./endpoint")).answerMcp;
  ({ drainAudit } = await import("./audit"));
  webhook = (await import("@/app/api/webhook/route")).POST;
  accountId = (await product.addBusiness()).id;
  await product.addOtherBusiness();
  await templatesKnown();
}, 60_000);
afterAll(async () => {
  await drainAudit();
  await product.stop();
});
beforeEach(async () => {
  requestsBefore = (await graphRequests(0)).at(-1)?.n ?? 0;
});
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  await product.backend.t.finishInProgressScheduledFunctions();
  await product.backend.t.run(async (ctx) => {
    for (const table of TRACES) {
      for (const { _id } of await ctx.db.query(table).collect()) await ctx.db.delete(_id);
    }
  });
});

const toolResult = z.object({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
});

/** The official client, which also holds every result against the schema that the tool publishes. */
async function connect(scopes: string[], options: Parameters<InProcess["createKey"]>[2] = {}) {
  const { key } = await product.createKey(accountId, scopes, options);
  const client = new Client({ name: "test", version: "1.0.0" });
  open.push(client);
  const through = async (url: string | URL, init?: RequestInit) => {
    const request = new Request(url, init);
    request.headers.set("host", "localhost:3000");
    request.headers.set("authorization", `Bearer ${key}`);
    return await door(request);
  };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${SITE_URL}/api/mcp`), { fetch: through }));
  await client.listTools();
  return async (name: string, args: Record<string, unknown> = {}) => {
    const result = toolResult.parse(await client.callTool({ name, arguments: args }));
    const text = result.content[0]?.text ?? "";
    if (result.structuredContent !== undefined) expect(JSON.parse(text)).toEqual(result.structuredContent);
    return { ...result, text, data: result.structuredContent ?? {} };
  };
}

async function customerWrites(text: string, options: Parameters<typeof inboundText>[1] = {}) {
  const { body, signature, wamid } = await inboundText(text, options);
  const headers = { "x-hub-signature-256": signature };
  const response = await webhook(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
  expect(response.status).toBe(200);
  return wamid;
}

async function graphRequests(after: number) {
  const response = await fetch(`${product.simulator.url}/_sim/requests?after=${after}`);
  const request = z.looseObject({ n: z.number(), method: z.string(), path: z.string(), body: z.unknown() });
  return z.object({ requests: z.array(request) }).parse(await response.json()).requests;
}

const graphSends = async () =>
  (await graphRequests(requestsBefore)).filter(
    ({ method, path }) => method === "POST" && path.endsWith("/messages"),
  );

/** Meta's templates are read in the background after a number is connected. */
const templatesKnown = async () =>
  await vi.waitFor(
    async () => {
      const rows = await product.backend.t.run(async (ctx) => await ctx.db.query("templates").collect());
      expect(rows.length).toBeGreaterThan(0);
      return rows;
    },
    { timeout: 10_000, interval: 20 },
  );

describe("list_unanswered", () => {
  it("lists who waits, the longest first, until they are answered", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("First?");
    await customerWrites("Second?", { from: "16505559999", name: "Otto" });
    const { data } = await call("list_unanswered");
    expect(data).toMatchObject({
      business: { number: "+15550783881" },
      conversations: [
        {
          contact: { name: "Sheena Nelson" },
          last_message: { preview: "First?", untrusted: true },
          window: { open: true },
          waiting_minutes: 0,
        },
        { contact: { name: "Otto" } },
      ],
    });
    expect((await call("list_unanswered", { older_than_minutes: 5 })).data["conversations"]).toEqual([]);
    await call("send_text", { contact: CUSTOMER, text: "Yes." });
    expect((await call("list_unanswered")).data).toMatchObject({
      conversations: [{ contact: { name: "Otto" } }],
    });
  });

  it("pages without losing or repeating a row", async () => {
    const call = await connect(["read"]);
    for (let n = 0; n < 3; n++) await customerWrites(`m${n}`, { from: `1650555100${n}` });
    const seen: unknown[] = [];
    for (let cursor: unknown, pages = 0; pages < 5; pages++) {
      const { data } = await call("list_unanswered", { limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...z.array(z.unknown()).parse(data["conversations"]));
      cursor = data["next_cursor"];
      if (cursor === undefined) break;
    }
    expect(seen).toHaveLength(3);
  });
});

describe("search_messages", () => {
  it("finds a message with what stands beside it, and marks what the customer wrote", async () => {
    const call = await connect(["read", "send"]);
    await customerWrites("Good morning");
    const wamid = await customerWrites("Where is my invoice 4711?\u200B");
    await call("send_text", { contact: CUSTOMER, text: "We sent the invoice." });
    const { data } = await call("search_messages", { query: "invoice from:customer" });
    expect(data["hits"]).toMatchObject([
      {
        wamid,
        contact: { phone: CUSTOMER },
        snippet: "Where is my invoice 4711?⟨U+200B⟩",
        untrusted: true,
        before: { preview: "Good morning" },
        after: { preview: "We sent the invoice.", direction: "outbound" },
      },
    ]);
    expect((await call("search_messages", { query: "nothing-of-the-kind" })).data["hits"]).toEqual([]);
  });

  it("says what is wrong with a query, and knows no conversation of others", async () => {
    const call = await connect(["read"]);
    const wrong = await call("search_messages", { query: "before:tomorrow x" });
    expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining("2026-01-31") });
    const { data } = await call("search_messages", { query: "x in:+16505550000" });
    expect(data).toMatchObject({ refused: true, reason: "not_found" });
  });
});

describe("list_templates and send_template", () => {
  it("tell what a template needs, and send it to somebody who never wrote", async () => {
    const call = await connect(EVERYTHING);
    const { data } = await call("list_templates", { status: "approved" });
    const rows = z
      .array(z.looseObject({ name: z.string(), language: z.string(), params_schema: z.looseObject({}) }))
      .parse(data["templates"]);
    expect(rows.length).toBe(3);
    const plain = rows.find(({ name }) => name === "hello_world");
    if (plain === undefined) throw new Error("hello_world is missing.");
    const { name, language } = plain;
    const sent = await call("send_template", { contact: "+16505557777", name, language });
    expect(sent.data).toMatchObject({ outcome: "accepted", wamid: expect.any(String) });
    expect(await graphSends()).toMatchObject([{ body: { type: "template", template: { name } } }]);
  });

  it("take values as params_schema says, as a list, and name the value that does not fit", async () => {
    const rows = await templatesKnown();
    const withPlace = rows.find(
      ({ paramCount, components }) => paramCount > 0 && components.includes("BODY"),
    );
    if (withPlace === undefined) throw new Error("No template with a place.");
    const call = await connect(EVERYTHING);
    const args = {
      contact: CUSTOMER,
      name: withPlace.name,
      language: withPlace.language,
      validate_only: true,
    };
    const missing = await call("send_template", args);
    expect(missing.data).toMatchObject({
      refused: true,
      reason: "template_params",
      message: expect.any(String),
    });
    const odd = await call("send_template", { ...args, params: { body: 7 } });
    expect(odd).toMatchObject({ isError: true, text: expect.stringContaining("params.body") });
    const unknown = await call("send_template", { ...args, name: "no_such_template" });
    expect(unknown.data).toMatchObject({ refused: true, reason: "template_unknown" });
    expect(await graphSends()).toEqual([]);
  });
});

describe("send_text", () => {
  it("names the templates that may be sent instead when the window is closed", async () => {
    const call = await connect(EVERYTHING);
    const { data } = await call("send_text", { contact: "+16505557777", text: "Hi" });
    expect(data).toMatchObject({ refused: true, reason: "window_closed", next_step: expect.any(String) });
    expect(data["templates"]).toContainEqual({
      name: expect.any(String),
      language: expect.any(String),
      category: expect.any(String),
      param_count: expect.any(Number),
    });
  });

  it("refuses the same text within a minute, naming the first, and another text under one id", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("Hello");
    const first = await call("send_text", { contact: CUSTOMER, text: "Hi!" });
    const again = await call("send_text", { contact: CUSTOMER, text: "Hi!" });
    expect(again.data).toMatchObject({ reason: "duplicate_suspected", message_id: first.data["message_id"] });
    const id = { contact: CUSTOMER, client_request_id: "once" };
    await call("send_text", { ...id, text: "One" });
    const reused = await call("send_text", { ...id, text: "Two" });
    expect(reused.data).toMatchObject({ reason: "idempotency_key_reused" });
    expect(await graphSends()).toHaveLength(2);
  });

  it("is refused while a person has the conversation, and over the limits of the key", async () => {
    await customerWrites("Hello");
    const call = await connect(EVERYTHING, { dailyCap: 1 });
    await call("send_text", { contact: CUSTOMER, text: "One" });
    const capped = await call("send_text", { contact: CUSTOMER, text: "Two" });
    expect(capped.data).toMatchObject({ reason: "cap_reached", retry_after_seconds: expect.any(Number) });
    await product.backend.t.run(async (ctx) => {
      const conversation = await ctx.db.query("conversations").first();
      if (conversation !== null) await ctx.db.patch(conversation._id, { mode: "human" });
    });
    const taken = await call("send_text", { contact: CUSTOMER, text: "Three" });
    expect(taken.data).toMatchObject({ reason: "human_in_control" });
    expect((await call("get_conversation", { contact: CUSTOMER })).data).toMatchObject({ mode: "human" });
    const nobody = await call("send_text", { contact: "nobody at all", text: "Hi" });
    expect(nobody.data).toMatchObject({ reason: "invalid_recipient" });
  });
});

describe("send_media", () => {
  it("sends a public file as what its name says", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("Show me");
    const url = "https://files.example.com/menu.PDF?version=2";
    const { data } = await call("send_media", {
      contact: CUSTOMER,
      url,
      caption: "Menu",
      validate_only: true,
    });
    expect(data).toMatchObject({ valid: true });
    const image = { contact: CUSTOMER, url: "https://files.example.com/a.png", validate_only: true };
    expect((await call("send_media", image)).data).toMatchObject({ valid: true });
    const song = { contact: CUSTOMER, url: "https://files.example.com/a.mp3", caption: "no captions here" };
    expect((await call("send_media", song)).data).toMatchObject({ refused: true, reason: "invalid_message" });
    expect(await graphSends()).toEqual([]);
  });

  it("needs exactly one file, and knows no upload of others", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("Show me");
    for (const args of [{}, { url: "https://files.example.com/a.png", upload_id: "x" }]) {
      expect(await call("send_media", { contact: CUSTOMER, ...args })).toMatchObject({ isError: true });
    }
    const unknown = await call("send_media", { contact: CUSTOMER, upload_id: "nonsense" });
    expect(unknown.data).toMatchObject({ refused: true, reason: "not_found" });
  });
});

describe("send_reaction", () => {
  it("reacts to a message, shows it in the thread and takes it back", async () => {
    const call = await connect(["read", "write"]);
    const wamid = await customerWrites("We are getting married!");
    const sent = await call("send_reaction", { message_id: wamid, emoji: "🎉" });
    expect(sent.data).toMatchObject({ outcome: "accepted", wamid: expect.any(String) });
    const thread = async () => (await call("get_conversation", { contact: CUSTOMER })).data["messages"];
    expect(await thread()).toMatchObject([{ wamid, reactions: [{ emoji: "🎉", from: "business" }] }]);
    await call("send_reaction", { message_id: wamid, emoji: "" });
    expect(JSON.stringify(await thread())).not.toContain("🎉");
    const unknown = await call("send_reaction", { message_id: "wamid.NONE", emoji: "🎉" });
    expect(unknown.data).toMatchObject({ refused: true, reason: "not_found" });
  });
});

describe("updateConversation", () => {
  it("archives and brings back, any number of times, and knows no conversation of others", async () => {
    const call = await connect(["read", "write"]);
    await customerWrites("Bye");
    for (const archived of [true, true, false]) {
      const { data } = await call("updateConversation", { contact: CUSTOMER, archived });
      expect(data).toMatchObject({ archived, contact: { phone: CUSTOMER }, window: { open: true } });
    }
    await customerWrites("Secret", { to: "other", from: "16505550000" });
    const foreign = await call("updateConversation", { contact: "+16505550000", archived: true });
    const missing = await call("updateConversation", { contact: "+16505559999", archived: true });
    expect(foreign.data).toMatchObject({ refused: true, reason: "not_found" });
    expect(foreign).toEqual(missing);
  });
});

describe("get_messages", () => {
  const page = z.looseObject({
    messages: z.array(z.looseObject({ text: z.string() })),
    next_cursor: z.string(),
    more: z.boolean(),
  });

  it("reads on without a gap", async () => {
    const call = await connect(["read"]);
    await customerWrites("Before");
    const start = page.parse((await call("get_messages")).data);
    expect(start.messages.map(({ text }) => text)).toEqual(["Before"]);
    for (const text of ["One", "Two", "Three"]) await customerWrites(text);
    const texts: string[] = [];
    let next = page.parse((await call("get_messages", { after: start.next_cursor, limit: 1 })).data);
    for (;;) {
      texts.push(...next.messages.map(({ text }) => text));
      if (texts.length >= 3) break;
      next = page.parse((await call("get_messages", { after: next.next_cursor, limit: 1 })).data);
    }
    expect(texts).toEqual(["One", "Two", "Three"]);
    const end = page.parse((await call("get_messages", { after: next.next_cursor })).data);
    expect(end).toMatchObject({ messages: [], more: false });
    const made = await call("get_messages", { after: "made-up" });
    expect(made).toMatchObject({ isError: true, text: expect.stringContaining("cursor") });
  });
});

describe("get_media", () => {
  it("gives a picture to look at and a link, and only a link when asked for that", async () => {
    const call = await connect(["read"]);
    const wamid = await customerWrites("a picture follows");
    const picture = Buffer.from("iVBORw0KGgo=", "base64");
    await product.backend.t.run(async (ctx) => {
      const message = await ctx.db.query("messages").first();
      if (message === null) throw new Error("no message");
      const storageId = await ctx.storage.store(new Blob([new Uint8Array(picture)], { type: "image/png" }));
      const media = { state: "ready" as const, graphMediaId: "1", mime: "image/png", bytes: picture.length };
      await ctx.db.patch(message._id, { type: "image", media: { ...media, storageId } });
    });
    const outside = globalThis.fetch;
    // Convex's file host, which convex-test names but does not have.
    vi.stubGlobal("fetch", async (input: string | URL | Request, init?: RequestInit) =>
      String(input).includes("/api/storage/")
        ? new Response(new Uint8Array(picture))
        : await outside(input, init),
    );
    const { data, content } = await call("get_media", { message_id: wamid });
    vi.stubGlobal("fetch", outside);
    expect(data).toMatchObject({
      mime: "image/png",
      included: true,
      untrusted: true,
      url: expect.stringMatching(/^http:\/\/localhost:3000\/api\/media\//),
    });
    expect(content[1]).toMatchObject({
      type: "image",
      mimeType: "image/png",
      data: picture.toString("base64"),
    });
    const link = await call("get_media", { message_id: wamid, as: "link" });
    expect(link.content).toHaveLength(1);
    expect(link.data).toMatchObject({ included: false });
  });

  it("knows no file of a text, of nobody and of others", async () => {
    const call = await connect(["read"]);
    const text = await customerWrites("no file");
    const foreign = await customerWrites("foreign", { to: "other", from: "16505550000" });
    for (const message_id of [text, foreign, "wamid.NONE"]) {
      expect((await call("get_media", { message_id })).data).toMatchObject({ reason: "not_found" });
    }
  });
});

describe("send_interactive, send_location and send_contacts", () => {
  it("send what WhatsApp understands", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("Where?");
    const to = { contact: CUSTOMER };
    const rows = [{ id: "r1", title: "Today", description: "until six" }];
    for (const [name, args] of [
      ["send_interactive", { body: "Yes?", buttons: [{ id: "y", title: "Yes" }], footer: "Pons" }],
      ["send_interactive", { body: "When?", list: { button: "Choose", sections: [{ rows }] } }],
      ["send_interactive", { body: "See", link: { text: "Open", url: "https://example.com" } }],
      ["send_interactive", { body: "Where are you?", ask_location: true }],
      ["send_interactive", { body: "Book", flow: { id: "7", button: "Open", screen: "A", data: { n: 1 } } }],
      ["send_location", { latitude: 52.5, longitude: 13.4, name: "Shop" }],
      ["send_contacts", { contacts: [{ name: "Ana Lima", phones: ["+15550001111"] }] }],
    ] as const) {
      expect((await call(name, { ...to, ...args })).data, name).toMatchObject({ outcome: "accepted" });
    }
    const types = (await graphSends()).map(({ body }) => Object(body).type);
    expect(types).toEqual([...Array(5).fill("interactive"), "location", "contacts"]);
  });

  it("refuse what is nothing or two things, and what WhatsApp would not take", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("Where?");
    const one = { contact: CUSTOMER, body: "Yes?" };
    const button = [{ id: "y", title: "Yes" }];
    for (const args of [one, { ...one, buttons: button, ask_location: true }]) {
      expect(await call("send_interactive", args)).toMatchObject({ isError: true });
    }
    const twins = await call("send_interactive", { ...one, buttons: [...button, ...button] });
    expect(twins.data).toMatchObject({ refused: true, reason: "invalid_message" });
    expect(await call("send_location", { contact: CUSTOMER, latitude: 91, longitude: 0 })).toMatchObject({
      isError: true,
    });
    expect(await graphSends()).toEqual([]);
  });
});

describe("the tools around a conversation", () => {
  it("mark as read, hand over to people, and then no longer send", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("I want a person");
    expect((await call("mark_as_read", { contact: CUSTOMER, typing: true })).data).toMatchObject({
      message_id: expect.any(String),
    });
    const handed = await call("handoff_to_human", {
      contact: CUSTOMER,
      reason: "asked",
      summary: "Wants a person.",
    });
    expect(handed.data).toEqual({ mode: "human", changed: true });
    const sent = await call("send_text", { contact: CUSTOMER, text: "Hi" });
    expect(sent.data).toMatchObject({ reason: "human_in_control", next_step: expect.any(String) });
    for (const tool of ["mark_as_read", "handoff_to_human"]) {
      const nobody = await call(tool, {
        contact: "+16505559999",
        ...(tool === "handoff_to_human" && { reason: "x" }),
      });
      expect(nobody.data, tool).toMatchObject({ refused: true, reason: "not_found" });
    }
  });

  it("find a customer, and enter and tell what they agreed to", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("No offers please");
    const { data } = await call("search_contacts", { query: "sheena" });
    expect(data).toMatchObject({ contacts: [{ phone: CUSTOMER, window: { open: true }, untrusted: true }] });
    const refused = { contact: CUSTOMER, category: "marketing", state: "withdrawn", note: "said so" };
    expect((await call("set_consent", refused)).data).toMatchObject({ marketing: { state: "withdrawn" } });
    expect((await call("get_consent", { contact: CUSTOMER })).data).toMatchObject({
      marketing: { state: "withdrawn", source: "key" },
      entries: [{ category: "marketing", note: "said so" }],
    });
    const again = await call("set_consent", { ...refused, state: "granted" });
    expect(again.data).toMatchObject({ refused: true, reason: "opted_out" });
    expect((await call("get_consent", { contact: "+16505559999" })).data).toMatchObject({
      reason: "not_found",
    });
  });

  it("tell how a send went, by each of its names", async () => {
    const call = await connect(EVERYTHING);
    await customerWrites("Hello");
    const sent = await call("send_text", { contact: CUSTOMER, text: "Hi!", client_request_id: "once" });
    const { message_id, wamid } = sent.data;
    for (const args of [{ message_id }, { message_id: wamid }, { client_request_id: "once" }]) {
      const { data } = await call("get_message_status", args);
      expect(data).toMatchObject({ message_id, wamid, direction: "outbound" });
      expect(data["steps"]).toContainEqual({ status: "queued", at: expect.any(String) });
    }
    expect((await call("get_message_status", { message_id: "wamid.NONE" })).data).toMatchObject({
      reason: "not_found",
    });
    expect(await call("get_message_status")).toMatchObject({ isError: true });
  });

  it("tell what the key is and what is left of it", async () => {
    const call = await connect(["send"], { dailyCap: 7 });
    expect((await call("ping")).data).toMatchObject({
      ok: true,
      scopes: ["send"],
      numbers: [{ number: "+15550783881", sending: "active" }],
    });
    await call("send_template", { contact: CUSTOMER, name: "hello_world", language: "en_US" });
    expect((await call("get_usage")).data).toMatchObject({ sends_per_day: { limit: 7, left: 6 } });
  });

  it("name the numbers to choose from when the key may use several", async () => {
    const call = await connect(["read"], { numbers: ["+15550783881", "+15550783882"] });
    const { data } = await call("list_conversations");
    expect(data).toMatchObject({ refused: true, reason: "number_required" });
    expect(data["numbers"]).toEqual([
      { name: "Lucky Shrub", number: "+15550783881" },
      { name: "Other Shop", number: "+15550783882" },
    ]);
    expect((await call("list_conversations", { from: "+1 555 078 3882" })).data).toMatchObject({
      business: { number: "+15550783882" },
    });
  });
});
