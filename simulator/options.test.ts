import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { readOptions } from "./options";

describe("options", () => {
  test("a flag wins over its variable, an empty variable counts as none", () => {
    const env = {
      SIM_PORT: "5000",
      SIM_APP_SECRET: "a",
      SIM_VERIFY_TOKEN: "",
      SIM_SEED: "s",
      SIM_WEBHOOK_URL: "http://127.0.0.1:3000/api/webhook",
    };
    expect(readOptions(["--port", "6000", "--seed", "t"], env)).toEqual({
      options: { port: 6000, appSecret: "a", seed: "t", webhookUrl: "http://127.0.0.1:3000/api/webhook" },
    });
    expect(readOptions([], {})).toEqual({ options: {} });
  });

  test.each([
    [["--port", "x"], {}, "--port must be a number."],
    [["--port", "70000"], {}, "--port"],
    [["--port", ""], {}, "--port must be a number."],
    [[], { SIM_PORT: "x" }, "SIM_PORT must be a number."],
    [["--webhook-url", "file:///x"], {}, "--webhook-url must be an http or https address."],
    [["--sed", "1"], {}, "--sed"],
    [["extra"], {}, "extra"],
    [["--seed"], {}, "--seed"],
  ])("%j %j are refused in one sentence", (args, env, part) => {
    const read = readOptions(args, env);
    expect(read).toHaveProperty("problem", expect.stringContaining(part));
  });
});

/** Runs the command until its first line or its end. */
async function simulate(...args: string[]) {
  const child: ChildProcessWithoutNullStreams = spawn(
    process.execPath,
    ["--import", "tsx", "simulator/main.ts", ...args],
    {
      env: { PATH: process.env["PATH"] },
    },
  );
  const out = { stdout: "", stderr: "" };
  child.stderr.on("data", (chunk) => {
    out.stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk) => {
      out.stdout += chunk;
      if (out.stdout.includes("\n")) resolve();
    });
  });
  await Promise.race([ready, ended]);
  return { child, out, ended };
}

describe("the command", () => {
  test("says where it listens, serves there, and ends cleanly on SIGTERM", async () => {
    const { child, out, ended } = await simulate("--port", "0");
    const [, url] = /^ready (http:\/\/127\.0\.0\.1:\d+)\n/.exec(out.stdout) ?? [];
    expect(url).toBeDefined();
    expect((await fetch(`${url}/_sim/state`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(out.stderr).toBe("");
  });

  test("ends with one sentence when the port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const { out, ended } = await simulate("--port", port);
    expect(await ended).toBe(1);
    expect(out.stderr.trim()).toBe(
      `Port ${port} is taken: stop what uses it, or choose another with --port.`,
    );
    expect(out.stdout).toBe("");
    server.close();
  });

  test("ends with one sentence when a flag is wrong", async () => {
    const { out, ended } = await simulate("--port", "x");
    expect(await ended).toBe(1);
    expect(out.stderr.trim()).toBe("--port must be a number.");
  });
});
