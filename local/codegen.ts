import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { setVariables } from "./backend";
import { ROOT } from "./env";
import { LocalError, runCommand } from "./local-error";
import { freePort } from "./ports";
import { nodeArgs, startChild } from "./process";
import { cliEnv } from "./push";

const GENERATED = path.join(ROOT, "convex/_generated");

/**
 * `npm run codegen`: writes `convex/_generated` with the official CLI against a throw-away engine.
 * With `--check` it fails when that changes anything, which is what `npm run generated` asks.
 */
await runCommand(async () => {
  const { values } = parseArgs({ options: { check: { type: "boolean" } } });
  const before = values.check ? snapshot() : null;
  await withEngine(async (url, adminKey) => {
    // auth.config.ts is evaluated by the push that codegen makes; any values of the right shape will do.
    await setVariables(
      { url, adminKey },
      { SITE_URL: "http://localhost:3000", CONVEX_IDENTITY_JWKS: '{"keys":[]}' },
    );
    const child = startChild({
      name: "convex codegen",
      command: process.execPath,
      args: nodeArgs(path.join(ROOT, "node_modules/convex/bin/main.js"), [
        "codegen",
        "--url",
        url,
        "--admin-key",
        adminKey,
        "--typecheck",
        "disable",
      ]),
      env: cliEnv(),
      onLine: (line) => process.stdout.write(`${line}\n`),
    });
    const { ok, why } = await child.ended;
    if (!ok) throw new LocalError(`${why}: convex/_generated was not written.`);
  });
  if (before !== null && before !== snapshot()) {
    throw new LocalError("convex/_generated was out of date and has been written anew: commit it.");
  }
});

function snapshot(): string {
  return fs
    .readdirSync(GENERATED, { recursive: true, encoding: "utf8" })
    .filter((file) => fs.statSync(path.join(GENERATED, file)).isFile())
    .sort()
    .map((file) => `${file}\n${fs.readFileSync(path.join(GENERATED, file), "utf8")}`)
    .join("\n");
}

async function withEngine(use: (url: string, adminKey: string) => Promise<void>): Promise<void> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "pons-codegen-"));
  const [port, sitePort] = [await freePort(), await freePort()];
  const adminKey = "codegen";
  const engine = startChild({
    name: "engine",
    command: process.execPath,
    args: nodeArgs("engine/main.ts", [
      ...["--port", String(port), "--site-port", String(sitePort)],
      ...["--data", dataDir, "--admin-key", adminKey],
    ]),
    env: process.env,
    onLine: () => undefined,
  });
  try {
    await engine.line(/^ready /);
    await use(`http://127.0.0.1:${port}`, adminKey);
  } finally {
    await engine.stop();
    fs.rmSync(dataDir, { recursive: true, force: true });
  }
}
