import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../local/env";
import { freePort } from "../../local/ports";
import { type Child, nodeArgs, startChild } from "../../local/process";
import { cliEnv } from "../../local/push";

/** The engine as users start it: its own process, its own data directory, real ports. */
export type EngineProcess = { url: string; siteUrl: string; adminKey: string; child: Child };

export const ADMIN_KEY = "test|admin-key";

export function tempDir(prefix: string): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), `pons-${prefix}-`));
}

export type Ports = { port: number; sitePort: number };

export const freePorts = async (): Promise<Ports> => ({ port: await freePort(), sitePort: await freePort() });

export async function startEngineProcess(
  dataDir: string,
  ports: Ports,
  flags: string[] = [],
): Promise<EngineProcess> {
  const child = startChild({
    name: "engine",
    command: process.execPath,
    args: nodeArgs("engine/main.ts", [
      ...["--port", String(ports.port), "--site-port", String(ports.sitePort)],
      ...["--data", dataDir, "--admin-key", ADMIN_KEY, ...flags],
    ]),
    env: process.env,
    onLine: () => undefined,
  });
  await child.line(/^ready /);
  return {
    url: `http://127.0.0.1:${ports.port}`,
    siteUrl: `http://127.0.0.1:${ports.sitePort}`,
    adminKey: ADMIN_KEY,
    child,
  };
}

/** Kills without warning, as a power cut would, and waits until the process is gone. */
export async function killEngine(engine: EngineProcess): Promise<void> {
  process.kill(engine.child.pid, "SIGKILL");
  await engine.child.ended;
}

/** Runs the unmodified `convex` CLI of this checkout in `appDir`; `signal` ends it early. */
export async function convexCli(
  appDir: string,
  args: string[],
  signal?: AbortSignal,
): Promise<{ stdout: string; stderr: string }> {
  return await promisify(execFile)(
    process.execPath,
    [path.join(ROOT, "node_modules/convex/bin/main.js"), ...args],
    {
      cwd: appDir,
      env: cliEnv(),
      ...(signal !== undefined && { signal }),
    },
  );
}

/** A copy of a fixture app that the CLI may write into; it borrows this checkout's packages. */
export function copyApp(fixture: string): string {
  const dir = tempDir("app");
  fs.cpSync(path.join(ROOT, "tests/fixtures", fixture), dir, { recursive: true });
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(dir, "node_modules"));
  if (!fs.existsSync(path.join(dir, "package.json"))) {
    fs.writeFileSync(
      path.join(dir, "package.json"),
      JSON.stringify({ name: "fixture", type: "module", dependencies: { convex: "*" } }),
    );
  }
  return dir;
}

export async function deploy(
  appDir: string,
  engine: Pick<EngineProcess, "url" | "adminKey">,
  signal?: AbortSignal,
): Promise<void> {
  const target = ["--url", engine.url, "--admin-key", engine.adminKey];
  const quick = ["--typecheck", "disable", "--codegen", "disable", "--yes"];
  await convexCli(appDir, ["deploy", ...target, ...quick], signal);
}
