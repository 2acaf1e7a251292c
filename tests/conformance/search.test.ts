import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type LiveEngine, startLiveEngine } from "../support/live-engine";

const query = <Result>(name: string) =>
  makeFunctionReference<"query", Record<string, unknown>, Result>(`messages:${name}`);
const mutation = <Result>(name: string) =>
  makeFunctionReference<"mutation", Record<string, unknown>, Result>(`messages:${name}`);

type Page = { page: unknown[]; isDone: boolean; continueCursor: string };

const find = query<string[]>("find");
const page = query<Page>("page");

let engine: LiveEngine;
let client: ConvexHttpClient;

beforeAll(async () => {
  engine = await startLiveEngine();
  await engine.deploy("search-app");
  client = new ConvexHttpClient(engine.cloudUrl);
  await send("garden", "Red apples and green pears", "An apple a day", "Nothing but bread");
}, 60_000);
afterAll(() => engine.discard());

const send = (chat: string, ...bodies: string[]) =>
  client.mutation(mutation<string[]>("send"), { chat, bodies });

describe("full-text search through the official client", () => {
  test("finds any of the words, the last one by its beginning, in any case", async () => {
    expect(await client.query(find, { text: "BREAD app" })).toHaveLength(3);
    expect(await client.query(find, { text: "apple" })).toEqual([
      "An apple a day",
      "Red apples and green pears",
    ]);
    expect(await client.query(find, { text: "app bread" })).toEqual(["Nothing but bread"]);
    expect(await client.query(find, { text: "" })).toEqual([]);
  });

  test("filters by equality, inside objects too", async () => {
    await client.mutation(mutation("send"), { chat: "north", bodies: ["wind one"], kind: "weather" });
    await send("north", "wind two");
    await send("south", "wind three");
    expect((await client.query(find, { text: "wind", chat: "north" })).sort()).toEqual([
      "wind one",
      "wind two",
    ]);
    expect(await client.query(find, { text: "wind", chat: "north", kind: "weather" })).toEqual(["wind one"]);
    expect(await client.query(find, { text: "wind", chat: "west" })).toEqual([]);
  });

  test("orders equal scores by creation, the newest first, and filters afterwards", async () => {
    await send("order", "order a", "order b", "order c");
    expect(await client.query(find, { text: "order" })).toEqual(["order c", "order b", "order a"]);
    expect(await client.query(query("first"), { text: "order", below: "order c" })).toBe("order b");
    expect(await client.query(query("first"), { text: "order", below: "order" })).toBe(null);
  });

  test("sees the writes of its own mutation", async () => {
    const counts = await client.mutation(mutation("searchOwnWrites"), {
      text: "unheard",
      body: "unheard of",
    });
    expect(counts).toEqual([0, 1, 0]);
  });

  test("gives at most 1,024 documents, in pages too", async () => {
    await client.mutation(mutation("fill"), { count: 1_100, word: "flood" });
    await expect(client.query(find, { text: "flood" })).rejects.toThrow(
      "Search query scanned too many documents (fetched 1024).",
    );
    expect(await client.query(query("take"), { text: "flood", count: 1_024 })).toBe(1_024);
    const sizes: number[] = [];
    let cursor: string | null = null;
    for (let isDone = false; !isDone; ) {
      const found: Page = await client.query(page, {
        text: "flood",
        paginationOpts: { numItems: 500, cursor },
      });
      sizes.push(found.page.length);
      ({ isDone, continueCursor: cursor } = found);
    }
    expect(sizes).toEqual([500, 500, 24]);
  });

  test("is live: a subscriber hears of new, changed and no longer matching documents", async () => {
    const webSocketConstructor = WebSocket as unknown as typeof globalThis.WebSocket; // The same interface, typed apart.
    const socket = new ConvexClient(engine.cloudUrl, { webSocketConstructor });
    const heard: string[][] = [];
    let wake = () => {};
    const until = async (expected: string[]) => {
      while (heard.at(-1)?.join() !== expected.join()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    socket.onUpdate(find, { text: "live mus", chat: "room" }, (bodies) => {
      heard.push(bodies);
      wake();
    });
    await until([]);
    const [id] = await send("room", "live music");
    await until(["live music"]);
    await send("other room", "live music");
    await send("room", "silence");
    await client.mutation(mutation("edit"), { id, body: "a museum" });
    await until(["a museum"]);
    await client.mutation(mutation("edit"), { id, body: "a castle" });
    await until([]);
    expect(heard).toEqual([[], ["live music"], ["a museum"], []]);
    await socket.close();
  });
});
