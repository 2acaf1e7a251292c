import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { FaultPoint } from "../../engine/faults";
import { ROOT } from "../../local/env";
import { nodeArgs } from "../../local/process";
import { ADMIN_KEY, type Ports } from "./engine-process";

export type FaultyEngine = {
  url: string;
  adminKey: string;
  pid: number;
  /** Milliseconds from the start of the process until it served. */
  readyMs: number;
  /** What it wrote to its log so far. */
  log(): string;
  /** From now on it ends at `point`. */
  arm(point: FaultPoint): Promise<void>;
  /** Resolves with the signal or exit code when it has ended. */
  ended: Promise<string>;
  isRunning(): boolean;
  stop(): Promise<void>;
};

type Start = {
  ports: Ports;
  dataDir: string;
  /** Bounds the database file. */
  pagesMax?: number;
  /** A command that the engine is started through, such as `setpriv`. */
  through?: string[];
};

/** Starts the engine with fault points (`faulty-engine.ts`) and waits until it serves. */
export async function startFaultyEngine({
  ports,
  dataDir,
  pagesMax,
  through = [],
}: Start): Promise<FaultyEngine> {
  const startMs = performance.now();
  const args = nodeArgs(path.join(ROOT, "tests/support/faulty-engine.ts"), [
    ...["--port", String(ports.port), "--site-port", String(ports.sitePort), "--isolation", "reuse"],
    ...["--data", dataDir, "--admin-key", ADMIN_KEY],
  ]);
  const [command = process.execPath, ...rest] = [...through, process.execPath, ...args];
  const child = spawn(command, rest, {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, ...(pagesMax !== undefined && { FAULTY_PAGES_MAX: String(pagesMax) }) },
  });
  let log = "";
  child.stderr?.on("data", (data) => {
    log += data;
  });
  const ended = once(child, "close").then(([code, signal]) => String(signal ?? code));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  await Promise.race([
    heard(child, "ready"),
    ended.then((how) => Promise.reject(new Error(`The engine ended (${how}): ${log}`))),
  ]);
  return {
    url: `http://127.0.0.1:${ports.port}`,
    adminKey: ADMIN_KEY,
    pid: child.pid ?? 0,
    readyMs: performance.now() - startMs,
    log: () => log,
    ended,
    async arm(point) {
      const armed = heard(child, "armed");
      child.send({ dieAt: point });
      await armed;
    },
    isRunning,
    async stop() {
      if (isRunning()) child.kill("SIGTERM");
      await ended;
    },
  };
}

function heard(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      if (message !== word) return;
      child.off("message", listen);
      resolve();
    };
    child.on("message", listen);
  });
}
