import fs from "node:fs";
import { systemClock } from "../../engine/clock";
import { type Engine, startEngine } from "../../engine/engine";
import type { EngineOptions } from "../../engine/types";
import { ADMIN_KEY, convexCli, copyApp, tempDir } from "./engine-process";

/** An engine inside the test's process, on free ports, with a data directory of its own. */
export type LiveEngine = Engine & {
  adminKey: string;
  dataDir: string;
  /** Lines that the engine logged. */
  log: string[];
  /** Closes it and starts another one on the same directory and ports. */
  restart(): Promise<LiveEngine>;
  /** Calls the API as the administrator. */
  admin(path: string, body: object): Promise<Response>;
  /** Pushes a fixture app with the official CLI. */
  deploy(fixture: string): Promise<void>;
  /** Closes it and removes its directory. */
  discard(): Promise<void>;
};

export async function startLiveEngine(overrides: Partial<EngineOptions> = {}): Promise<LiveEngine> {
  const log: string[] = [];
  const options: EngineOptions = {
    dataDir: tempDir("engine"),
    host: "127.0.0.1",
    port: 0,
    sitePort: 0,
    adminKey: ADMIN_KEY,
    redactErrors: false,
    isolation: "fresh",
    fsync: "off",
    clock: systemClock,
    log: (line) => log.push(line),
    ...overrides,
  };
  const engine = await startEngine(options);
  const discard = async () => {
    await engine.close();
    fs.rmSync(options.dataDir, { recursive: true, force: true });
  };
  return {
    ...engine,
    adminKey: options.adminKey,
    dataDir: options.dataDir,
    log,
    async restart() {
      await engine.close();
      const [port, sitePort] = [engine.cloudUrl, engine.siteUrl].map((url) => Number(new URL(url).port));
      return startLiveEngine({ ...options, port, sitePort });
    },
    admin: (path, body) =>
      fetch(`${engine.cloudUrl}${path}`, {
        method: "POST",
        headers: { authorization: `Convex ${options.adminKey}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    async deploy(fixture) {
      const app = copyApp(fixture);
      try {
        await convexCli(app, [
          "deploy",
          ...["--url", engine.cloudUrl, "--admin-key", options.adminKey],
          ...["--typecheck", "disable", "--codegen", "disable", "--yes"],
        ]);
      } finally {
        fs.rmSync(app, { recursive: true, force: true });
      }
    },
    discard,
  };
}
