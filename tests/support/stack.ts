import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { loadEnv, ROOT } from "../../local/env";
import { freePort } from "../../local/ports";
import { type Stack, startStack } from "../../local/stack";
import { tempDir } from "./engine-process";

const BUILD_ID = path.join(ROOT, ".next/BUILD_ID");

/** Folders and files that end up in the built app. */
const BUILD_SOURCES = [
  "src",
  "shared",
  "content",
  "convex/_generated",
  "middleware.ts",
  "next.config.ts",
  "package-lock.json",
];

/** Builds the app unless the build that is there is newer than all that goes into it. */
export function ensureBuild(): void {
  const builtAt = fs.existsSync(BUILD_ID) ? fs.statSync(BUILD_ID).mtimeMs : 0;
  if (BUILD_SOURCES.every((source) => newestMs(path.join(ROOT, source)) < builtAt)) return;
  execFileSync("npm", ["run", "--silent", "build"], { cwd: ROOT, stdio: "pipe" });
}

function newestMs(target: string): number {
  const stat = fs.statSync(target);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...fs.readdirSync(target).map((name) => newestMs(path.join(target, name))));
}

export type TestStack = Stack & { simulatorUrl: string; dataDir: string; lines: string[] };

/** The whole product as `npm start` runs it, on free ports, with its own secrets and data directory. */
export async function startTestStack(extra: NodeJS.ProcessEnv = {}): Promise<TestStack> {
  ensureBuild();
  const dataDir = tempDir("stack");
  const [port, convexPort, sitePort, simPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const env = await loadEnv({
    generate: true,
    file: null,
    from: {
      PORT: String(port),
      CONVEX_PORT: String(convexPort),
      CONVEX_SITE_PORT: String(sitePort),
      SIM_PORT: String(simPort),
      PONS_DATA_DIR: dataDir,
      SITE_URL: `http://127.0.0.1:${port}`,
      ...extra,
    },
  });
  const lines: string[] = [];
  const stack = await startStack({
    env,
    mode: "production",
    simulator: true,
    say: () => undefined,
    log: (part, line) => lines.push(`${part} | ${line}`),
  });
  if (stack.simulatorUrl === null) throw new Error("The stack was started without its simulator");
  return {
    ...stack,
    simulatorUrl: stack.simulatorUrl,
    dataDir,
    lines,
    stop: async () => {
      await stack.stop();
      fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
