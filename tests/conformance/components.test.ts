import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import type { Value } from "convex/values";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ROOT } from "../../local/env";
import { convexCli, copyApp } from "../support/engine-process";
import { makeIssuer } from "../support/identity";
import { type JumpingClock, jumpingClock } from "../support/jumping-clock";
import { type LiveEngine, startLiveEngine } from "../support/live-engine";
import { SyncClient } from "../support/sync-client";

/**
 * Components as an app meets them: `components-app` mounts the published rate limiter, and a notebook twice, which
 * mounts a counter of its own.
 */
let engine: LiveEngine;
let clock: JumpingClock;
let app: string;
let token: string;

const where = () => ["--url", engine.cloudUrl, "--admin-key", engine.adminKey];
const deployFlags = ["--typecheck", "disable", "--codegen", "disable", "--yes"];
const deploy = (dir = app) => convexCli(dir, ["deploy", ...where(), ...deployFlags]);
const cli = async (...args: string[]) => (await convexCli(app, [...args, ...where()])).stdout.trim();

beforeAll(async () => {
  clock = jumpingClock();
  engine = await startLiveEngine({ clock });
  app = copyApp("components-app");
  const issuer = await makeIssuer();
  token = await issuer.token("ann");
  await engine.functions.deploy.env.update([
    { name: "OWNER", value: "ann" },
    { name: "SECRET", value: "of the app" },
    { name: "CHAT_JWKS", value: issuer.jwks },
  ]);
  await deploy();
});

afterAll(async () => {
  await engine.discard();
  fs.rmSync(app, { recursive: true, force: true });
});

const client = (auth?: string) => {
  const made = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  if (auth !== undefined) made.setAuth(auth);
  return made;
};
type Args = Record<string, Value>;
const query = (name: string, args: Args = {}, auth?: string) =>
  client(auth).query(makeFunctionReference<"query">(name), args);
const mutation = (name: string, args: Args = {}, auth?: string) =>
  client(auth).mutation(makeFunctionReference<"mutation">(name), args);
const action = (name: string, args: Args = {}, auth?: string) =>
  client(auth).action(makeFunctionReference<"action">(name), args);

/** Calls a function of a component, as the administrator: what `convex run --component` sends. */
async function inside(componentPath: string, name: string, args: Args = {}) {
  const response = await engine.admin("/api/function", { componentPath, path: name, args });
  const answer: { status: string; value: Value; errorMessage?: string } = await response.json();
  if (answer.status !== "success") throw new Error(answer.errorMessage);
  return answer.value;
}

/** Waits until `look` answers what is wanted; what is scheduled runs at once, but not before the answer. */
const eventually = (look: () => Promise<unknown>, wanted: unknown) =>
  expect.poll(look, { timeout: 20_000 }).toEqual(wanted);

describe("the published rate limiter", () => {
  test("lets through what its window allows, says when to come again, and keeps its word", async () => {
    // The window begins at a full minute of the engine's clock.
    clock.jump(60_000 - (clock.nowMs() % 60_000));
    const take = (key: string) => mutation("limits:take", { key });
    expect(await take("ann")).toMatchObject({ ok: true });
    expect(await take("ann")).toMatchObject({ ok: true });
    const refused = await take("ann");
    expect(refused).toMatchObject({ ok: false, retryAfter: expect.any(Number) });
    expect(refused.retryAfter).toBeGreaterThan(0);
    expect(refused.retryAfter).toBeLessThanOrEqual(60_000);
    expect(await take("ben")).toMatchObject({ ok: true });
    expect(await query("limits:check", { key: "ann" })).toBe(false);
    clock.jump(refused.retryAfter);
    expect(await take("ann")).toMatchObject({ ok: true });
  });

  test("takes the caller's transaction down with it when it throws", async () => {
    const key = "cal";
    for (let n = 0; n < 2; n++) await mutation("limits:takeOrThrow", { key });
    await expect(mutation("limits:takeOrThrow", { key })).rejects.toMatchObject({
      data: { kind: "RateLimited", name: "greet" },
    });
    const greeted = (await query("app:events")).filter((text: string) => text === "greeted cal");
    expect(greeted).toHaveLength(2);
  });

  test("spreads over shards", async () => {
    expect(await mutation("limits:takeSharded")).toMatchObject({ ok: true });
  });
});

describe("tables", () => {
  test("belong to one mount: the same definition mounted twice shares nothing, nor does the app", async () => {
    await mutation("app:addPage", { where: "notebook", title: "first" });
    await mutation("app:addPage", { where: "diary", title: "secret" });
    await mutation("app:addOwnPage", { title: "own" });
    expect(await query("app:titles", { where: "notebook" })).toContain("first");
    expect(await query("app:titles", { where: "notebook" })).not.toContain("secret");
    expect(await query("app:titles", { where: "diary" })).toContain("secret");
    expect(await query("app:titles", { where: "diary" })).not.toContain("first");
    expect(await query("app:ownTitles")).toEqual(["own"]);
  });

  test("have numbers of their own, so that v.id knows a foreign id", async () => {
    const own = await mutation("app:addOwnPage", { title: "numbered" });
    const theirs = await mutation("app:addPage", { where: "notebook", title: "numbered" });
    expect(await query("app:readAcross", { id: theirs })).toBe("numbered");
    await expect(query("app:readAcross", { id: own })).rejects.toThrow("ArgumentValidationError");
    await expect(query("app:takesOwnPage", { id: theirs })).rejects.toThrow("ArgumentValidationError");
  });

  test("obey the schema of their component", async () => {
    const patched = cli("run", "--component", "notebook", "pages:add", '{"title": 1}');
    await expect(patched).rejects.toMatchObject({
      stderr: expect.stringContaining("ArgumentValidationError"),
    });
  });

  test("cannot be paged through with paginate()", async () => {
    await expect(query("app:paginateInside")).rejects.toThrow("paginate() is only supported in the app");
  });
});

describe("a call into a component", () => {
  test("that fails takes back its own writes alone, when the caller catches it", async () => {
    expect(await mutation("app:survive", { title: "storm" })).toContain("the page tears");
    const titles = await query("app:titles", { where: "notebook" });
    expect(titles).toContain("storm kept");
    expect(titles).not.toContain("storm lost");
    expect(await query("app:events")).toEqual(expect.arrayContaining(["before storm", "after storm"]));
  });

  test("is part of the caller's transaction, also two components deep", async () => {
    const counted = () => inside("", "app:count");
    const before = await counted();
    await expect(mutation("app:failAfterwards", { title: "undone" })).rejects.toThrow("too late");
    expect(await query("app:titles", { where: "notebook" })).not.toContain("undone");
    expect(await counted()).toBe(before);
  });

  test("reaches public functions of a child, and nothing else", async () => {
    await expect(mutation("app:callInternal")).rejects.toThrow(
      'Child component "notebook" does not export "pages.clear"',
    );
    await expect(query("app:callGrandchild")).rejects.toThrow(
      'Child component "notebook" does not export "counter.counts.value"',
    );
  });

  test("does not come back into the app by name", async () => {
    await expect(inside("notebook", "callbacks:callByName")).rejects.toThrow(
      "Could not find public function for 'app:events' in component 'notebook'",
    );
  });

  test("is followed by those who subscribe to the caller", async () => {
    // Node 20 has no WebSocket of its own; this one has the same interface under another type.
    const webSocketConstructor = WebSocket as unknown as typeof globalThis.WebSocket;
    const live = new ConvexClient(engine.cloudUrl, { webSocketConstructor });
    const seen: string[][] = [];
    live.onUpdate(makeFunctionReference<"query">("app:titles"), { where: "notebook" }, (titles: string[]) =>
      seen.push(titles),
    );
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(1);
    await mutation("app:addPage", { where: "notebook", title: "watched" });
    await expect.poll(() => seen.at(-1), { timeout: 20_000 }).toContain("watched");
    await live.close();
  });

  test("is not for clients", async () => {
    const socket = await SyncClient.open(engine.cloudUrl);
    socket.send({
      type: "ModifyQuerySet",
      ...{ baseVersion: 0, newVersion: 1 },
      modifications: [
        { type: "Add", queryId: 1, udfPath: "pages:titles", args: [{}], componentPath: "notebook" },
      ],
    });
    expect((await socket.transition()).modifications).toMatchObject([
      { type: "QueryFailed", errorMessage: expect.stringContaining("Could not find public function") },
    ]);
    await socket.close();
    const response = await fetch(`${engine.cloudUrl}/api/query`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ path: "pages:titles", componentPath: "notebook", args: [{}] }),
    });
    expect([response.status, await response.json()]).toMatchObject([403, { code: "BadDeployKey" }]);
  });

  test("carries no identity, and none comes back out", async () => {
    expect(await action("app:whoIsWhere", {}, token)).toEqual({
      here: "ann",
      inAppQuery: "ann",
      inQuery: null,
      inMutation: null,
      inAction: { here: null, inOwnQuery: null, calledBack: null },
    });
    expect(await mutation("app:whoInMutation", {}, token)).toEqual({
      here: "ann",
      inside: null,
      calledBack: null,
    });
  });
});

describe("a handle", () => {
  test("lets a component call an internal function of the app from mutations and actions", async () => {
    await mutation("app:subscribe");
    expect(await mutation("app:callBack", { text: "called" })).toBe("noted called");
    expect(await action("app:callBackFromAction", { text: "acted" })).toBe("noted acted");
    expect(await query("app:events")).toEqual(expect.arrayContaining(["called", "acted"]));
  });

  test("can be scheduled by the component that holds it", async () => {
    await mutation("app:callBackLater", { text: "later" });
    await eventually(async () => (await query("app:events")).includes("later"), true);
  });

  test("is invalid while its function is gone, and means it again when that is back", async () => {
    const file = path.join(app, "convex/app.ts");
    const source = fs.readFileSync(file, "utf8");
    fs.writeFileSync(
      file,
      source
        .replace("export const note = ", "const hidden = ")
        .replace("export const subscribe", "void hidden;\nexport const subscribe"),
    );
    await deploy();
    await expect(mutation("app:callBack", { text: "nobody hears" })).rejects.toThrow(
      "is not the handle of a function of this deployment",
    );
    fs.writeFileSync(file, source);
    await deploy();
    expect(await mutation("app:callBack", { text: "heard" })).toBe("noted heard");
  });
});

describe("scheduled calls", () => {
  test("run in the component that they name, and are seen by the one that scheduled them", async () => {
    await mutation("app:scheduleInside", { title: "scheduled by the app" });
    await mutation("app:addLater", { title: "scheduled inside" });
    const titles = (place: string) => query("app:titles", { where: place });
    await eventually(
      async () => (await titles("notebook")).filter((title: string) => title.startsWith("scheduled")).sort(),
      ["scheduled by the app", "scheduled inside"],
    );
    await eventually(async () => (await titles("diary")).includes("scheduled by the app"), true);
    const seen = await query("app:scheduled");
    expect(seen.app).toEqual([
      ["pages.js:add", "success"],
      ["pages.js:add", "success"],
    ]);
    expect(seen.notebook).toContainEqual(["pages.js:add", "success"]);
  });

  test("of crons run in every mount of their component", async () => {
    const turned = async (place: string) =>
      (await query("app:titles", { where: place })).filter((title: string) => title === "turned").length;
    const before = { notebook: await turned("notebook"), diary: await turned("diary") };
    clock.jump(3_600_000);
    await eventually(() => turned("notebook"), before.notebook + 1);
    await eventually(() => turned("diary"), before.diary + 1);
  });
});

describe("process.env of a component", () => {
  test("holds what was bound to it and the two addresses, in every kind of function", async () => {
    const seen = await action("app:look");
    const notebook = {
      OWNER: "ann",
      MODE: "loud",
      CONVEX_CLOUD_URL: engine.cloudUrl,
      CONVEX_SITE_URL: `${engine.siteUrl}/notebook`,
    };
    expect(seen.query).toEqual(notebook);
    expect(seen.mutation).toEqual(notebook);
    expect(seen.action).toEqual(notebook);
    expect(seen.diary).toEqual({
      ...notebook,
      OWNER: "nobody",
      MODE: "quiet",
      CONVEX_SITE_URL: engine.siteUrl,
    });
    expect(seen.app).toMatchObject({ OWNER: "ann", SECRET: "of the app", CONVEX_SITE_URL: engine.siteUrl });
  });

  test("follows the app's variable, down to the component inside", async () => {
    const owner = (value: string) => engine.functions.deploy.env.update([{ name: "OWNER", value }]);
    await owner("eve");
    expect(await action("app:look")).toMatchObject({ query: { OWNER: "eve" }, diary: { OWNER: "nobody" } });
    expect(await inside("notebook/counter", "counts:look")).toEqual({
      UNIT: "eve",
      CONVEX_CLOUD_URL: engine.cloudUrl,
      CONVEX_SITE_URL: `${engine.siteUrl}/notebook/count`,
    });
    await owner("ann");
  });
});

describe("files", () => {
  test("belong to the component that stored them", async () => {
    const stored = await action("app:storeInside", { text: "inside" });
    expect(await (await fetch(stored.inside)).text()).toBe("inside");
    expect([stored.outside, stored.elsewhere]).toEqual([null, null]);
    const before = await query("app:files");
    expect(before).toEqual({ app: 0, notebook: expect.any(Number) });
    const uploaded = await fetch(stored.uploadUrl, { method: "POST", body: "uploaded" });
    expect(uploaded.status).toBe(200);
    expect(await query("app:files")).toEqual({ app: 0, notebook: before.notebook + 1 });
  });
});

describe("HTTP routes", () => {
  const get = (route: string) => fetch(`${engine.siteUrl}${route}`);

  test("are found under the prefix at which their component is mounted, however deep", async () => {
    expect(await (await get("/me")).text()).toBe("the app");
    expect(await (await get("/notebook/own")).text()).toBe("the app again");
    expect(await (await get("/notebook/titles")).json()).toContain("first");
    expect(await (await get("/notebook/count/where")).json()).toMatchObject({ UNIT: "ann" });
    for (const nowhere of ["/titles", "/notebook/nothing", "/diary/titles", "/count/where"]) {
      expect((await get(nowhere)).status).toBe(404);
    }
  });

  test("see the whole address, their own site and no identity", async () => {
    const response = await fetch(`${engine.siteUrl}/notebook/seen/it`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await response.json()).toEqual({
      path: "/notebook/seen/it",
      siteUrl: `${engine.siteUrl}/notebook`,
      user: null,
    });
  });
});

describe("the CLI", () => {
  test("runs functions of a component, internal ones too, and shows its tables", async () => {
    expect(JSON.parse(await cli("run", "--component", "diary", "pages:titles"))).toContain("secret");
    await inside("diary", "pages:clear");
    expect(await query("app:titles", { where: "diary" })).toEqual([]);
    expect(await cli("data", "--component", "notebook")).toMatch(/^callbacks\s+pages$/);
    expect(await cli("data", "pages", "--component", "notebook")).toContain('"first"');
    expect(await cli("data", "counts", "--component", "notebook/counter")).toContain('"pages"');
  });

  test("is told of a component that is not there", async () => {
    await expect(inside("nowhere", "pages:titles")).rejects.toThrow(
      "Could not find function for 'pages:titles'",
    );
  });

  test("writes the types of components, and they hold", async () => {
    await cli("codegen", "--typecheck", "disable");
    const generated = (file: string) => fs.readFileSync(path.join(app, file), "utf8");
    expect(generated("convex/_generated/api.d.ts")).toContain(
      '"@convex-dev/rate-limiter/_generated/component',
    );
    expect(generated("notebook/_generated/component.ts")).toMatch(/add:\s*FunctionReference<\s*"mutation"/);
    expect(generated("notebook/_generated/component.ts")).not.toContain("clear");
    fs.writeFileSync(
      path.join(app, "convex/typed.ts"),
      [
        'import { components } from "./_generated/api";',
        'import { query } from "./_generated/server";',
        "export const typed = query({",
        "  args: {},",
        "  handler: async (ctx): Promise<unknown[]> => ctx.runQuery(components.diary.pages.titles, {}),",
        "});",
        "",
      ].join("\n"),
    );
    fs.writeFileSync(
      path.join(app, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          ...{ target: "esnext", module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom"] },
          ...{ strict: true, skipLibCheck: true, noEmit: true, types: ["node"] },
        },
        include: ["convex/typed.ts"],
      }),
    );
    await promisify(execFile)(process.execPath, [
      path.join(ROOT, "node_modules/typescript/bin/tsc"),
      "-p",
      app,
    ]);
    fs.rmSync(path.join(app, "convex/typed.ts"));
  });
});

describe("a push", () => {
  const file = (name: string) => path.join(app, name);
  const config = () => fs.readFileSync(file("convex/convex.config.ts"), "utf8");

  /** Pushes with one file changed, and puts it back. */
  async function deployWith(name: string, change: (source: string) => string) {
    const source = fs.existsSync(file(name)) ? fs.readFileSync(file(name), "utf8") : null;
    fs.writeFileSync(file(name), change(source ?? ""));
    try {
      return await deploy();
    } finally {
      if (source === null) fs.rmSync(file(name));
      else fs.writeFileSync(file(name), source);
    }
  }

  test("unmounts a component but keeps what it stored, and mounts it again as it was", async () => {
    await mutation("app:addPage", { where: "diary", title: "kept" });
    const withDiary = config();
    const { stderr } = await deployWith("convex/convex.config.ts", (source) =>
      source.replace(/app\.use\(notebook, \{ name: "diary".*\n/, ""),
    );
    expect(stderr).toContain("Unmounted component diary.");
    await expect(query("app:titles", { where: "diary" })).rejects.toThrow(
      'Child component "diary" not found',
    );
    expect(await query("app:titles", { where: "notebook" })).toContain("first");
    expect(config()).toBe(withDiary);
    expect((await deploy()).stderr).toContain("Remounted component diary.");
    expect(await query("app:titles", { where: "diary" })).toContain("kept");
  });

  test("installs a new mount with tables of its own", async () => {
    const { stderr } = await deployWith("convex/convex.config.ts", (source) =>
      source.replace(
        "export default",
        'app.use(notebook, { name: "third", env: { OWNER: "x", MODE: "quiet" } });\nexport default',
      ),
    );
    expect(stderr).toContain("Installed component third.");
    expect(stderr).toContain("Installed component third/counter.");
    expect(await inside("third", "pages:titles")).not.toContain("first");
    await deploy();
  });
});

describe("after a restart", () => {
  test("everything is there: functions, tables, limits, handles, files and routes of components", async () => {
    await mutation("limits:take", { key: "restart" });
    await mutation("limits:take", { key: "restart" });
    const before = await query("app:titles", { where: "notebook" });
    engine = await engine.restart();
    expect(await mutation("limits:take", { key: "restart" })).toMatchObject({ ok: false });
    expect(await query("app:titles", { where: "notebook" })).toEqual(before);
    expect(await mutation("app:callBack", { text: "still known" })).toBe("noted still known");
    expect(await action("app:look")).toMatchObject({ query: { MODE: "loud" } });
    const response = await fetch(`${engine.siteUrl}/notebook/count/where`);
    expect(await response.json()).toMatchObject({ UNIT: "ann" });
  });
});
