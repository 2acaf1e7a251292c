import fs from "node:fs";
import path from "node:path";
import { ROOT } from "./env";
import { LocalError } from "./local-error";
import { nodeArgs, startChild } from "./process";

/** Whether there is a build to start; not whether it is of the sources as they are now. */
export const isBuilt = (): boolean => fs.existsSync(path.join(ROOT, ".next/BUILD_ID"));

/** `next build`. Nothing of the environment is baked in, so one build serves any address. */
export async function buildApp(onLine: (line: string) => void): Promise<void> {
  const child = startChild({
    name: "next build",
    command: process.execPath,
    args: nodeArgs(path.join(ROOT, "node_modules/next/dist/bin/next"), ["build"]),
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
    onLine,
  });
  const { ok, why } = await child.ended;
  if (!ok) throw new LocalError(`${why}: the app was not built.`);
}
