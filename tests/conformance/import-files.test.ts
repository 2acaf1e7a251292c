import fs from "node:fs";
import path from "node:path";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodeId } from "../../engine/values/id";
import { tempDir } from "../support/engine-process";
import { type LiveEngine, startLiveEngine } from "../support/live-engine";
import { ImportClient, zipBytes } from "../support/transfer";
import { readZip } from "../support/zip-file";

let engine: LiveEngine;
let client: ConvexHttpClient;
let imports: ImportClient;

beforeAll(async () => {
  engine = await startLiveEngine();
  await engine.deploy("transfer-app");
  client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  imports = new ImportClient(engine);
});

afterAll(() => engine.discard());

type Row = { _id: string; _creationTime: number; [field: string]: unknown };

const insert = makeFunctionReference<"mutation", { table: string; documents: unknown[] }, string[]>(
  "data:insert",
);
const list = makeFunctionReference<"query", { table: string }, Row[]>("data:list");
const upload = makeFunctionReference<"action", { text: string; type: string }, string>("data:upload");
const files = makeFunctionReference<"query", Record<string, never>, { _id: string; url: string }[]>(
  "data:files",
);

const rows = (table: string) => client.query(list, { table });
const names = async () => (await rows("authors")).map((row) => row["name"]);
const lines = (...documents: object[]) =>
  documents.map((document) => `${JSON.stringify(document)}\n`).join("");

/** An id of a table number that this engine did not give out: what another deployment would have. */
let lastByte = 0;
const foreignId = (tableNumber: number) => {
  lastByte += 1;
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, lastByte);
  return encodeId(tableNumber, bytes);
};

const clear = () =>
  imports.zip(
    [
      ["_tables/documents.jsonl", ""],
      ["values/documents.jsonl", ""],
    ],
    "replaceAll",
  );

beforeEach(async () => {
  expect(await clear()).toMatchObject({ state: "completed" });
});

describe("files", () => {
  const blobs = () =>
    fs.readdirSync(path.join(engine.dataDir, "files"), { withFileTypes: true }).filter((f) => f.isFile())
      .length;
  const fileId = () => foreignId(540);
  const sha256 = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="; // Of "hello".

  test("come with their ids, types, times and URLs, and replace those of today with their bytes", async () => {
    await client.action(upload, { text: "old", type: "text/plain" });
    const [old] = await client.query(files, {});
    const id = fileId();
    const token = "0b84a1e1-6d1c-4a79-9b6c-5f3f0f3c0a11";
    const meta = {
      _id: id,
      _creationTime: 1_650_000_000_000,
      contentType: "text/x-hello",
      internalId: token,
      sha256,
      size: 5,
    };
    const entries: [string, string][] = [
      ["_storage/documents.jsonl", lines(meta)],
      [`_storage/${id}.txt`, "hello"],
      ["attachments/documents.jsonl", lines({ file: id })],
    ];
    expect((await imports.zip(entries)).error_message).toMatch(/Table (_storage|attachments) already exists/);
    expect(await imports.zip(entries, "replace")).toMatchObject({ state: "completed" });
    const [file, ...others] = await client.query(files, {});
    expect(others).toEqual([]);
    expect(file).toMatchObject({
      _id: id,
      _creationTime: 1_650_000_000_000,
      sha256,
      size: 5,
      contentType: "text/x-hello",
    });
    expect(new URL(file?.url ?? "").pathname).toBe(`/api/storage/${token}`);
    const response = await fetch(file?.url ?? "");
    expect([await response.text(), response.headers.get("content-type")]).toEqual(["hello", "text/x-hello"]);
    expect((await fetch(old?.url ?? "")).status).toBe(404);
    await expect.poll(blobs).toBe(1);
    // Later files belong to the same table.
    expect((await client.action(upload, { text: "new", type: "text/plain" })).slice(0, 2)).toBe(
      id.slice(0, 2),
    );
  });

  test("append beside those of today, where their ids are of the same deployment", async () => {
    const before = await client.query(files, {});
    const [kept] = before;
    const state = await imports.zip(
      [
        ["_storage/documents.jsonl", ""],
        [`_storage/${fileId()}`, "bare"],
      ],
      "append",
    );
    expect(state).toMatchObject({ state: "completed" });
    const after = await client.query(files, {});
    expect(after.length).toBe(before.length + 1);
    expect((await fetch(after.find((file) => file._id !== kept?._id)?.url ?? "")).status).toBe(200);
    const foreign = await imports.zip([[`_storage/${foreignId(99)}`, "x"]], "append");
    expect(foreign.error_message).toMatch(/cannot be imported into table "_storage"/);
  });

  test.each([
    [
      "whose bytes differ from their digest",
      (id: string) => [
        ["_storage/documents.jsonl", lines({ _id: id, sha256, size: 5 })],
        [`_storage/${id}`, "hellO"],
      ],
      /its size or its sha256 differs/,
    ],
    [
      "whose bytes are missing",
      (id: string) => [["_storage/documents.jsonl", lines({ _id: id, sha256, size: 5 })]],
      /its bytes are not there/,
    ],
  ] as const)("%s are refused, and no bytes stay behind", async (_, entries, message) => {
    const before = [blobs(), await client.query(files, {})];
    const state = await imports.zip(entries(fileId()) as [string, string][], "replace");
    expect(state.error_message).toMatch(message);
    expect(await client.query(files, {})).toEqual(before[1]);
    await expect.poll(blobs).toBe(before[0]);
  });
});

describe("components", () => {
  test("come with their own tables, numbers and files, and go out as they came", async () => {
    const [outer, inner, file] = [foreignId(10_901), foreignId(10_902), foreignId(540)];
    const entries: [string, string][] = [
      ["_components/notebook/_tables/documents.jsonl", lines({ id: 10_901, name: "notes" })],
      [
        "_components/notebook/notes/documents.jsonl",
        lines({ _creationTime: 1_650_000_000_000, _id: outer, text: "outer" }),
      ],
      [
        "_components/notebook/_components/counter/notes/documents.jsonl",
        lines({ _creationTime: 1_650_000_000_001, _id: inner, text: "inner" }),
      ],
      [
        "_components/notebook/_storage/documents.jsonl",
        lines({ _creationTime: 1_650_000_000_002, _id: file, contentType: "text/plain" }),
      ],
      [`_components/notebook/_storage/${file}.txt`, "kept by a component"],
    ];
    const before = await client.query(files, {});
    expect(await imports.zip(entries)).toMatchObject({ state: "completed" });
    // The app sees nothing of it.
    expect([await client.query(files, {}), await rows("notes")]).toEqual([before, []]);

    const folder = tempDir("components");
    const target = path.join(folder, "snapshot.zip");
    fs.writeFileSync(target, await exportZip());
    const exported = await readZip(target);
    fs.rmSync(folder, { recursive: true });
    for (const [name, content] of entries.filter(([name]) => !name.includes("_storage/documents"))) {
      expect([name, exported.get(name)]).toEqual([name, content]);
    }
    expect(exported.get("_components/notebook/_storage/documents.jsonl")).toContain(`"_id":"${file}"`);
    // Into a component of another name, as `--component` asks.
    const state = await imports.run('{"text":"x"}', {
      format: "jsonLines",
      table: "notes",
      component: "diary",
    });
    expect(state).toMatchObject({ state: "completed" });
  });
});

/** Asks for an export with files, waits for it and fetches it. */
async function exportZip(): Promise<Buffer> {
  await imports.post("export/request/zip?includeStorage=true", "");
  const latest = JSON.stringify({
    path: "_system/cli/exports:getLatest",
    args: [{}],
    format: "convex_encoded_json",
  });
  let file: string | undefined;
  while (file === undefined) {
    const answer = (await imports.post("query", latest)) as {
      value: { state: string; zip_object_key?: string };
    };
    expect(answer.value.state).not.toBe("failed");
    file = answer.value.state === "completed" ? answer.value.zip_object_key : undefined;
  }
  const response = await fetch(`${engine.cloudUrl}/api/export/zip/${path.basename(file, ".zip")}`, {
    headers: { authorization: `Convex ${engine.adminKey}` },
  });
  return Buffer.from(await response.arrayBuffer());
}

describe("damaged ZIP files", () => {
  const content = lines(...Array.from({ length: 200 }, (_, n) => ({ name: `author number ${n}` })));

  async function refused(bytes: Uint8Array) {
    await client.mutation(insert, { table: "authors", documents: [{ name: "before" }] });
    const state = await imports.run(bytes, { format: "zip", mode: "replace" });
    expect(await names()).toEqual(["before"]);
    return state.error_message;
  }

  test("that end too early are refused", async () => {
    const zip = await zipBytes([["authors/documents.jsonl", content]]);
    expect(await refused(zip.subarray(0, zip.length - 30))).toMatch(/The ZIP file is damaged: /);
  });

  test("of which one bit was turned are refused, wherever it is", async () => {
    const zip = await zipBytes([["authors/documents.jsonl", content]]);
    const start = zip.indexOf("documents.jsonl") + "documents.jsonl".length;
    for (const offset of [20, 200, 400]) {
      const bytes = Buffer.from(zip);
      bytes.writeUInt8(bytes.readUInt8(start + offset) ^ 0x10, start + offset);
      expect(await refused(bytes)).toMatch(/The ZIP file is damaged: |Row \d+ wasn't valid/);
      await clear();
    }
  });

  test("without a table are refused", async () => {
    expect(await refused(await zipBytes([["README.md", "hello"]]))).toContain("The ZIP file has no tables");
  });
});

describe("uploads", () => {
  test("come in parts, whose order the last call says", async () => {
    const content = Buffer.from(lines({ name: "ann" }, { name: "bob" }));
    const id = await imports.upload(content, { format: "jsonLines", table: "authors" }, 7);
    await imports.waitFor(id, "waiting_for_confirmation");
    await imports.confirm(id);
    await imports.waitFor(id, "completed");
    expect(await names()).toEqual(["ann", "bob"]);
    expect(fs.readdirSync(path.join(engine.dataDir, "transfer", "imports"))).toEqual([]);
  });

  test("are refused with a token that is not known, a part that is missing, or without the admin key", async () => {
    await expect(imports.post("import/upload_part?uploadToken=../../x&partNumber=1", "a")).rejects.toThrow(
      /not known here/,
    );
    const { uploadToken } = (await imports.post("import/start_upload", "")) as { uploadToken: string };
    await expect(
      imports.post(`import/upload_part?uploadToken=${uploadToken}&partNumber=0`, "a"),
    ).rejects.toThrow(/numbered from 1/);
    const finish = { import: { format: "zip" }, uploadToken, partTokens: [`1-${"0".repeat(64)}`] };
    await expect(imports.post("import/finish_upload", JSON.stringify(finish))).rejects.toThrow(
      /Part 1 of the upload is missing/,
    );
    const stranger = new ImportClient({ ...engine, adminKey: "wrong" });
    await expect(stranger.post("import/start_upload", "")).rejects.toThrow(/admin key was invalid/);
  });
});

describe("subscribers", () => {
  let live: ConvexClient;

  beforeEach(() => {
    live = new ConvexClient(engine.cloudUrl);
  });
  afterEach(() => live.close());

  test("see an import at once and as a whole", async () => {
    const seen: number[] = [];
    const ended = new Promise<void>((resolve) => {
      live.onUpdate(list, { table: "authors" }, (found) => {
        seen.push(found.length);
        if (found.length > 0) resolve();
      });
    });
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    const content = lines(...Array.from({ length: 1_000 }, (_, n) => ({ name: `${n}` })));
    await imports.run(content, { format: "jsonLines", table: "authors" });
    await ended;
    expect([...new Set(seen)]).toEqual([0, 1_000]);
  });
});
