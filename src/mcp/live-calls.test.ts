import http from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { SITE_URL } from "../../tests/support/in-process";
import { type LiveProduct, startLiveProduct } from "../../tests/support/live-product";

/** Calls that stand on what the process hears of the backend while they are answered. */
type Door = (request: Request) => Promise<Response>;

const ENDPOINT = new URL(`${SITE_URL}/api/mcp`);

/** News take milliseconds; on a busy machine this is only how long it takes to say that there was none. */
const WAIT = { timeout: 15_000, interval: 5 };

let product: LiveProduct;
let door: Door;
let watches: typeof import("./push/watch");

beforeAll(async () => {
  product = await startLiveProduct();
  door = (await import("./endpoint")).answerMcp;
  watches = await import("./push/watch");
}, 120_000);
afterAll(async () => {
  await (await import("./audit")).drainAudit();
  await product.stop();
}, 60_000);

/** From now on, how often a function of the backend was called over HTTP. */
function countCalls(path: string): () => number {
  const { calls } = vi.spyOn(http.ClientRequest.prototype, "end").mock;
  const before = calls.length;
  return () => calls.slice(before).filter(([body]) => String(body).includes(path)).length;
}

describe("a call of get_messages that waits", () => {
  const page = z.looseObject({
    messages: z.array(z.looseObject({ text: z.string() })),
    next_cursor: z.string(),
  });
  const answer = z.object({ result: z.object({ structuredContent: page }) });

  const getMessages = async (key: string, args: object, signal?: AbortSignal) => {
    const response = await door(
      new Request(ENDPOINT, {
        method: "POST",
        headers: {
          host: "localhost:3000",
          authorization: `Bearer ${key}`,
          "content-type": "application/json",
          accept: "application/json",
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name: "get_messages", arguments: args },
        }),
        ...(signal !== undefined && { signal }),
      }),
    );
    return answer.parse(await response.json()).result.structuredContent;
  };

  /** How often the messages were asked for. */
  const countLooks = () => countCalls("mcpReads:getMessages");
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const waiting = async () => await vi.waitFor(() => expect(watches.openWatchCount()).toBe(1), WAIT);
  const over = () => expect(watches.openWatchCount()).toBe(0);

  it("answers with what comes, and asks for it only then", async () => {
    const { key } = await product.createKey(["read"]);
    const { next_cursor: after } = await getMessages(key, {});
    const looks = countLooks();
    const call = getMessages(key, { after, wait_s: 25, direction: "inbound" });
    await waiting();
    await product.customerWrites("Elsewhere", { to: "other", from: "16505550000" });
    await product.customerWrites("At last");
    expect((await call).messages.map(({ text }) => text)).toEqual(["At last"]);
    expect(looks()).toBe(2);
    over();
  });

  it("misses nothing that came between two calls", async () => {
    const { key } = await product.createKey(["read"]);
    let { next_cursor: after } = await getMessages(key, {});
    const texts = Array.from({ length: 12 }, (_, n) => `Line ${n}`);
    const writing = (async () => {
      for (const text of texts) await product.customerWrites(text);
    })();
    const heard: string[] = [];
    while (heard.length < texts.length) {
      const next = await getMessages(key, { after, wait_s: 25 });
      heard.push(...next.messages.map(({ text }) => text));
      after = next.next_cursor;
    }
    await writing;
    expect(heard).toEqual(texts);
  });

  it("ends without a message when its time is over", async () => {
    const { key } = await product.createKey(["read"]);
    const { next_cursor: after } = await getMessages(key, {});
    const looks = countLooks();
    expect(await getMessages(key, { after, wait_s: 1 })).toMatchObject({ messages: [], next_cursor: after });
    expect(looks()).toBe(2);
    over();
  });

  it("ends when its client gives up", async () => {
    const { key } = await product.createKey(["read"]);
    const { next_cursor: after } = await getMessages(key, {});
    const gone = new AbortController();
    const call = getMessages(key, { after, wait_s: 25 }, gone.signal).catch(() => null);
    await waiting();
    gone.abort();
    await call;
    await vi.waitFor(over, WAIT);
  });

  it("ends when its key is revoked", async () => {
    const { key, id } = await product.createKey(["read"]);
    const { next_cursor: after } = await getMessages(key, {});
    const call = getMessages(key, { after, wait_s: 25 });
    await waiting();
    await product.revokeKey(id);
    await expect(call).rejects.toThrow();
    over();
  });
});

describe("a key in use", () => {
  it("is refused by the first request after its revocation", async () => {
    const { key, id } = await product.createKey(["read"]);
    const list = async () => {
      const headers = {
        host: "localhost:3000",
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        accept: "application/json",
      };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
      return (await door(new Request(ENDPOINT, { method: "POST", headers, body }))).status;
    };
    for (let request = 0; request < 5; request++) expect(await list()).toBe(200);
    await product.revokeKey(id);
    expect(await list()).toBe(401);
  });
});
