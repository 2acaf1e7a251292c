import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LINK_LIFE_MS_MAX, mediaLinkPath, signMediaLink } from "#shared/media-link";
import { signatureHeader } from "#shared/signature";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { APP_SECRET, type InProcess, startInProcess } from "../../tests/support/in-process";

/** A picture of one point. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const MASTER_KEY = new Uint8Array(32).fill(7);
const FILE_HOST = "https://some-deployment.convex.cloud/api/storage/";

let product: InProcess;
let route: typeof import("@/app/api/media/[id]/route");
let accountId: Id<"accounts">;
let served: Buffer;
let fileRequests: (string | null)[];

beforeEach(async () => {
  product = await startInProcess();
  vi.stubEnv("META_MEDIA_HOSTS", new URL(product.simulator.url).host);
  route = await import("@/app/api/media/[id]/route");
  accountId = (await product.addBusiness()).id;
  served = PNG;
  fileRequests = [];
  const outside = globalThis.fetch;
  // Convex's file host, which convex-test names but does not have.
  vi.stubGlobal("fetch", async (input: string | URL | Request, init?: RequestInit) => {
    if (!String(input).startsWith(FILE_HOST)) return await outside(input, init);
    const range = new Headers(init?.headers).get("range");
    fileRequests.push(range);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
    if (from === undefined) return new Response(new Uint8Array(served));
    if (Number(from) >= served.length) return new Response(null, { status: 416 });
    const part = served.subarray(Number(from), to === "" ? served.length : Number(to) + 1);
    const contentRange = `bytes ${from}-${Number(from) + part.length - 1}/${served.length}`;
    return new Response(new Uint8Array(part), { status: 206, headers: { "content-range": contentRange } });
  });
});
afterEach(async () => {
  await product.stop();
  vi.unstubAllGlobals();
});

const t = () => product.backend.t;
const post = async (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  await (await fetch(`${product.simulator.url}${path}`, { method: "POST", body, headers })).json();

/** A file at the simulated Meta, and the webhook of a customer who sent it. */
async function receiveFile(type: string, file: Buffer, mime: string, filename?: string): Promise<void> {
  const form = new FormData();
  form.set("messaging_product", "whatsapp");
  form.set("type", mime);
  form.set("file", new Blob([new Uint8Array(file)], { type: mime }), "file");
  const { id } = await post("/v25.0/106540352242922/media", form, {
    authorization: "Bearer sim-access-token",
  });
  const sha256 = createHash("sha256").update(file).digest("base64");
  const message = {
    from: "16505551234",
    id: `wamid.${id}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type,
    [type]: { id, mime_type: mime, sha256, filename },
  };
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
    contacts: [{ profile: { name: "Sheena" }, wa_id: "16505551234" }],
    messages: [message],
  };
  const payload = {
    object: "whatsapp_business_account",
    entry: [{ id: "102290129340398", changes: [{ field: "messages", value }] }],
  };
  const bytes = new Uint8Array(new TextEncoder().encode(JSON.stringify(payload)));
  const signature = await signatureHeader(APP_SECRET, bytes);
  await t().mutation(api.webhook.ingestWebhook, { body: bytes.buffer, signature });
}

const lastMessage = async () => {
  const rows = await t().run(async (ctx) => await ctx.db.query("messages").collect());
  const row = rows.at(-1);
  if (row === undefined) throw new Error("no message");
  return row;
};
const untilSettled = async () =>
  await vi.waitFor(
    async () => {
      const message = await lastMessage();
      if (message.media?.state === "pending") throw new Error("still pending");
      return message;
    },
    { timeout: 15_000, interval: 20 },
  );

const open = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
  await route[method === "HEAD" ? "HEAD" : "GET"](
    new Request(`http://localhost:3000${path}`, { method, headers }),
  );

const join = async (userId: string) =>
  await t().run(async (ctx) => {
    await ctx.db.insert("accountMembers", { accountId, userId, role: "member" });
  });

/** The link that the dashboard of a member gets. */
async function linkOf(userId: string): Promise<string> {
  const { conversationId } = await lastMessage();
  const paginationOpts = { numItems: 5, cursor: null };
  const { page } = await t()
    .withIdentity({ subject: userId, use: "user" })
    .query(api.messages.list, { accountId, conversationId, paginationOpts });
  const url = page[0]?.media?.url;
  if (url === undefined) throw new Error("no link");
  return url;
}

describe("a file of a customer, fetched from the simulated WhatsApp", () => {
  it.each(["expired", "wrong_sha", "oversize", "redirect"])(
    "arrives although the first download is %s",
    async (kind) => {
      const effect = kind === "redirect" ? { kind, to: "https://evil.example/" } : { kind };
      await post("/_sim/faults", JSON.stringify({ match: {}, effect, times: 1 }), {
        "content-type": "application/json",
      });
      await receiveFile("image", PNG, "image/png");
      const { media } = await untilSettled();
      expect(media).toMatchObject({ state: "ready", mime: "image/png", bytes: PNG.length });
    },
  );

  it("is what its bytes say, whatever the answer calls it", async () => {
    await post(
      "/_sim/faults",
      JSON.stringify({ match: {}, effect: { kind: "wrong_mime", mimeType: "text/html" }, times: 1 }),
      { "content-type": "application/json" },
    );
    await receiveFile("image", PNG, "image/png");
    expect((await untilSettled()).media).toMatchObject({ state: "ready", mime: "image/png" });
  });
});

describe("a link to a file", () => {
  it("gives a member the bytes, with headers that let nothing in them run", async () => {
    await join("ana");
    await receiveFile("image", PNG, "image/png");
    await untilSettled();
    const response = await open(await linkOf("ana"));
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(PNG)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/png",
      "content-disposition": "inline",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
      "cache-control": "private, max-age=3600",
    });
    expect(JSON.stringify([...response.headers])).not.toContain("some-deployment");
  });

  it("gives one range, answers HEAD without bytes, and 304 to who has the file", async () => {
    await join("ana");
    await receiveFile("image", PNG, "image/png");
    await untilSettled();
    const link = await linkOf("ana");
    const part = await open(link, { range: "bytes=4-7" });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 4-7/${PNG.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(PNG.subarray(4, 8));
    expect((await open(link, { range: "bytes=999999-" })).status).toBe(416);
    const head = await open(link, {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      200,
      String(PNG.length),
      "",
    ]);
    const etag = head.headers.get("etag") ?? "";
    fileRequests = [];
    expect((await open(link, { "if-none-match": `"other", W/${etag}` })).status).toBe(304);
    expect(fileRequests).toEqual([]);
    expect((await open(link, { range: "bytes=4-7", "if-range": '"other"' })).status).toBe(200);
    expect((await open(link, { range: "bytes=4-7", "if-range": etag })).status).toBe(206);
  });

  it("saves what could be a page, under its own name and no livelier type", async () => {
    await join("ana");
    const page = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>");
    await receiveFile("document", page, "text/plain", 'a "ü".svg');
    const { _id } = await untilSettled();
    const link = await linkOf("ana");
    const response = await open(link);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    await t().run(async (ctx) => {
      const message = await ctx.db.get(_id);
      if (message?.media !== undefined) {
        await ctx.db.patch(_id, { media: { ...message.media, mime: "image/svg+xml" } });
      }
    });
    const saved = await open(link);
    expect(saved.headers.get("content-type")).toBe("application/octet-stream");
    expect(saved.headers.get("content-disposition")).toBe(
      "attachment; filename=\"a ___.svg\"; filename*=UTF-8''a%20%22%C3%BC%22.svg",
    );
  });

  it("opens for a key for a quarter of an hour, and not after its revocation", async () => {
    await receiveFile("image", PNG, "image/png");
    const { _id: messageId } = await untilSettled();
    const { id } = await product.createKey(accountId, ["read"]);
    const as = t().withIdentity({ subject: id, use: "mcp" });
    const answer = await as.mutation(api.mcp.mediaLink, { messageId });
    if ("refused" in answer) throw new Error(answer.reason);
    expect((await open(answer.link)).status).toBe(200);
    await t().mutation(internal.keysAdmin.revoke, { apiKeyId: id });
    expect((await open(answer.link)).status).toBe(404);
  });

  it("opens nothing for anybody else, with one and the same answer", async () => {
    await join("ana");
    await receiveFile("image", PNG, "image/png");
    const { _id: messageId } = await untilSettled();
    const { id: foreignAccountId } = await t().run(async (ctx) => {
      const account = await ctx.db.get(accountId);
      if (account === null) throw new Error("no account");
      const { _id: _, _creationTime: __, ...rest } = account;
      const foreign = await ctx.db.insert("accounts", {
        ...rest,
        phoneNumberId: "900",
        phoneNumber: "+15550001111",
      });
      await ctx.db.insert("accountMembers", { accountId: foreign, userId: "ben", role: "owner" });
      return { id: foreign };
    });
    const { id: foreignKey } = await product.createKey(foreignAccountId, ["read"]);
    const { id: writingKey } = await product.createKey(accountId, ["send"]);
    const soon = Date.now() + 60_000;
    const make = async (change: object, key = MASTER_KEY) =>
      mediaLinkPath(
        await signMediaLink(key, { messageId, principal: "user:ana", expiresAt: soon, ...change }),
      );
    expect((await open(await make({}))).status).toBe(200);
    const good = new URL(await make({}), "http://localhost:3000");
    const tampered = (name: string, value: string) => {
      const url = new URL(good);
      url.searchParams.set(name, value);
      return `${url.pathname}${url.search}`;
    };
    const links = {
      over: await make({ expiresAt: Date.now() - 1 }),
      tooLong: await make({ expiresAt: Date.now() + LINK_LIFE_MS_MAX + 60_000 }),
      otherSecret: await make({}, new Uint8Array(32).fill(9)),
      otherPrincipal: tampered("p", "user:ben"),
      later: tampered("e", String(soon + 1)),
      unsigned: tampered("s", "A".repeat(43)),
      noQuery: good.pathname,
      otherMessage: await make({ messageId: "k57nonsense" }),
      foreignMember: await make({ principal: "user:ben" }),
      foreignKey: await make({ principal: `key:${foreignKey}` }),
      keyWithoutScope: await make({ principal: `key:${writingKey}` }),
      nobody: await make({ principal: "user:nobody" }),
    };
    const answers = new Map<string, string>();
    for (const [name, link] of Object.entries(links)) {
      const response = await open(link);
      answers.set(name, `${response.status} ${await response.text()}`);
    }
    expect(new Set(answers.values()).size).toBe(1);
    expect([...answers.values()][0]).toMatch(/^404 .*"code":"not_found"/);
  });

  it("closes for a member who is removed, and when the file is gone", async () => {
    await join("ana");
    await receiveFile("image", PNG, "image/png");
    const { _id } = await untilSettled();
    const link = await linkOf("ana");
    await t().run(async (ctx) => {
      const member = await ctx.db.query("accountMembers").first();
      if (member !== null) await ctx.db.delete(member._id);
    });
    expect((await open(link)).status).toBe(404);
    await join("ana");
    expect((await open(link)).status).toBe(200);
    await t().run(async (ctx) => {
      await ctx.db.delete(_id);
    });
    expect((await open(link)).status).toBe(404);
  });
});
