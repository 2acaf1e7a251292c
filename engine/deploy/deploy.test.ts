import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ADMIN, Harness, pushOf } from "../../tests/support/functions-harness";
import { moduleHash } from "../functions/program";
import type { JsonValue } from "../types";

type Module = { path: string; source: string; sourceMap?: string; environment: "isolate" | "node" };
type Push = {
  appDefinition: {
    schema: Module | null;
    dependencies: string[];
    changedModules: Module[];
    unchangedModuleHashes: { path: string; environment: string; sha256: string }[];
  };
};

let pushed: string;
beforeAll(async () => {
  pushed = JSON.stringify(await pushOf("convex-app"));
}, 60_000);

/** The push of the fixture with one thing changed. */
function push(change: (push: Push) => void): JsonValue {
  const copy: Push & JsonValue = JSON.parse(pushed);
  change(copy);
  return copy;
}

const moduleOf = ({ appDefinition }: Push, path: string): Module => {
  const found = appDefinition.changedModules.find((module) => module.path === path);
  if (found === undefined) throw new Error(`the push has no ${path}`);
  return found;
};

/** The push with another source for one module; it may be a module that the fixture does not have. */
const withSource = (path: string, source: string, environment: "isolate" | "node" = "isolate") =>
  push(({ appDefinition }) => {
    appDefinition.changedModules = appDefinition.changedModules.filter((module) => module.path !== path);
    appDefinition.changedModules.push({ path, source, environment });
  });

const withoutModule = (path: string) =>
  push(({ appDefinition }) => {
    appDefinition.changedModules = appDefinition.changedModules.filter((module) => module.path !== path);
  });

const asQuery = "const f = () => {}; f.isQuery = true; f.isPublic = true; f.invokeQuery = async () => '1';";

describe("a push", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.deployed();
    await harness.mutation("notes:add", { text: "kept", rank: 1 });
  });
  afterAll(() => harness.discard());

  test.each([
    [
      "a query in a Node module",
      () => withSource("machine.js", `"use node"; ${asQuery} export { f as wrong };`, "node"),
      "`wrong` defined in `machine.js` is a Query function. Only actions can be defined in Node.js.",
    ],
    [
      "a module that throws",
      () => withSource("broken.js", 'throw new Error("while loading");'),
      "Failed to analyze broken.js: Uncaught Error: while loading",
    ],
    [
      "a module that never ends",
      () => withSource("endless.js", "for (;;);"),
      "Evaluating endless.js took longer than 5 seconds.",
    ],
    ["a module that is no JavaScript", () => withSource("broken.js", "export const = 1"), "cannot be loaded"],
    [
      "a module that makes a system call while it loads",
      () => withSource("early.js", 'Convex.syscall("1.0/queryStream", "{}");'),
      "not while its module loads",
    ],
    [
      "a router that is none",
      () => withSource("http.js", "export default {};"),
      "The default export of `convex/http.ts` is not a Router.",
    ],
    [
      "crons that are none",
      () => withSource("crons.js", "export default 1;"),
      "The default export of `convex/crons.ts` is not a Crons object.",
    ],
    [
      "a cron of a function that is not there",
      () =>
        withSource(
          "crons.js",
          `export default { isCrons: true, export: () => '{"night":{"name":"no:where","args":[{}],"schedule":{"type":"hourly"}}}' };`,
        ),
      "The cron job 'night' schedules no.js:where, which is not a mutation or action of this push.",
    ],
    [
      "a cron with an expression that cannot be read",
      () =>
        withSource(
          "crons.js",
          `export default { isCrons: true, export: () => '{"night":{"name":"jobs:act","args":[{}],"schedule":{"type":"cron","cron":"61 * * * *"}}}' };`,
        ),
      "The cron job 'night' has an expression that cannot be read: 61 * * * *",
    ],
    [
      "a missing variable in auth.config.ts",
      () =>
        withSource(
          "auth.config.js",
          "export default { providers: [{ domain: process.env.NOT_SET, applicationID: 'x' }] };",
        ),
      "Environment variable NOT_SET is used in auth config file but its value was not set",
    ],
    [
      "a provider that cannot be read",
      () =>
        withSource(
          "auth.config.js",
          "export default { providers: [{ type: 'customJwt', algorithm: 'none' }] };",
        ),
      "auth.config.ts cannot be read",
    ],
    [
      "a component that is not in it",
      () => push(({ appDefinition }) => appDefinition.dependencies.push("../node_modules/x")),
      "The push lacks the component definition ../node_modules/x.",
    ],
    ["a body of another shape", () => ({ hello: "there" }), "This is not a push of the Convex CLI"],
  ])("with %s is refused, and what was deployed goes on", { timeout: 40_000 }, async (_what, body, text) => {
    await expect(harness.deploy(body())).rejects.toThrow(text);
    expect(await harness.query("notes:list")).toEqual(["kept"]);
  });

  test("whose schema the stored rows break is refused with the row, and changes nothing", async () => {
    const stricter = push(({ appDefinition }) => {
      const { schema } = appDefinition;
      if (schema !== null)
        schema.source = schema.source.replace(/rank: (\w+)\.number\(\)/, "rank: $1.string()");
    });
    await expect(harness.deploy(stricter)).rejects.toThrow(/"failed".*notes/);
    expect(await harness.mutation("notes:add", { text: "still", rank: 2 })).toHaveLength(32);
  });

  test("answers in the CLI's words: functions, routes, providers, indexes", async () => {
    const answer = await harness.functions.deploy.startPush(push(() => undefined));
    expect(answer).toMatchObject({
      appAuth: [
        {
          type: "customJwt",
          issuer: "https://issuer.example",
          jwks: "data:text/plain,{}",
          algorithm: "ES256",
          applicationID: "convex",
        },
      ],
      analysis: {
        "": {
          definition: { path: "", definitionType: { type: "app" } },
          functions: {
            "notes.js": {
              functions: expect.arrayContaining([
                expect.objectContaining({
                  name: "secret",
                  udfType: "Query",
                  visibility: { kind: "internal" },
                }),
              ]),
            },
            "machine.js": {
              functions: expect.arrayContaining([
                expect.objectContaining({ name: "hash", udfType: "Action" }),
              ]),
            },
          },
        },
      },
      app: {
        httpRoutes: { httpModuleRoutes: expect.arrayContaining([{ path: "/files/*", method: "GET" }]) },
      },
      schemaChange: { indexDiffs: { "": { added_indexes: [], removed_indexes: [] } } },
    });
  });

  test("that was only tried (dry run) changes nothing", async () => {
    const { deploy } = harness.functions;
    const startPush = await deploy.startPush(withoutModule("world.js"));
    await deploy.finishPush({ startPush, dryRun: true });
    expect(harness.functions.kindOf("world:look")).toBe("query");
  });

  test("that the backend does not know any more has to be repeated", async () => {
    const startPush = { schemaChange: { schemaIds: { "": "long ago" } } };
    await expect(harness.functions.deploy.finishPush({ startPush, dryRun: false })).rejects.toMatchObject({
      code: "RaceDetected",
    });
  });
});

describe("what is deployed", () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.deployed();
    return () => harness.discard();
  });

  test("is there after a restart, without the CLI", async () => {
    const handle = await harness.action("actions:viaHandle");
    harness = await harness.reopen();
    expect(await harness.query("world:look")).toMatchObject({ env: "hello" });
    expect(await harness.action("actions:viaHandle")).toEqual(handle);
    expect(await harness.action("machine:hash", { text: "" })).toMatchObject({ env: "hello" });
    expect(harness.functions.deploy.authProviders()).toHaveLength(1);
    await expect(harness.mutation("notes:add", { text: 1, rank: 1 })).rejects.toThrow(
      "ArgumentValidationError",
    );
  });

  test("changes as a whole: functions come and go, and everybody hears of it", async () => {
    let changes = 0;
    harness.functions.deploy.onChange(() => changes++);
    const source = `${asQuery} f.exportArgs = () => '{"type":"any"}'; export { f as answer };`;
    await harness.deploy(withSource("world.js", source));
    expect(changes).toBe(1);
    expect(await harness.query("world:answer")).toBe(1);
    await expect(harness.query("world:look")).rejects.toThrow(
      "Could not find public function for 'world:look'",
    );
  });

  test("a handle means its function again when that comes back", async () => {
    const { handle } = (await harness.action("actions:viaHandle")) as { handle: string };
    await harness.deploy(withSource("actions.js", `${asQuery} export { f as other };`));
    await harness.deploy(push(() => undefined));
    expect(await harness.action("actions:viaHandle")).toMatchObject({ handle });
  });

  test("a push of what changed takes the rest from here", async () => {
    const hashes = await harness.functions.deploy.configHashes();
    const known = new Map(
      (hashes as { moduleHashes: { path: string; hash: string }[] }).moduleHashes.map((m) => [
        m.path,
        m.hash,
      ]),
    );
    const partly = push((whole) => {
      const { appDefinition } = whole;
      const changed = moduleOf(whole, "world.js");
      for (const module of appDefinition.changedModules) {
        const { path, environment } = module;
        const sha256 = moduleHash({ source: module.source, sourceMap: module.sourceMap ?? null });
        expect(known.get(path)).toBe(sha256);
        if (module !== changed) appDefinition.unchangedModuleHashes.push({ path, environment, sha256 });
      }
      appDefinition.changedModules = [changed];
    });
    await harness.deploy(partly);
    expect(await harness.action("machine:hash", { text: "" })).toMatchObject({ env: "hello" });
    const stale = push(({ appDefinition }) => {
      appDefinition.unchangedModuleHashes.push({
        path: "gone.js",
        environment: "isolate",
        sha256: "0".repeat(64),
      });
    });
    await expect(harness.deploy(stale)).rejects.toMatchObject({ code: "RaceDetected" });
  });

  test("is described for function-spec", () => {
    expect(harness.functions.deploy.functionSpec()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          identifier: "notes.js:add",
          functionType: "Mutation",
          visibility: { kind: "public" },
          returns: { type: "id", tableName: "notes" },
        }),
        { functionType: "HttpAction", method: "POST", path: "/echo" },
      ]),
    );
  });
});

describe("environment variables", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.deployed();
  });
  afterAll(() => harness.discard());
  const set = (name: string, value: string | null) => harness.functions.deploy.env.update([{ name, value }]);
  const greeting = async () => ((await harness.query("world:look")) as { env: string | null }).env;

  test("a change is seen by the next call of every kind, and survives a restart", async () => {
    let changes = 0;
    harness.functions.deploy.onChange(() => changes++);
    await set("GREETING", "good evening");
    expect(changes).toBe(1);
    expect(await greeting()).toBe("good evening");
    expect(await harness.action("actions:everything", { text: "x" })).toMatchObject({ env: "good evening" });
    expect(await harness.action("machine:hash", { text: "" })).toMatchObject({ env: "good evening" });
    harness = await harness.reopen();
    expect(await greeting()).toBe("good evening");
    await set("GREETING", null);
    expect(await greeting()).toBeNull();
    expect(harness.functions.deploy.env.get("GREETING")).toBeNull();
  });

  test.each([
    ["1ST", "x", "invalid"],
    ["WITH-DASH", "x", "invalid"],
    ["N".repeat(41), "x", "40 characters at most"],
    ["BIG", "x".repeat(8 * 1024 + 1), "larger than 8192 bytes"],
    ["CONVEX_SITE_URL", "x", "cannot be changed"],
  ])("%s is refused", async (name, value, text) => {
    await expect(set(name, value)).rejects.toThrow(text);
    expect(harness.functions.deploy.env.get(name)).toBeNull();
  });

  test("several changes are one: a wrong one stops all", async () => {
    const changes = [
      { name: "GOOD", value: "1" },
      { name: "not good", value: "2" },
    ];
    await expect(harness.functions.deploy.env.update(changes)).rejects.toThrow("not good");
    expect(harness.functions.deploy.env.get("GOOD")).toBeNull();
  });

  test("a push that began before a change has to be repeated", async () => {
    const { deploy } = harness.functions;
    const startPush = await deploy.startPush(push(() => undefined));
    await set("LATER", "1");
    await expect(deploy.finishPush({ startPush, dryRun: false })).rejects.toMatchObject({
      code: "RaceDetected",
    });
    expect(await harness.query("notes:secret", {}, ADMIN)).toBe("for functions only");
  });
});
