import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toHex } from "#shared/bytes";
import { HOUR_MS } from "#shared/time";
import { type App, closeApp, openApp, textMessage, webhook } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { dropMedia } from "./model/media";
import { DOWNLOAD_DEADLINE_MS } from "./model/mediaDownload";
import { holdFile, releaseFile } from "./model/storedFiles";

/** The smallest JPEG there is, as far as its first bytes tell. */
const FILE = new Uint8Array([
  0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
]);
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
const storedFiles = async () =>
  await app.backend.run(async (ctx) => await ctx.db.system.query("_storage").collect());
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
    const calls = app.graph.calls.filter(({ url }) => url.pathname.endsWith("/m1"));
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
    expect(page[0]?.media?.url).toMatch(/^\/api\/media\/\w+\?p=user%3Aana&e=\d{13}&s=[\w-]{43}$/);
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
    file = () => new Response(FILE.map((byte, index) => (index === FILE.length - 1 ? byte + 1 : byte)));
    await receiveImage();
    for (let day = 0; day < 3; day++) for (let hour = 0; hour < 24; hour++) await app.advance(3_600_000);
    expect(await media()).toMatchObject({ state: "failed", reason: "wrong_digest" });
    expect(app.graph.calls.filter(({ url }) => url.href === LINK)).toHaveLength(9);
  });

  it.each([
    ["https://evil.example/media/m1", "host_refused"],
    ["http://lookaside.fbsbx.com/x", "host_refused"],
    ["http://127.0.0.1:4004@evil.example/", "host_refused"],
    ["http://user@127.0.0.1:4004/media/m1", "host_refused"],
    ["file:///etc/passwd", "host_refused"],
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

  it("that comes more slowly than its time allows is asked for again, given up, and fetched by hand", async () => {
    let attempts = 0;
    file = () => {
      attempts++;
      vi.advanceTimersByTime(DOWNLOAD_DEADLINE_MS);
      return new Promise((resolve) => setTimeout(() => resolve(new Response(FILE)), HOUR_MS));
    };
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "pending" });
    for (let hour = 0; hour < 48; hour++) await app.advance(HOUR_MS);
    expect(await media()).toMatchObject({ state: "failed", reason: "timeout" });
    expect(attempts).toBe(9);
    expect(await storedFiles()).toHaveLength(0);
    file = () => new Response(FILE);
    const [message] = await app.rows("messages");
    if (message === undefined) throw new Error("nothing was stored");
    const { accountId, _id: messageId } = message;
    await app.join(accountId, "ana");
    await app.user("ana").mutation(api.media.retry, { accountId, messageId });
    await app.advance();
    expect(await media()).toMatchObject({ state: "ready" });
    expect(await storedFiles()).toHaveLength(1);
  });

  it("is stored once for its message when the report of its first worker is lost", async () => {
    await receiveImage();
    await app.cancelScheduled();
    const [job] = await app.rows("mediaJobs");
    if (job === undefined) throw new Error("there is no job");
    const { _id: _, _creationTime: __, ...twin } = job;
    file = async () => {
      // Two jobs for one message make the mutation fail that would name the file.
      await app.backend.run(async (ctx) => await ctx.db.insert("mediaJobs", twin));
      return new Response(FILE);
    };
    const { messageId } = job;
    await expect(app.backend.action(internal.mediaNode.download, { messageId })).rejects.toThrow();
    expect(await storedFiles()).toHaveLength(1);
    expect(await media()).toMatchObject({ state: "pending" });
    await app.backend.run(async (ctx) => {
      for (const row of await ctx.db.query("mediaJobs").collect())
        if (row._id !== job._id) await ctx.db.delete(row._id);
    });
    file = () => new Response(FILE);
    await app.advance(6 * 60_000);
    await app.backend.mutation(internal.media.sweep, {});
    await app.advance();
    expect(await media()).toMatchObject({ state: "ready" });
    expect(await storedFiles()).toHaveLength(2);
    await app.advance(25 * HOUR_MS);
    await app.backend.mutation(internal.media.sweepFiles, {});
    expect((await storedFiles()).map(({ _id }) => _id)).toEqual([(await media())?.storageId]);
  });

  it.each([
    ["more bytes", () => new Response(new Uint8Array(FILE.length + 1))],
    ["fewer bytes", () => new Response(FILE.subarray(1))],
  ])("is not believed when it has %s than Meta stated", async (_, answer) => {
    file = answer;
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "pending" });
    file = () => new Response(FILE);
    await app.advance(2_000);
    expect(await media()).toMatchObject({ state: "ready", bytes: FILE.length });
  });

  it("gets a fresh link at once when its link is too old, and comes at the third, tenth and next seconds", async () => {
    let refusals = 1;
    file = () => (refusals-- > 0 ? new Response("", { status: 404 }) : new Response(FILE));
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "ready" });

    refusals = 6;
    await receiveImage();
    await app.advance();
    for (const ms of [1_300, 3_700]) await app.advance(ms);
    expect((await app.rows("messages"))[1]?.media).toMatchObject({ state: "pending" });
    await app.advance(12_500);
    expect((await app.rows("messages"))[1]?.media).toMatchObject({ state: "ready" });
  });

  it("is of the type that its bytes have, whatever its sender said", async () => {
    const page = new TextEncoder().encode("<html><script>alert(1)</script></html>");
    digest = toHex(await crypto.subtle.digest("SHA-256", page));
    info = { ...info, sha256: digest, file_size: page.length };
    file = () => new Response(page);
    await receiveImage();
    await app.advance();
    expect(await media()).toMatchObject({ state: "ready", mime: "text/plain" });
  });

  it("tells the account's stream when it is ready, or given up", async () => {
    await receiveImage();
    await app.advance();
    info = { ...info, url: "https://evil.example/" };
    await receiveImage();
    await app.advance();
    const events = (await app.rows("webhookEvents")).map(({ body }) => JSON.parse(body));
    expect(events.filter(({ type }) => type.startsWith("message.media."))).toMatchObject([
      {
        type: "message.media.ready",
        payload: { message: { media: { state: "ready", mime: "image/jpeg" } } },
      },
      { type: "message.media.failed", payload: { reason: "host_refused" } },
    ]);
  });

  it("is fetched again when a member asks for it after it was given up", async () => {
    const link = info["url"];
    info = { ...info, url: "https://evil.example/" };
    await receiveImage();
    await app.advance();
    info = { ...info, url: link };
    const [message] = await app.rows("messages");
    if (message === undefined) throw new Error("nothing was stored");
    const { accountId, _id: messageId } = message;
    await app.join(accountId, "ana");
    const retry = () => app.user("ana").mutation(api.media.retry, { accountId, messageId });
    expect(await retry()).toBeNull();
    expect(await retry()).toBeNull();
    await app.advance();
    expect(await media()).toMatchObject({ state: "ready" });
    expect(await media()).not.toHaveProperty("reason");
    expect(await retry()).toMatchObject({ refused: true, reason: "media_refused" });
  });
});

describe("a stored file", () => {
  const receiveReady = async () => {
    await receiveImage();
    await app.advance();
    const [message] = await app.rows("messages");
    if (message === undefined) throw new Error("nothing was stored");
    return message;
  };

  it("goes with its message, but not as long as another message carries it", async () => {
    const message = await receiveReady();
    const storageId = message.media?.storageId as Id<"_storage">;
    await app.backend.run(async (ctx) => await holdFile(ctx, storageId, message.accountId));
    await app.backend.run(async (ctx) => await dropMedia(ctx, message));
    expect(await media()).toMatchObject({ state: "failed", reason: "removed" });
    expect(await media()).not.toHaveProperty("storageId");
    expect(await storedFiles()).toHaveLength(1);
    await app.backend.run(async (ctx) => await releaseFile(ctx, storageId));
    expect(await storedFiles()).toEqual([]);
    expect(await app.rows("storedFiles")).toEqual([]);
  });

  it("is not stored any more when its message is dropped during the download", async () => {
    await receiveImage();
    const [message] = await app.rows("messages");
    if (message === undefined) throw new Error("nothing was stored");
    file = async () => {
      await app.backend.run(async (ctx) => await dropMedia(ctx, message));
      return new Response(FILE);
    };
    await app.advance();
    expect(await storedFiles()).toEqual([]);
  });

  it("that a lost worker left behind is removed after a day, and no other", async () => {
    const message = await receiveReady();
    await app.backend.run(async (ctx) => {
      await ctx.storage.store(new Blob(["left behind"]));
    });
    await app.advance(HOUR_MS);
    await app.backend.mutation(internal.media.sweepFiles, {});
    expect(await storedFiles()).toHaveLength(2);
    await app.advance(24 * HOUR_MS);
    await app.backend.mutation(internal.media.sweepFiles, {});
    expect((await storedFiles()).map(({ _id }) => _id)).toEqual([message.media?.storageId]);
    await app.backend.mutation(internal.media.sweepFiles, {});
    expect(await storedFiles()).toHaveLength(1);
  });
});
