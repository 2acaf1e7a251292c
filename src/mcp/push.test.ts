import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { SITE_URL } from "../../tests/support/in-process";
import { type LiveProduct, startLiveProduct } from "../../tests/support/live-product";

type Door = (request: Request) => Promise<Response>;

const ENDPOINT = new URL(`${SITE_URL}/api/mcp`);
const INFO = { name: "test", version: "1.0.0" };

/** Notices take milliseconds; on a busy machine this is only how long it takes to say that there was none. */
const WAIT = { timeout: 15_000, interval: 5 };

/** What a test needs of a client, whatever its protocol. */
type Reader = {
  /** Every notice so far. */
  told: string[];
  subscribe: (uris: string[]) => Promise<void>;
  read: (uri: string) => Promise<unknown>;
  close: () => Promise<void>;
};

const resource = z.object({ contents: z.tuple([z.looseObject({ text: z.string() })]) });
const jsonOf = (result: unknown): unknown => JSON.parse(resource.parse(result).contents[0].text);

/** A fetch that ends in the route function, with the headers that a real connection would have. */
const through =
  (door: Door, key: string) =>
  async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    request.headers.set("host", "localhost:3000");
    request.headers.set("authorization", `Bearer ${key}`);
    return await door(request);
  };

const READERS: Record<string, (door: Door, key: string) => Promise<Reader>> = {
  "2026-07-28": async (door, key) => {
    const client = new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    const told: Reader["told"] = [];
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
      told.push(params.uri);
    });
    await client.connect(new StreamableHTTPClientTransport(ENDPOINT, { fetch: through(door, key) }));
    return {
      told,
      subscribe: async (uris) => void (await client.listen({ resourceSubscriptions: uris })),
      read: async (uri) => jsonOf(await client.readResource({ uri })),
      close: async () => await client.close(),
    };
  },
  "2025-11-25 (current SDK)": async (door, key) => {
    const client = new Client(INFO, { versionNegotiation: { mode: "legacy" } });
    const told: Reader["told"] = [];
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
      told.push(params.uri);
    });
    await client.connect(new StreamableHTTPClientTransport(ENDPOINT, { fetch: through(door, key) }));
    return {
      told,
      subscribe: async (uris) => {
        for (const uri of uris) await client.subscribeResource({ uri });
      },
      read: async (uri) => jsonOf(await client.readResource({ uri })),
      close: async () => await client.close(),
    };
  },
  "2025-11-25 (first SDK)": async (door, key) => {
    const client = new OldClient(INFO);
    const told: Reader["told"] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      told.push(params.uri);
    });
    await client.connect(new OldTransport(ENDPOINT, { fetch: through(door, key) }));
    return {
      told,
      subscribe: async (uris) => {
        for (const uri of uris) await client.subscribeResource({ uri });
      },
      read: async (uri) => jsonOf(await client.readResource({ uri })),
      close: async () => await client.close(),
    };
  },
};

const messagesPage = z.looseObject({
  messages: z.array(z.looseObject({ id: z.string(), text: z.string().optional(), conversation: z.string() })),
  next: z.string(),
  more: z.boolean(),
});
const textsOf = (page: unknown) => messagesPage.parse(page).messages.map(({ text }) => text);

let product: LiveProduct;
let door: Door;
let streams: typeof import("./push/streams");
const open: Reader[] = [];

beforeAll(async () => {
  product = await startLiveProduct();
  door = (await import("./endpoint")).answerMcp;
  streams = await import("./push/streams");
}, 120_000);
afterEach(async () => {
  for (const reader of open.splice(0)) await reader.close();
  await vi.waitFor(() => expect(streams.openStreamCount()).toBe(0), WAIT);
}, 30_000);
afterAll(async () => {
  await (await import("./audit")).drainAudit();
  await product.stop();
}, 60_000);

async function reader(kind: string, key: string, at: Door = door): Promise<Reader> {
  const connect = READERS[kind];
  if (connect === undefined) throw new Error(`There is no client ${kind}.`);
  const connected = await connect(at, key);
  open.push(connected);
  return connected;
}

const messagesUri = () => `pons://accounts/${product.number.slice(1)}/messages`;

describe.each(Object.keys(READERS).map((kind, at) => ({ kind, at })))("a client of $kind", ({ kind, at }) => {
  it("is told that a customer wrote, and reads what it was", async () => {
    const { key } = await product.createKey(["read"]);
    const client = await reader(kind, key);
    await client.subscribe([messagesUri()]);
    await product.customerWrites(`Told to ${kind}`);
    await vi.waitFor(() => expect(client.told).toContain(messagesUri()), WAIT);
    expect(textsOf(await client.read(messagesUri()))).toContain(`Told to ${kind}`);
  });

  it("is told about the conversation it asked for and about no other", async () => {
    const { key } = await product.createKey(["read"]);
    const client = await reader(kind, key);
    await product.customerWrites(`First of ${at}`, { from: `1650555200${at}`, name: "Ada" });
    const page = messagesPage.parse(await client.read(messagesUri()));
    const uri = page.messages.find(({ text }) => text === `First of ${at}`)?.conversation ?? "";
    expect(uri).toMatch(/^pons:\/\/conversations\//);
    await client.subscribe([uri]);
    await product.customerWrites("Elsewhere", { from: `1650555210${at}`, name: "Eve" });
    await product.customerWrites("Second", { from: `1650555200${at}`, name: "Ada" });
    await vi.waitFor(() => expect(client.told).not.toHaveLength(0), WAIT);
    expect(new Set(client.told)).toEqual(new Set([uri]));
    expect(
      textsOf({ ...page, messages: Object(await client.read(uri)).messages.map(withConversation) }),
    ).toEqual([`First of ${at}`, "Second"]);
  });

  it("misses nothing over a broken connection, because it reads on from where it was", async () => {
    const { key } = await product.createKey(["read"]);
    const before = await reader(kind, key);
    await before.subscribe([messagesUri()]);
    await product.customerWrites("Before the break");
    const first = messagesPage.parse(await before.read(messagesUri()));
    await before.close();
    for (let i = 0; i < 3; i++) await product.customerWrites(`Meanwhile ${i}`, { from: `1650555300${i}` });
    const after = await reader(kind, key);
    await after.subscribe([messagesUri()]);
    const missed = messagesPage.parse(await after.read(first.next));
    expect(textsOf(missed)).toEqual(["Meanwhile 0", "Meanwhile 1", "Meanwhile 2"]);
    await product.customerWrites("Afterwards");
    await vi.waitFor(() => expect(after.told).not.toHaveLength(0), WAIT);
    expect(textsOf(await after.read(missed.next))).toEqual(["Afterwards"]);
  });

  it("hears nothing of what its key may not read", async () => {
    const { key } = await product.createKey(["read"]);
    const client = await reader(kind, key);
    const foreign = `pons://accounts/${product.otherNumber.slice(1)}/messages`;
    for (const uri of [foreign, "pons://accounts/19995550000/messages", "pons://conversations/none"]) {
      await expect(client.read(uri)).rejects.toThrow(/not found/i);
    }
    const refused = await client.subscribe([foreign]).then(
      () => null,
      (error: unknown) => String(error),
    );
    if (kind !== "2026-07-28") expect(refused).toMatch(/not found/i);
    await client.subscribe([messagesUri()]);
    await product.customerWrites("Not yours", { to: "other", from: "16505550000" });
    await product.customerWrites("Yours");
    await vi.waitFor(() => expect(client.told).not.toHaveLength(0), WAIT);
    expect(client.told).not.toContain(foreign);
  });
});

const withConversation = (message: object) => ({ ...message, conversation: "" });

/** A raw stream of the newer protocol: its frames and its end. */
async function listen(key: string, uris: string[]) {
  const response = await door(
    new Request(ENDPOINT, {
      method: "POST",
      headers: {
        host: "localhost:3000",
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "subscriptions/listen",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: "s1",
        method: "subscriptions/listen",
        params: {
          notifications: { resourceSubscriptions: uris },
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
          },
        },
      }),
    }),
  );
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const frames: z.infer<typeof frame>[] = [];
  const ended = (async () => {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) return;
      text += part.value;
      const whole = text.split("\n\n");
      text = whole.pop() ?? "";
      for (const chunk of whole) {
        const data = /^data: (.*)$/m.exec(chunk)?.[1];
        if (data !== undefined) frames.push(frame.parse(JSON.parse(data)));
      }
    }
  })();
  return { frames, ended, first: async () => await vi.waitUntil(() => frames[0], WAIT) };
}

const frame = z.looseObject({
  method: z.string().optional(),
  params: z.looseObject({ notifications: z.unknown().optional() }).optional(),
  result: z.looseObject({ resultType: z.string() }).optional(),
});

describe("a stream of the newer protocol", () => {
  it("acknowledges the resources that it will tell about, and those alone", async () => {
    const { key } = await product.createKey(["read"]);
    const foreign = `pons://accounts/${product.otherNumber.slice(1)}/messages`;
    const wished = [messagesUri(), foreign, "pons://policy", "other://thing", "pons://conversations/none"];
    const stream = await listen(key, wished);
    expect(await stream.first()).toMatchObject({
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: { resourceSubscriptions: [messagesUri(), "pons://policy"] } },
    });
    streams.closeAllStreams();
    await stream.ended;
  });

  it("tells a key without the scope about nothing", async () => {
    const { key } = await product.createKey(["templates:read"]);
    const stream = await listen(key, [messagesUri()]);
    await stream.ended;
    expect(stream.frames).toMatchObject([
      { method: "notifications/subscriptions/acknowledged", params: { notifications: {} } },
      { result: { resultType: "complete" } },
    ]);
  });

  it("ends for good when the key is revoked", async () => {
    const { key, id } = await product.createKey(["read"]);
    const stream = await listen(key, [messagesUri()]);
    await stream.first();
    await product.revokeKey(id);
    await stream.ended;
    expect(stream.frames.at(-1)).toMatchObject({ result: { resultType: "complete" } });
  });

  it("ends without a last word when the process shuts down, so that the client comes back", async () => {
    const { key } = await product.createKey(["read"]);
    const stream = await listen(key, [messagesUri()]);
    await stream.first();
    streams.closeAllStreams();
    await stream.ended;
    expect(stream.frames.map(({ result }) => result)).toEqual([undefined]);
  });

  it("is refused when the key has too many", async () => {
    const { key } = await product.createKey(["read"]);
    const opened = await Promise.all(Array.from({ length: 50 }, () => listen(key, [messagesUri()])));
    await expect(listen(key, [messagesUri()])).rejects.toThrow();
    streams.closeAllStreams();
    for (const stream of opened) await stream.ended;
  });
});

describe("a session of the older protocol", () => {
  const send = async (
    key: string,
    options: { method: string; session?: string; body?: object },
    at: Door = door,
  ): Promise<Response> =>
    await at(
      new Request(ENDPOINT, {
        method: options.method,
        headers: {
          host: "localhost:3000",
          authorization: `Bearer ${key}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(options.session !== undefined && { "mcp-session-id": options.session }),
        },
        ...(options.body !== undefined && {
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...options.body }),
        }),
      }),
    );
  const initialize = async (key: string, at: Door = door) => {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: INFO };
    const response = await send(key, { method: "POST", body: { method: "initialize", params } }, at);
    return z.string().parse(response.headers.get("mcp-session-id"));
  };

  it("belongs to its key, ends with DELETE, and is then unknown in every process", async () => {
    const [mine, theirs] = [await product.createKey(["read"]), await product.createKey(["read"])];
    const session = await initialize(mine.key);
    const ping = { method: "POST", session, body: { method: "ping" } };
    expect((await send(mine.key, ping)).status).toBe(200);
    expect((await send(theirs.key, ping)).status).toBe(404);
    expect((await send(theirs.key, { method: "GET", session })).status).toBe(404);
    expect((await send(theirs.key, { method: "DELETE", session })).status).toBe(404);
    expect((await send(mine.key, { ...ping, session: `${session}x` })).status).toBe(404);
    expect((await send(mine.key, { method: "DELETE", session })).status).toBe(200);
    for (const request of [ping, { method: "GET", session }, { method: "DELETE", session }]) {
      expect((await send(mine.key, request)).status).toBe(404);
    }
  });

  it("is told in one process about what it subscribed to in another", async () => {
    const { key } = await product.createKey(["read"]);
    vi.resetModules();
    const elsewhere = (await import("./endpoint")).answerMcp;
    const elsewhereStreams = await import("./push/streams");
    expect(elsewhere).not.toBe(door);
    const session = await initialize(key, elsewhere);
    const response = await send(key, { method: "GET", session }, elsewhere);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    const hearing = (async () => {
      for (;;) {
        const part = await reader?.read();
        if (part === undefined || part.done) return;
        heard += part.value;
      }
    })();
    const params = { uri: messagesUri() };
    const subscribed = await send(key, {
      method: "POST",
      session,
      body: { method: "resources/subscribe", params },
    });
    expect(await subscribed.json()).toMatchObject({ result: {} });
    await product.customerWrites("Over there");
    await vi.waitFor(() => expect(heard).toContain(messagesUri()), WAIT);
    expect((await send(key, { method: "DELETE", session })).status).toBe(200);
    await hearing;
    expect(elsewhereStreams.openStreamCount()).toBe(0);
  });
});
