import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toHex } from "#shared/bytes";
import { type App, closeApp, openApp, textMessage, webhook } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const FILE = new TextEncoder().encode("a picture of a lemon cake");
const LINK = "http://127.0.0.1:4004/media/m1";

let app: App;
let digest: string;
let info: Record<string, unknown>;
let file: () => Response | Promise<Response>;

beforeEach(async () => {
  app = openApp();
  await app.addAccount();
  digest = toHex(await crypto.subtle.digest("SHA-256", FILE));
  info = { id: "m1", url: LINK, mime_type: "image/jpeg", sha256: digest, file_size: FILE.length };
  file = () => new Response(FILE);
  app.graph.answerAlways(({ url }) => (url.href === LINK ? file() : Response.json(info)));
});
afterEach(closeApp);

const base64 = () =>
  btoa(String.fromCharCode(...(digest.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))));

const receiveImage = async (image: object = {}) => {
  const { text: _, ...message } = textMessage();
  const content = { id: "m1", mime_type: "image/jpeg", sha256: base64(), caption: "Look", ...image };
  await app.deliver(webhook([{ ...message, type: "image", image: content }]));
};
const media = async () => (await app.rows("messages"))[0]?.media;

describe("a file that a customer sends", () => {
  it("is pending at once and ready when it is stored", async () => {
    await receiveImage();
    expect(await media()).toMatchObject({ state: "pending", mime: "image/jpeg" });
    await app.advance();
    const stored = await media();
    expect(stored).toMatchObject({ state: "ready", bytes: FILE.length, mime: "image/jpeg" });
    expect(await app.rows("mediaJobs")).toEqual([]);
    const bytes = await app.backend.run(async (ctx) => {
      const blob = await ctx.storage.get(stored?.storageId as Id<"_storage">);
      return blob === null ? null : await blob.arrayBuffer();
    });
    expect(new Uint8Array(bytes ?? new ArrayBuffer(0))).toEqual(FILE);
    const calls = app.graph.calls.slice(1);
    expect(calls.map(({ url, authorization }) => [url.pathname, authorization])).toEqual([
      ["/v25.0/m1", "Bearer graph-token"],
      ["/media/m1", "Bearer graph-token"],
    ]);
  });

  it("has a link for members, and none for tools", async () => {
    await receiveImage();
    await app.advance();
    const [account] = await app.rows("accounts");
    const [conversation] = await app.rows("conversations");
    if (account === undefined || conversation === undefined) throw new Error("nothing was stored");
    await app.join(account._id, "ana");
    const ids = { accountId: account._id, conversationId: conversation._id };
    const paginationOpts = { numItems: 5, cursor: null };
    const { page } = await app.user("ana").query(api.messages.list, { ...ids, paginationOpts });
    expect(page[0]?.media?.url).toMatch(/^http/);
    const { id } = await app.addKey(account._id);
    const tool = await app.key(id).query(api.mcp.getConversation, { contact: conversation.contactId });
    expect("messages" in tool && tool.messages[0]?.media).toEqual({
      state: "ready",
      mime: "image/jpeg",
      bytes: FILE.length,
    });
  });

  it("is fetched again after a disturbance, and counts once", async () => {
    let failures = 2;
    file = () => (failures-- > 0 ? new Response("", { status: 500 }) : new Response(FILE));
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "pending" });
    await app.advance(2 * 60_000);
    await app.advance(10 * 60_000);
    expect(await media()).toMatchObject({ state: "ready" });
  });

  it("is not believed when its digest is another than Meta stated", async () => {
    file = () => new Response("something else");
    await receiveImage();
    for (let day = 0; day < 3; day++) for (let hour = 0; hour < 24; hour++) await app.advance(3_600_000);
    expect(await media()).toMatchObject({ state: "failed", reason: "wrong_digest" });
    expect(app.graph.calls.filter(({ url }) => url.href === LINK)).toHaveLength(8);
  });

  it.each([
    ["https://evil.example/media/m1", "host_refused"],
    ["http://lookaside.fbsbx.com/x", "host_refused"],
    ["http://127.0.0.1:4004@evil.example/", "host_refused"],
    ["http://user@127.0.0.1:4004/media/m1", "host_refused"],
    ["file:///etc/passwd", "host_refused"],
    ["not a link", "host_refused"],
  ])("is never fetched from %s, and the token does not go there", async (url, reason) => {
    info = { ...info, url };
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "failed", reason });
    expect(app.graph.calls.every((call) => call.url.pathname.startsWith("/v25.0/"))).toBe(true);
  });

  it("is refused when it says that it is larger than Meta allows", async () => {
    info = { ...info, file_size: 200 * 1024 * 1024 };
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "failed", reason: "too_large" });
  });

  it("is given up at once when Meta has no such file, and when it sent no id", async () => {
    app.graph.answerAlways(() => Response.json({ error: { code: 100, message: "gone" } }, { status: 400 }));
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "failed", reason: "graph_100" });
    await receiveImage({ id: undefined });
    expect((await app.rows("messages"))[1]?.media).toMatchObject({ state: "failed", reason: "no_media_id" });
  });

  it("is found by the sweeper when its worker was lost", async () => {
    await receiveImage();
    await app.cancelScheduled();
    expect(await media()).toMatchObject({ state: "pending" });
    await app.backend.mutation(internal.media.sweep, {});
    await app.advance();
    expect(await media()).toMatchObject({ state: "ready" });
  });

  it("leaves no file behind when the report of its worker comes too late", async () => {
    await receiveImage();
    await app.cancelScheduled();
    const messageId = (await app.rows("messages"))[0]?._id as Id<"messages">;
    let others = 0;
    file = async () => {
      // Another worker takes over while this one is still reading.
      vi.setSystemTime(Date.now() + 6 * 60_000);
      if (others++ === 0) await app.backend.mutation(internal.media.claim, { messageId });
      return new Response(FILE);
    };
    await app.backend.action(internal.mediaNode.download, { messageId });
    const stored = await app.backend.run(async (ctx) => await ctx.db.system.query("_storage").collect());
    expect(stored).toEqual([]);
    expect(await media()).toMatchObject({ state: "pending" });
  });
});
