import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../transaction/test-database";
import { writeChunks } from "./chunks";
import { loadDeployment } from "./stored-deployment";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

test("a deployment that was stored before there were components is the app alone", async () => {
  const stored = {
    modules: [
      { path: "notes.js", environment: "isolate", wrapped: "(function () {})", map: "{}", sha256: "00" },
    ],
    functions: [
      {
        ...{ module: "notes.js", name: "list", kind: "query", visibility: "public", environment: "isolate" },
        ...{ args: { type: "any" }, returns: null },
      },
    ],
    routes: [["/hook", "POST"]],
    crons: [{ name: "nightly", path: "notes.js:list", args: {}, schedule: { type: "hourly" } }],
    auth: [],
    schema: null,
    importTimeMs: 5,
    importSeed: "0".repeat(32),
  };
  const text = gzipSync(JSON.stringify(stored)).toString("base64");
  const transaction = database.begin("mutation");
  writeChunks(
    transaction,
    transaction.system.insert("_deployments", { format: 1, length: text.length }),
    text,
  );
  const deployment = await loadDeployment(transaction);
  expect(deployment).toMatchObject({
    importTimeMs: 5,
    app: {
      path: "",
      children: [],
      httpPrefix: "/",
      routes: [["/hook", "POST"]],
      crons: [{ name: "nightly" }],
    },
  });
  expect([...(deployment?.components.keys() ?? [])]).toEqual([""]);
  expect(deployment?.app.functions.get("notes.js:list")).toMatchObject({ component: "", kind: "query" });
});
