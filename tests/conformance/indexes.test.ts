import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convexCli, copyApp } from "../support/engine-process";
import { pushOf } from "../support/functions-harness";
import { type LiveEngine, startLiveEngine } from "../support/live-engine";

const MESSAGES = 3_000;
const BY_CHAT = '.index("by_chat", ["chat"])';
const SEARCH_BODY =
  '.searchIndex("search_body", { searchField: "body", filterFields: ["chat", "meta.kind"] })';
const PUSH_TIMEOUT_MS = 60_000;

const find = makeFunctionReference<"query", { text: string }, string[]>("messages:find");
const byChat = makeFunctionReference<"query", { chat: string }, number>("messages:byChat");
const send = makeFunctionReference<"mutation", { chat: string; bodies: string[] }, string[]>("messages:send");
const fill = makeFunctionReference<"mutation", { count: number; word: string }, null>("messages:fill");

let engine: LiveEngine;
let client: ConvexHttpClient;
let app: string;

const schemaWith = (...parts: string[]) => `
  import { defineSchema, defineTable } from "convex/server";
  import { v } from "convex/values";
  export default defineSchema({
    messages: defineTable({
      chat: v.string(), body: v.string(), meta: v.optional(v.object({ kind: v.string() })),
    })${parts.join("")},
  });`;

const deployArgs = () => [
  ...["deploy", "--url", engine.cloudUrl, "--admin-key", engine.adminKey],
  ...["--typecheck", "disable", "--codegen", "disable", "--yes"],
];

/** Pushes the app with another schema; answers everything that the CLI printed. */
async function push(schema: string): Promise<string> {
  fs.writeFileSync(path.join(app, "convex/schema.ts"), schema);
  const { stdout, stderr } = await convexCli(app, deployArgs());
  return stdout + stderr;
}

const failedPush = (schema: string): Promise<string> =>
  push(schema).then(
    () => {
      throw new Error("The push was not refused.");
    },
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ""}${error.stderr ?? ""}`,
  );

beforeAll(async () => {
  engine = await startLiveEngine();
  app = copyApp("search-app");
  client = new ConvexHttpClient(engine.cloudUrl);
  await push(schemaWith());
  for (let n = 0; n < MESSAGES; n += 1_000) await client.mutation(fill, { count: 1_000, word: "filled" });
}, 120_000);
afterAll(async () => {
  await engine.discard();
  fs.rmSync(app, { recursive: true, force: true });
});

describe("indexes through the official push", () => {
  test(
    "staged ones wait for a later push, which enables them without building them again",
    async () => {
      const printed = await push(
        schemaWith(
          '.index("by_chat", { fields: ["chat"], staged: true })',
          '.searchIndex("search_body", { searchField: "body", filterFields: ["chat", "meta.kind"], staged: true })',
        ),
      );
      expect(printed).toContain("Added staged table indexes");
      expect(printed).toContain("messages.search_body");
      await expect(client.query(byChat, { chat: "fill" })).rejects.toThrow(
        "Index messages.by_chat is currently staged and not available to query until it is enabled.",
      );
      await expect(client.query(find, { text: "filled" })).rejects.toThrow(
        "Index messages.search_body is currently staged and not available to query until it is enabled.",
      );
      await client.mutation(send, { chat: "late", bodies: ["written while staged"] });
      expect(await push(schemaWith(BY_CHAT, SEARCH_BODY))).toContain("messages.by_chat");
      expect(await client.query(byChat, { chat: "fill" })).toBe(MESSAGES);
      expect(await client.query(find, { text: "staged" })).toEqual(["written while staged"]);
    },
    PUSH_TIMEOUT_MS * 2,
  );

  test(
    "changed ones are built anew before they come into force",
    async () => {
      await push(schemaWith('.index("by_chat", ["body"])', SEARCH_BODY));
      await expect(client.query(byChat, { chat: "fill" })).rejects.toThrow(
        "but messages.by_chat with fields",
      );
      await push(schemaWith(BY_CHAT, SEARCH_BODY));
      expect(await client.query(byChat, { chat: "late" })).toBe(1);
    },
    PUSH_TIMEOUT_MS * 2,
  );

  test(
    "a schema that a row contradicts is refused with table, row and reason, and the old one stays",
    async () => {
      const [id] = await client.mutation(send, { chat: "odd", bodies: ["one of its kind"] });
      const strict = schemaWith(BY_CHAT, SEARCH_BODY).replace(
        "body: v.string()",
        'body: v.string(), chat: v.union(v.literal("fill"), v.literal("late"))',
      );
      const printed = await failedPush(strict.replace("chat: v.string(), ", ""));
      expect(printed).toContain("Schema validation failed.");
      expect(printed).toContain(`Document with ID "${id}" in table "messages" does not match the schema:`);
      expect(printed).toContain("Path: .chat");
      await client.mutation(send, { chat: "odd", bodies: ["still taken"] });
      expect(await client.query(byChat, { chat: "odd" })).toBe(2);
    },
    PUSH_TIMEOUT_MS * 2,
  );

  test(
    "a vector index is refused in one sentence",
    async () => {
      const printed = await failedPush(
        schemaWith(BY_CHAT, '.vectorIndex("by_embedding", { vectorField: "body", dimensions: 3 })'),
      );
      expect(printed).toContain(
        'Table "messages" declares the vector index "by_embedding", but this backend has no vector search: remove the index from the schema.',
      );
      expect(await client.query(byChat, { chat: "late" })).toBe(1);
    },
    PUSH_TIMEOUT_MS,
  );

  test(
    "the CLI is told how far the backfill is",
    async () => {
      await push(schemaWith());
      const body = await pushOf("search-app");
      const started = await engine.admin("/api/deploy2/start_push", Object(body));
      const { schemaChange } = await started.json();
      const wait = async (timeoutMs: number) =>
        (
          await engine.admin("/api/deploy2/wait_for_schema", { schemaChange, timeoutMs, dryRun: false })
        ).json();
      expect(await wait(0)).toEqual({
        type: "inProgress",
        components: {
          "": { schemaValidationComplete: expect.any(Boolean), indexesComplete: 0, indexesTotal: 2 },
        },
      });
      let status = await wait(10_000);
      while (status.type === "inProgress") status = await wait(10_000);
      expect(status).toEqual({ type: "complete" });
    },
    PUSH_TIMEOUT_MS,
  );
});
