import { createHash } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startChild } from "../../local/process";
import { freePorts, killEngine, startEngineProcess, tempDir } from "../support/engine-process";
import { runScript } from "../support/run-command";

/** A failure that a person can mend: one sentence, exit code 1, no stack. */
function expectOneSentence(result: { ok: boolean; lines: string[] }, sentence: RegExp): void {
  const said = result.lines.filter(
    (line) => line.trim() !== "" && !/ExperimentalWarning|--trace-warnings/.test(line),
  );
  expect(said.length, said.join("\n")).toBe(1);
  expect(said[0]).toMatch(sentence);
  expect(result.ok).toBe(false);
}

describe("a port that is taken ends the command with one sentence:", () => {
  const holder = net.createServer();
  let taken: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const address = holder.address();
    taken = String(address && typeof address === "object" ? address.port : 0);
  });
  afterAll(() => new Promise((resolve) => holder.close(resolve)));

  test("engine", async () => {
    const dataDir = tempDir("taken");
    onTestFinished(() => fs.rmSync(dataDir, { recursive: true, force: true }));
    const { sitePort } = await freePorts();
    const args = ["--port", taken, "--site-port", String(sitePort), "--data", dataDir, "--admin-key", "k"];
    expectOneSentence(await runScript("engine/main.ts", args), new RegExp(`${taken}.*(taken|use)`));
  });

  test("simulator", async () => {
    expectOneSentence(
      await runScript("simulator/main.ts", ["--port", taken]),
      new RegExp(`${taken}.*(taken|use)`),
    );
  });

  test("dev", async () => {
    const { port, sitePort } = await freePorts();
    const env = {
      PORT: taken,
      CONVEX_PORT: String(port),
      CONVEX_SITE_PORT: String(sitePort),
      PONS_DATA_DIR: tempDir("dev"),
    };
    expectOneSentence(
      await runScript("local/start.ts", [], { ...env, PONS_DEMO: "1" }),
      new RegExp(`Port ${taken} is taken.*PORT`),
    );
  });
});

test("a broken value ends the command with one sentence that names it", async () => {
  expectOneSentence(
    await runScript("local/dev.ts", [], { CONVEX_PORT: "many" }),
    /^CONVEX_PORT has a value that cannot be used/,
  );
});

test("an unknown command of npm run pons says which there are", async () => {
  const { ok, lines } = await runScript("local/pons.ts", ["accounts", "explode"]);
  expect(ok).toBe(false);
  expect(lines[0]).toBe('There is no command "accounts explode".');
  expect(lines.join("\n")).toContain("keys create");
});

describe("the engine's data directory", () => {
  test("belongs to one process: a second one ends with a sentence, the first goes on", async () => {
    const dataDir = tempDir("lock");
    onTestFinished(() => fs.rmSync(dataDir, { recursive: true, force: true }));
    const first = await startEngineProcess(dataDir, await freePorts());
    onTestFinished(() => first.child.stop());
    const { port, sitePort } = await freePorts();
    const args = [
      "--port",
      String(port),
      "--site-port",
      String(sitePort),
      "--data",
      dataDir,
      "--admin-key",
      "k",
    ];
    expectOneSentence(await runScript("engine/main.ts", args), new RegExp(`${first.child.pid}`));
    expect((await fetch(`${first.url}/version`)).status).toBe(200);
  });

  test("of a killed process is taken over", async () => {
    const dataDir = tempDir("lock");
    onTestFinished(() => fs.rmSync(dataDir, { recursive: true, force: true }));
    const ports = await freePorts();
    await killEngine(await startEngineProcess(dataDir, ports));
    const second = await startEngineProcess(dataDir, ports);
    expect((await fetch(`${second.url}/version`)).status).toBe(200);
    await second.child.stop();
  });

  test("with a corrupt database file ends the command with a sentence, and the file stays as it is", async () => {
    const dataDir = tempDir("corrupt");
    onTestFinished(() => fs.rmSync(dataDir, { recursive: true, force: true }));
    const ports = await freePorts();
    await (await startEngineProcess(dataDir, ports)).child.stop();
    const name = fs.readdirSync(dataDir).find((file) => /\.(db|sqlite3?)$/.test(file)) ?? "";
    const file = path.join(dataDir, name);
    fs.writeFileSync(file, "this is not a database, but it may be somebody's last copy of one");
    const before = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
    const args = [
      "--port",
      String(ports.port),
      "--site-port",
      String(ports.sitePort),
      "--data",
      dataDir,
      "--admin-key",
      "k",
    ];
    expectOneSentence(await runScript("engine/main.ts", args), /database/i);
    expect(createHash("sha256").update(fs.readFileSync(file)).digest("hex")).toBe(before);
  });

  test("is released when npm is told to stop: the signal reaches the engine behind `npm run`", async () => {
    const dataDir = tempDir("npm");
    onTestFinished(() => fs.rmSync(dataDir, { recursive: true, force: true }));
    const { port, sitePort } = await freePorts();
    const flags = [
      "--port",
      String(port),
      "--site-port",
      String(sitePort),
      "--data",
      dataDir,
      "--admin-key",
      "k",
    ];
    const npm = startChild({
      name: "npm run engine",
      command: "npm",
      args: ["run", "engine", "--", ...flags],
      env: process.env,
      onLine: () => undefined,
    });
    await npm.line(/^ready /);
    await npm.stop();
    await expect(fetch(`http://127.0.0.1:${port}/version`)).rejects.toThrow();
    await (await startEngineProcess(dataDir, { port, sitePort })).child.stop();
  });

  test("SIGTERM ends the engine cleanly: exit code 0, and nothing is locked", async () => {
    const dataDir = tempDir("term");
    onTestFinished(() => fs.rmSync(dataDir, { recursive: true, force: true }));
    const ports = await freePorts();
    const engine = await startEngineProcess(dataDir, ports);
    await engine.child.stop();
    expect(await engine.child.ended).toMatchObject({ ok: true });
    await (await startEngineProcess(dataDir, ports)).child.stop();
  });
});
