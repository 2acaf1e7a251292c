import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";

type Described = { url: string | null; row: { sha256: string; size: number; contentType?: string } | null };

const uploadUrl = makeFunctionReference<"mutation", Record<string, never>, string>("files:uploadUrl");
const describeFile = makeFunctionReference<"query", { id: string }, Described>("files:describe");
const remove = makeFunctionReference<"mutation", { id: string; thenFail: boolean }, null>("files:remove");
const keep = makeFunctionReference<"action", { text: string }, { id: string; text: string }>("files:keep");

const BYTES = Buffer.from("the quick brown fox", "utf8");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");

let engine: LiveEngine;
let client: ConvexHttpClient;

beforeAll(async () => {
  engine = await startLiveEngine();
  await engine.admin("/api/update_environment_variables", {
    changes: [{ name: "CHAT_JWKS", value: "data:application/json,{}" }],
  });
  await engine.deploy("chat-app");
  client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
}, 60_000);

afterAll(() => engine.discard());

const post = (
  url: string,
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer> = Uint8Array.from(BYTES),
) => fetch(url, { method: "POST", headers, body });

async function upload(headers: Record<string, string> = {}): Promise<string> {
  const response = await post(await client.mutation(uploadUrl, {}), headers);
  expect(response.status).toBe(200);
  const { storageId } = (await response.json()) as { storageId: string };
  return storageId;
}

async function urlOf(id: string): Promise<string> {
  const { url } = await client.query(describeFile, { id });
  return url ?? expect.fail("the file has no URL");
}

const blobs = () =>
  readdirSync(join(engine.dataDir, "files"), { withFileTypes: true }).filter((f) => f.isFile());

test("an uploaded file is served byte for byte, with its type, its digest and leave to keep it", async () => {
  const id = await upload({ "content-type": "text/fox", digest: `sha-256=${sha256(BYTES)}` });
  const { url, row } = await client.query(describeFile, { id });
  expect(row).toMatchObject({ sha256: sha256(BYTES), size: BYTES.length, contentType: "text/fox" });
  expect(url).not.toContain(id);
  const response = await fetch(url ?? "");
  expect(Buffer.from(await response.arrayBuffer())).toEqual(BYTES);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/fox",
    "content-length": String(BYTES.length),
    "cache-control": "private, max-age=2592000",
    "accept-ranges": "bytes",
    digest: `sha-256=${sha256(BYTES)}`,
    "x-content-type-options": "nosniff",
  });
  expect(await urlOf(id)).toBe(url);
});

test("a part of a file is served as a part, and a part that it does not have is refused", async () => {
  const url = await urlOf(await upload());
  const part = async (range: string) => {
    const response = await fetch(url, { headers: { range } });
    return [response.status, response.headers.get("content-range"), await response.text()];
  };
  expect(await part("bytes=4-8")).toEqual([206, "bytes 4-8/19", "quick"]);
  expect(await part("bytes=-3")).toEqual([206, "bytes 16-18/19", "fox"]);
  expect(await part("bytes=19-")).toEqual([416, "bytes */19", ""]);
  const head = await fetch(url, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "19", ""]);
  const etag = head.headers.get("etag") ?? "";
  expect((await fetch(url, { headers: { "if-none-match": etag } })).status).toBe(304);
});

test("an empty file is a file", async () => {
  const response = await post(await client.mutation(uploadUrl, {}), {}, new Uint8Array());
  const { storageId } = (await response.json()) as { storageId: string };
  const served = await fetch(await urlOf(storageId));
  expect([served.status, await served.text()]).toEqual([200, ""]);
});

test("an upload with a wrong digest or without a valid token is refused and leaves nothing", async () => {
  const before = blobs().length;
  const wrong = await post(await client.mutation(uploadUrl, {}), {
    digest: `sha-256=${sha256(Buffer.from("other"))}`,
  });
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { code: "DigestMismatch" }]);
  const forged = await post(`${engine.cloudUrl}/api/storage/upload?token=a.b.c`, {});
  expect(forged.status).toBe(401);
  expect(blobs()).toHaveLength(before);
  expect(readdirSync(join(engine.dataDir, "files", "incoming"))).toEqual([]);
});

test("a deletion holds only when its mutation does; then the URL and the bytes are gone", async () => {
  const id = await upload();
  const url = await urlOf(id);
  await expect(client.mutation(remove, { id, thenFail: true })).rejects.toThrow("on purpose");
  expect((await fetch(url)).status).toBe(200);

  const before = blobs().length;
  await client.mutation(remove, { id, thenFail: false });
  expect((await fetch(url)).status).toBe(404);
  expect(await client.query(describeFile, { id })).toEqual({ url: null, row: null });
  await expect.poll(() => blobs().length).toBe(before - 1);
  await expect(client.mutation(remove, { id, thenFail: false })).rejects.toThrow(
    `storage id ${id} not found`,
  );
});

test("an action stores and reads a Blob", async () => {
  const kept = await client.action(keep, { text: "kept ✓" });
  expect(kept.text).toBe("kept ✓");
  const served = await fetch(await urlOf(kept.id));
  expect([served.headers.get("content-type"), await served.text()]).toEqual(["text/plain", "kept ✓"]);
});

test("a blob that was cut behind the engine's back is served as an error, never as a whole answer", async () => {
  const folder = join(engine.dataDir, "files");
  const before = new Set(readdirSync(folder));
  const url = await urlOf(await upload());
  const blob = join(folder, readdirSync(folder).find((name) => !before.has(name)) ?? "");
  await writeFile(blob, BYTES.subarray(0, 5));
  const cut = await fetch(url)
    .then((response) => response.arrayBuffer())
    .catch((error: unknown) => error);
  expect(cut).toBeInstanceOf(Error);
  await writeFile(blob, BYTES);
  expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(BYTES);
});

test("a restart keeps stored files and sweeps what no transaction kept", async () => {
  const url = await urlOf(await upload());
  const folder = join(engine.dataDir, "files");
  await writeFile(join(folder, "0123456789abcdef0123456789abcdef"), "orphan");
  await writeFile(join(folder, "incoming", "half"), "half");
  const before = blobs().length;
  engine = await engine.restart();
  client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  expect(blobs()).toHaveLength(before - 1);
  expect(readdirSync(join(folder, "incoming"))).toEqual([]);
  expect(await (await fetch(url)).text()).toBe(BYTES.toString());
}, 30_000);
