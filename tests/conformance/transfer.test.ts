import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convexCli, copyApp, tempDir } from "../support/engine-process";
import { type LiveEngine, startLiveEngine } from "../support/live-engine";
import { readZip } from "../support/zip-file";

/** The engine that data comes from, and one that it goes to. */
let engine: LiveEngine;
let other: LiveEngine;
let app: string;
let out: string;

beforeAll(async () => {
  [engine, other] = await Promise.all([startLiveEngine(), startLiveEngine()]);
  await engine.deploy("transfer-app");
  await other.deploy("transfer-app");
  app = copyApp("transfer-app");
  out = tempDir("transfer");
});

afterAll(async () => {
  await Promise.all([engine.discard(), other.discard()]);
  for (const folder of [app, out]) fs.rmSync(folder, { recursive: true, force: true });
});

type Row = { _id: string; _creationTime: number };

const insert = makeFunctionReference<"mutation", { table: string; documents: unknown[] }, string[]>(
  "data:insert",
);
const upload = makeFunctionReference<"action", { text: string; type: string }, string>("data:upload");
const list = makeFunctionReference<"query", { table: string }, Row[]>("data:list");

const clientOf = ({ cloudUrl }: LiveEngine) => new ConvexHttpClient(cloudUrl, { logger: false });

/** Runs the unmodified CLI against an engine. */
const convex = (target: LiveEngine, ...args: string[]) =>
  convexCli(app, [...args, "--url", target.cloudUrl, "--admin-key", target.adminKey]);

const VALUES = [
  -(2n ** 63n),
  2n ** 63n - 1n,
  Number.NaN,
  -0,
  Number.POSITIVE_INFINITY,
  1e-300,
  new Uint8Array([0, 255, 10]).buffer,
  "line\nbreak \u2028 😀 \u0000",
  null,
  [[], {}, [true]],
  { nested: { a: 1n } },
];

test("the CLI exports every table in the official layout, with the stored files where asked", async () => {
  const client = clientOf(engine);
  const [author] = await client.mutation(insert, { table: "authors", documents: [{ name: "ann" }] });
  await client.mutation(insert, { table: "posts", documents: [{ author, title: "first" }] });
  await client.mutation(insert, { table: "values", documents: VALUES.map((value) => ({ value })) });
  const file = await client.action(upload, { text: "hello", type: "text/plain" });

  const target = path.join(out, "snapshot.zip");
  const { stderr } = await convex(engine, "export", "--include-file-storage", "--path", target);
  expect(stderr).toMatch(/Created snapshot export at timestamp \d+/);
  const entries = await readZip(target);
  expect([...entries.keys()]).toEqual([
    "README.md",
    "_tables/documents.jsonl",
    ...["authors", "posts", "values", "attachments"].flatMap((table) => [
      `${table}/documents.jsonl`,
      `${table}/generated_schema.jsonl`,
    ]),
    "_storage/documents.jsonl",
    `_storage/${file}.txt`,
  ]);
  expect(entries.get("_tables/documents.jsonl")).toContain('{"id":10001,"name":"authors"}\n');
  expect(JSON.parse(entries.get("authors/documents.jsonl") ?? "")).toEqual(
    (await client.query(list, { table: "authors" }))[0],
  );
  expect(entries.get("values/documents.jsonl")).toContain('{"$integer":"AAAAAAAAAIA="}');
  expect(entries.get(`_storage/${file}.txt`)).toBe("hello");

  await convex(engine, "export", "--path", out);
  const named = fs.readdirSync(out).find((name) => /^snapshot_\d+\.zip$/.test(name)) ?? "";
  expect([...(await readZip(path.join(out, named))).keys()].some((name) => name.startsWith("_storage"))).toBe(
    false,
  );
});

type StoredFile = Row & { sha256: string; size: number; contentType?: string; url: string };
const files = makeFunctionReference<"query", Record<string, never>, StoredFile[]>("data:files");
const postsOf = makeFunctionReference<"query", { author: string }, string[]>("data:postsOf");

const TABLES = ["authors", "posts", "values", "attachments"];

/** Everything that an app can see of its data. */
async function contents(target: LiveEngine) {
  const client = clientOf(target);
  const tables = await Promise.all(TABLES.map((table) => client.query(list, { table })));
  const stored = await client.query(files, {});
  return {
    tables,
    files: await Promise.all(
      stored.map(async ({ url, ...file }) => ({
        ...file,
        path: new URL(url).pathname,
        bytes: await (await fetch(url)).text(),
      })),
    ),
  };
}

test("an import into a fresh engine gives equal documents, ids, files and URLs, and indexes that find them", async () => {
  const { stderr } = await convex(other, "import", path.join(out, "snapshot.zip"));
  expect(stderr).toContain(`Added ${VALUES.length + 3} documents`);
  expect(await contents(other)).toEqual(await contents(engine));
  const client = clientOf(other);
  const [author] = await client.query(list, { table: "authors" });
  expect(await client.query(postsOf, { author: author?._id ?? "" })).toEqual(["first"]);
  // New rows go on where the imported ones end.
  const [id = ""] = await client.mutation(insert, {
    table: "posts",
    documents: [{ author: author?._id, title: "second" }],
  });
  expect(id.slice(0, 2)).toBe((await client.query(list, { table: "posts" }))[0]?._id.slice(0, 2));
});
