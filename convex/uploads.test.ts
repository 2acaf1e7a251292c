// @vitest-environment node
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY_MS, HOUR_MS } from "#shared/time";
import { type App, CUSTOMER, closeApp, openApp } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const PNG = new Uint8Array(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
);

let files: Server;
let port: number;
let asked: string[];
/** What happens while a file is being fetched. */
let onAsked: () => Promise<unknown>;

beforeAll(async () => {
  files = createServer(async (request, response) => {
    asked.push(request.url ?? "");
    await onAsked();
    if (request.url === "/broken.png") request.socket.destroy();
    else if (request.url === "/cake.png") response.end(PNG);
    else if (request.url === "/page.png") response.end("<html></html>");
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
  port = (files.address() as AddressInfo).port;
});
afterAll(async () => {
  files.closeAllConnections();
  await new Promise((resolve) => files.close(resolve));
});

let app: App;
let accountId: Id<"accounts">;
let conversationId: Id<"conversations">;
let graphUploads: number;

beforeEach(async () => {
  app = openApp();
  asked = [];
  onAsked = async () => undefined;
  graphUploads = 0;
  app.graph.answerAlways((request) => {
    const { pathname } = request.url;
    if (pathname.endsWith("/media")) return Response.json({ id: `media${++graphUploads}` });
    return request.method === "POST"
      ? app.graph.accept(request)
      : Response.json({ id: pathname.split("/").at(-1) });
  });
  accountId = await app.addAccount();
  await app.join(accountId, "ana");
  await app.join(accountId, "cleo");
  await app.receive("Send me a picture");
  const [conversation] = await app.rows("conversations");
  if (conversation === undefined) throw new Error("no conversation");
  conversationId = conversation._id;
});
afterEach(closeApp);

const store = async (bytes: Uint8Array<ArrayBuffer>) =>
  await app.backend.run(async (ctx) => await ctx.storage.store(new Blob([bytes])));

const begin = async (userId: string, kind: "image" | "document" = "image") => {
  const begun = await app.user(userId).mutation(api.uploads.begin, { accountId, kind, filename: "cake.png" });
  if ("refused" in begun) throw new Error(begun.reason);
  return begun;
};
/** An upload of a member, judged. */
const upload = async (
  bytes: Uint8Array<ArrayBuffer>,
  userId = "ana",
  kind: "image" | "document" = "image",
) => {
  const { uploadId } = await begin(userId, kind);
  const storageId = await store(bytes);
  await app.user(userId).mutation(api.uploads.finish, { accountId, uploadId, storageId });
  await app.advance();
  return {
    uploadId,
    storageId,
    view: await app.user(userId).query(api.uploads.get, { accountId, uploadId }),
  };
};
const send = async (file: { uploadId: string } | { link: string }, userId = "ana", requestId = "r1") =>
  await app.user(userId).mutation(api.messages.sendMedia, {
    accountId,
    conversationId,
    media: "image",
    file,
    caption: "Cake",
    clientRequestId: requestId,
  });
const sentImages = () => app.graph.sends.map((body) => body["image"]);
const lastMessage = async () => (await app.rows("messages")).at(-1);
const storedFiles = async () =>
  (await app.backend.run(async (ctx) => await ctx.db.system.query("_storage").collect())).length;

describe("an uploaded file", () => {
  it("is judged by its bytes, sent by Meta's id of it, and shown in the thread", async () => {
    const { uploadId, view } = await upload(PNG);
    expect(view).toMatchObject({ state: "ready", mime: "image/png", bytes: PNG.length });
    expect(await send({ uploadId })).toMatchObject({ outcome: "pending" });
    expect((await lastMessage())?.media).toMatchObject({ state: "ready", mime: "image/png" });
    await app.advance();
    expect(sentImages()).toEqual([{ id: "media1", caption: "Cake" }]);
    expect((await lastMessage())?.status).toBe("sent");
  });

  it("is brought to Meta once for many messages, and again when Meta has forgotten it", async () => {
    const { uploadId } = await upload(PNG);
    await send({ uploadId });
    await app.advance();
    await send({ uploadId }, "ana", "r2");
    await app.advance();
    expect(graphUploads).toBe(1);
    await app.backend.run(async (ctx) => {
      const row = await ctx.db.query("uploads").first();
      if (row !== null) await ctx.db.patch(row._id, { graphMediaUntil: Date.now() });
    });
    await send({ uploadId }, "ana", "r3");
    await app.advance();
    expect(sentImages()).toMatchObject([{ id: "media1" }, { id: "media1" }, { id: "media2" }]);
    expect(await app.rows("storedFiles")).toMatchObject([{ holders: 4 }]);
  });

  it.each([
    ["a page that calls itself a picture", new TextEncoder().encode("<html></html>"), "wrong_type"],
    ["nothing", new Uint8Array(0), "empty"],
    ["more than Meta takes", new Uint8Array(5 * 1024 * 1024 + 1), "too_large"],
  ])("that is %s is refused and goes at once", async (_, bytes, reason) => {
    const { uploadId, view } = await upload(new Uint8Array(bytes));
    expect(view).toMatchObject({ state: "failed", reason });
    expect(await storedFiles()).toBe(0);
    expect(await send({ uploadId })).toMatchObject({ refused: true, reason: "media_refused" });
  });

  it("belongs to the one who uploaded it, and is sent as what it was uploaded as", async () => {
    const { uploadId } = await upload(PNG);
    expect(await send({ uploadId }, "cleo")).toMatchObject({ reason: "not_found" });
    await expect(app.user("cleo").query(api.uploads.get, { accountId, uploadId })).rejects.toThrow(
      /not_found/,
    );
    const text = await upload(new TextEncoder().encode("hello"), "ana", "document");
    expect(text.view).toMatchObject({ state: "ready", mime: "text/plain" });
    expect(await send({ uploadId: text.uploadId })).toMatchObject({
      reason: "media_refused",
      message: "The file was uploaded as document.",
    });
    const { uploadId: unfinished } = await begin("ana");
    expect(await send({ uploadId: unfinished })).toMatchObject({ reason: "media_refused" });
  });

  it("is not another's file: neither one that is held, nor one from before the upload began", async () => {
    const { storageId } = await upload(PNG);
    const old = await store(PNG);
    await app.advance(1_000);
    const { uploadId } = await begin("cleo");
    for (const taken of [storageId, old]) {
      const finish = app.user("cleo").mutation(api.uploads.finish, { accountId, uploadId, storageId: taken });
      await expect(finish).rejects.toThrow(/not_found/);
    }
  });

  it("is removed when its time is over, but not from the messages that carry it", async () => {
    const { uploadId } = await upload(PNG);
    await begin("ana");
    await send({ uploadId });
    await app.advance(2 * HOUR_MS);
    await app.backend.mutation(internal.uploads.sweep, {});
    expect((await app.rows("uploads")).map(({ _id }) => _id)).toEqual([uploadId]);
    await app.advance(31 * DAY_MS);
    await app.backend.mutation(internal.uploads.sweep, {});
    expect(await app.rows("uploads")).toEqual([]);
    expect(await app.rows("storedFiles")).toMatchObject([{ holders: 1 }]);
    expect(await storedFiles()).toBe(1);
  });

  it("can be brought by a key as well", async () => {
    const { id } = await app.addKey(accountId);
    const key = app.key(id);
    const begun = await key.mutation(api.mcp.beginUpload, { kind: "image" });
    if ("refused" in begun) throw new Error(begun.reason);
    expect(begun.uploadUrl).toMatch(/^http/);
    const { uploadId } = begun;
    await key.mutation(api.mcp.finishUpload, { uploadId, storageId: await store(PNG) });
    await app.advance();
    expect(await key.query(api.mcp.getUpload, { uploadId })).toMatchObject({ state: "ready" });
    const args = { contact: `+${CUSTOMER}`, media: "image" as const, file: { uploadId } };
    expect(await key.mutation(api.mcp.sendMedia, args)).toMatchObject({ outcome: "pending" });
    await app.advance();
    expect(sentImages()).toEqual([{ id: "media1" }]);
  });
});

describe("an uploaded file above buttons", () => {
  const ask = async (uploadId: string, userId = "ana") =>
    await app.user(userId).mutation(api.messages.sendInteractive, {
      accountId,
      conversationId,
      clientRequestId: "r1",
      interactive: {
        type: "button",
        header: { type: "image", image: { uploadId } },
        body: "This one?",
        buttons: [{ id: "y", title: "Yes" }],
      },
    });

  it("goes to Meta first, and the message names it by Meta's id", async () => {
    const { uploadId } = await upload(PNG);
    expect(await ask(uploadId)).toMatchObject({ outcome: "pending" });
    await app.advance();
    expect(app.graph.sends.map((body) => body["interactive"])).toMatchObject([
      { type: "button", header: { type: "image", image: { id: "media1" } }, body: { text: "This one?" } },
    ]);
    expect((await lastMessage())?.status).toBe("sent");
  });

  it("is refused where it could not be sent as a message of its own", async () => {
    const picture = await upload(PNG);
    expect(await ask(picture.uploadId, "cleo")).toMatchObject({ refused: true, reason: "not_found" });
    const text = await upload(new TextEncoder().encode("hello"), "ana", "document");
    expect(await ask(text.uploadId)).toMatchObject({ refused: true, reason: "media_refused" });
    expect(await ask("nonsense")).toMatchObject({ refused: true, reason: "not_found" });
    expect(app.graph.sends).toEqual([]);
  });

  it("that is gone when the message leaves ends the send", async () => {
    const { uploadId } = await upload(PNG);
    await ask(uploadId);
    await app.backend.run(async (ctx) => await ctx.db.delete(uploadId));
    await app.advance();
    expect(app.graph.sends).toEqual([]);
    expect((await lastMessage())?.status).toBe("failed");
  });
});

describe("a file behind a link", () => {
  const link = (path: string) => `http://127.0.0.1:${port}${path}`;

  it("is fetched here, stored, and sent by Meta's id of it", async () => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    await send({ link: link("/cake.png") });
    expect((await lastMessage())?.media).toMatchObject({ state: "pending" });
    await app.advance();
    expect(sentImages()).toEqual([{ id: "media1", caption: "Cake" }]);
    expect((await lastMessage())?.media).toMatchObject({
      state: "ready",
      mime: "image/png",
      bytes: PNG.length,
    });
  });

  it("is neither fetched nor sent when it leads inside", async () => {
    await send({ link: link("/cake.png") });
    await app.advance();
    expect(asked).toEqual([]);
    expect(app.graph.sends).toEqual([]);
    expect(await lastMessage()).toMatchObject({
      status: "failed",
      error: { code: "media_refused" },
      media: { state: "failed", reason: "link_not_https" },
    });
  });

  it.each([
    ["/page.png", "wrong_type"],
    ["/gone.png", "link_http_404"],
  ])("that leads to %s is refused with %s and leaves no file behind", async (path, reason) => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    await send({ link: link(path) });
    await app.advance();
    expect(await lastMessage()).toMatchObject({ status: "failed", media: { state: "failed", reason } });
    expect(await storedFiles()).toBe(0);
    expect(app.graph.sends).toEqual([]);
  });

  const events = async (type: string) => (await app.rows("webhookEvents")).filter((row) => row.type === type);
  const notSent = { status: "failed", media: { state: "failed", reason: "not_sent" } };

  it("is given up with its message when that is withdrawn before it leaves", async () => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    await send({ link: link("/cake.png") });
    const message = await lastMessage();
    if (message === undefined) throw new Error("nothing was stored");
    await app.user("ana").mutation(api.messages.cancel, { accountId, messageId: message._id });
    expect(await lastMessage()).toMatchObject(notSent);
    await app.advance();
    expect(asked).toEqual([]);
    expect(await events("message.media.failed")).toHaveLength(1);
    const retry = { accountId, messageId: message._id };
    expect(await app.user("ana").mutation(api.media.retry, retry)).toMatchObject({ reason: "media_refused" });
  });

  it("is given up with its message when that is refused as it is about to leave", async () => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    await send({ link: link("/cake.png") });
    const [contact] = await app.rows("contacts");
    if (contact === undefined) throw new Error("no contact");
    await app
      .user("ana")
      .mutation(api.consent.setBlocked, { accountId, contactId: contact._id, blocked: true });
    await app.advance();
    expect(await lastMessage()).toMatchObject({ ...notSent, error: { code: "blocked" } });
    expect(asked).toEqual([]);
  });

  it("is given up with its message when it cannot be reached until the attempts are used up", async () => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    await send({ link: link("/broken.png") });
    for (let minute = 0; minute < 15; minute++) await app.advance(60_000);
    expect(await lastMessage()).toMatchObject(notSent);
    expect(asked.length).toBeGreaterThan(1);
    expect(await storedFiles()).toBe(0);
  });

  it("that comes after its message was withdrawn is not kept, nor sent", async () => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    await send({ link: link("/cake.png") });
    const message = await lastMessage();
    if (message === undefined) throw new Error("nothing was stored");
    const [row] = await app.rows("outbox");
    if (row === undefined) throw new Error("nothing was queued");
    onAsked = async () =>
      await app.user("ana").mutation(api.messages.cancel, { accountId, messageId: message._id });
    await app.backend.action(internal.uploadsNode.prepare, { outboxId: row._id });
    await app.advance();
    expect(asked).toEqual(["/cake.png"]);
    expect(await lastMessage()).toMatchObject(notSent);
    expect(await storedFiles()).toBe(0);
    expect(app.graph.sends).toEqual([]);
  });

  it("is fetched once, although Meta takes it only at the second attempt", async () => {
    vi.stubEnv("FORWARD_ALLOW_CIDRS", "127.0.0.0/8");
    let refusals = 1;
    app.graph.answerAlways((request) => {
      if (!request.url.pathname.endsWith("/media")) return app.graph.accept(request);
      return refusals-- > 0 ? new Response("", { status: 500 }) : Response.json({ id: "media9" });
    });
    await send({ link: link("/cake.png") });
    await app.advance();
    expect(app.graph.sends).toEqual([]);
    await app.advance(5_000);
    expect(sentImages()).toEqual([{ id: "media9", caption: "Cake" }]);
    expect(asked).toEqual(["/cake.png"]);
  });
});
