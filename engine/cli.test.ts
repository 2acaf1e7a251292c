import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../local/env";
import { cliEnv } from "../local/push";
import { copyApp } from "../tests/support/engine-process";
import { makeIssuer } from "../tests/support/identity";
import { type LiveEngine, startLiveEngine } from "../tests/support/live-engine";

/** A command of the CLI takes one to three seconds alone, and several times that beside other tests. */
const COMMAND_TIMEOUT_MS = 60_000;

let engine: LiveEngine;
let app: string;

beforeAll(async () => {
  engine = await startLiveEngine();
  app = copyApp("chat-app");
}, 30_000);

afterAll(async () => {
  await engine.discard();
  fs.rmSync(app, { recursive: true, force: true });
});

const runFile = promisify(execFile);

/** Runs the unmodified CLI; where the deployment is comes from flags or from the environment. */
async function convex(args: string[], where: "flags" | "environment" = "flags") {
  const flags = ["--url", engine.cloudUrl, "--admin-key", engine.adminKey];
  const environment = {
    CONVEX_SELF_HOSTED_URL: engine.cloudUrl,
    CONVEX_SELF_HOSTED_ADMIN_KEY: engine.adminKey,
  };
  const { stdout, stderr } = await runFile(
    process.execPath,
    [path.join(ROOT, "node_modules/convex/bin/main.js"), ...args, ...(where === "flags" ? flags : [])],
    { cwd: app, env: { ...cliEnv(), ...(where === "flags" ? {} : environment) } },
  );
  return { stdout, stderr };
}

const git = (...args: string[]) =>
  runFile("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], { cwd: app });

describe("the unmodified CLI", () => {
  test(
    "sets, reads, lists and removes environment variables",
    async () => {
      const { jwks } = await makeIssuer();
      await convex(["env", "set", "CHAT_JWKS", jwks]);
      await convex(["env", "set", "OTHER", "temporary value"], "environment");
      expect((await convex(["env", "get", "OTHER"])).stdout).toBe("temporary value\n");
      expect((await convex(["env", "list"])).stdout).toMatch(/^CHAT_JWKS[\s\S]*^OTHER/m);
      await convex(["env", "remove", "OTHER"], "environment");
      expect((await convex(["env", "list"])).stdout).not.toMatch(/^OTHER/m);
    },
    COMMAND_TIMEOUT_MS * 6,
  );

  test(
    "deploys, and a second time with the schema changed",
    async () => {
      const deploy = ["deploy", "--typecheck", "disable", "--codegen", "disable", "--yes"];
      await convex(deploy);
      const schema = path.join(app, "convex/schema.ts");
      const source = fs.readFileSync(schema, "utf8");
      fs.writeFileSync(
        schema,
        source.replace('["channel"],\n  ),', '["channel"],\n  ).index("by_author", ["author"]),'),
      );
      expect(fs.readFileSync(schema, "utf8")).not.toBe(source);
      await convex(deploy, "environment");
      fs.writeFileSync(schema, source);
      await convex(deploy);
    },
    COMMAND_TIMEOUT_MS * 3,
  );

  test(
    "runs public and internal functions, as somebody too",
    async () => {
      const run = async (...args: string[]) => (await convex(["run", ...args])).stdout.trim();
      expect(await run("messages:send", '{"channel": "cli", "body": "typed"}')).toMatch(
        /^"[0-9a-z]{31,34}"$/,
      );
      expect(JSON.parse(await run("messages:list", '{"channel": "cli"}'))).toEqual(["typed"]);
      expect(Number(await run("messages:total", "{}"))).toBe(1);
      expect(await run("messages:whoAmI", "{}", "--identity", '{"subject": "ann"}')).toBe('"ann"');
      await expect(run("messages:nothing", "{}")).rejects.toMatchObject({
        stderr: expect.stringMatching(/Could not find function[\s\S]*messages:.*send/),
      });
    },
    COMMAND_TIMEOUT_MS * 5,
  );

  test(
    "shows tables, rows and functions",
    async () => {
      expect((await convex(["data"])).stdout).toMatch(/^messages$/m);
      expect((await convex(["data", "messages"])).stdout).toContain('"typed"');
      const { stdout } = await convex(["function-spec"], "environment");
      const spec: { url: string; functions: { identifier?: string; functionType: string }[] } =
        JSON.parse(stdout);
      expect(spec.url).toBe(engine.cloudUrl);
      expect(spec.functions).toContainEqual(
        expect.objectContaining({
          identifier: "messages.js:total",
          functionType: "Query",
          visibility: { kind: "internal" },
        }),
      );
      expect(spec.functions).toContainEqual(
        expect.objectContaining({ functionType: "HttpAction", method: "POST", path: "/hook" }),
      );
    },
    COMMAND_TIMEOUT_MS * 3,
  );

  test(
    "generates the same code again and again",
    async () => {
      await convex(["codegen", "--typecheck", "disable"]);
      expect(fs.readFileSync(path.join(app, "convex/_generated/api.d.ts"), "utf8")).toContain("messages");
      await git("init", "-q");
      await git("add", "convex");
      await git("commit", "-qm", "generated");
      await convex(["codegen", "--typecheck", "disable"], "environment");
      expect((await git("status", "--porcelain", "convex")).stdout).toBe("");
    },
    COMMAND_TIMEOUT_MS * 2,
  );

  test(
    "pushes once with dev, and a change of the code is live afterwards",
    async () => {
      const file = path.join(app, "convex/messages.ts");
      const source = fs.readFileSync(file, "utf8");
      fs.writeFileSync(file, source.replace(/`sent .* twice`/, '"changed"'));
      await convex(["dev", "--once", "--typecheck", "disable", "--codegen", "disable"]);
      const { stdout } = await convex(["run", "messages:sendTwice", '{"channel": "dev", "body": "x"}']);
      expect(stdout.trim()).toBe('"changed"');
    },
    COMMAND_TIMEOUT_MS * 2,
  );

  test(
    "is told why a push fails, and the code from before stays",
    async () => {
      const file = path.join(app, "convex/auth.config.ts");
      const source = fs.readFileSync(file, "utf8");
      fs.writeFileSync(file, source.replace("CHAT_JWKS", "NOT_SET_ANYWHERE"));
      const pushed = convex(["deploy", "--typecheck", "disable", "--codegen", "disable", "--yes"]);
      await expect(pushed).rejects.toMatchObject({ stderr: expect.stringContaining("NOT_SET_ANYWHERE") });
      fs.writeFileSync(file, source);
      expect((await convex(["run", "messages:list", '{"channel": "cli"}'])).stdout).toContain("typed");
    },
    COMMAND_TIMEOUT_MS * 2,
  );

  test(
    "shows rows in the asked order, number and format, system tables too",
    async () => {
      const lines = async (...args: string[]) =>
        (await convex(["data", "messages", ...args])).stdout.trim().split("\n");
      const newest = await lines("--format", "jsonLines", "--limit", "1");
      const oldest = await lines("--format", "jsonLines", "--limit", "1", "--order", "asc");
      expect([newest.length, oldest.length]).toEqual([1, 1]);
      expect(newest[0]).toContain('"channel": "dev"');
      expect(oldest[0]).toContain('"channel": "cli"');
      expect((await lines("--format", "jsonArray")).at(0)).toBe("[");
      expect((await convex(["data", "_scheduled_functions"])).stderr).toContain("no documents in this table");
    },
    COMMAND_TIMEOUT_MS * 4,
  );

  test(
    "is told of limits on environment variables, and nothing is changed",
    async () => {
      const set = (name: string, value: string) => convex(["env", "set", name, value]);
      await expect(set("N".repeat(41), "x")).rejects.toMatchObject({
        stderr: expect.stringContaining("40 characters at most"),
      });
      await expect(set("LARGE", "x".repeat(8 * 1024 + 1))).rejects.toMatchObject({
        stderr: expect.stringContaining("larger than 8192 bytes"),
      });
      await expect(set("CONVEX_CLOUD_URL", "x")).rejects.toMatchObject({ code: 1 });
      const { stdout } = await convex(["env", "list"]);
      expect(stdout).not.toMatch(/LARGE|^N{41}/m);
    },
    COMMAND_TIMEOUT_MS * 4,
  );

  test(
    "tries a push without making it, and pushes before it runs a function",
    async () => {
      const file = path.join(app, "convex/messages.ts");
      const source = fs.readFileSync(file, "utf8");
      fs.writeFileSync(
        file,
        source.replace(/return rows\.map\(\(row\) => row\.body\);/, 'return ["pushed"];'),
      );
      expect(fs.readFileSync(file, "utf8")).not.toBe(source);
      const push = ["--typecheck", "disable", "--codegen", "disable"];
      const list = ["run", "messages:list", '{"channel": "cli"}'];
      await convex(["deploy", ...push, "--yes", "--dry-run"]);
      expect(JSON.parse((await convex(list)).stdout)).toEqual(["typed"]);
      expect(JSON.parse((await convex([...list, "--push", ...push])).stdout)).toEqual(["pushed"]);
      fs.writeFileSync(file, source);
      await convex(["deploy", ...push, "--yes"]);
    },
    COMMAND_TIMEOUT_MS * 4,
  );

  test(
    "ends with a clear sentence and a failure where the admin key is wrong",
    async () => {
      const wrong = ["--url", engine.cloudUrl, "--admin-key", "wrong"];
      for (const command of [
        ["run", "messages:total", "{}"],
        ["logs", "--history", "1"],
        ["export", "--path", path.join(app, "never.zip")],
        ["env", "set", "A", "b"],
      ]) {
        const { code, stderr } = await runFile(
          process.execPath,
          [path.join(ROOT, "node_modules/convex/bin/main.js"), ...command, ...wrong],
          { cwd: app, env: cliEnv() },
        ).then(
          () => ({ code: 0, stderr: "" }),
          (error: { code: number; stderr: string }) => error,
        );
        expect([command[0], code]).toEqual([command[0], 1]);
        expect(stderr).toContain("The provided admin key was invalid for this instance");
      }
    },
    COMMAND_TIMEOUT_MS * 4,
  );

  test("is turned away with a wrong admin key", async () => {
    const response = await fetch(`${engine.cloudUrl}/api/deploy2/start_push`, {
      method: "POST",
      headers: { authorization: "Convex wrong" },
      body: "{}",
    });
    expect([response.status, await response.json()]).toMatchObject([403, { code: "BadDeployKey" }]);
  });
});
