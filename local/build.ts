import path from "node:path";
import { ROOT } from "./env";
import { LocalError, runCommand } from "./local-error";
import { nodeArgs, startChild } from "./process";

/** `npm run build`: `next build`. Nothing of the environment is baked in, so one build serves any address. */
await runCommand(async () => {
  const child = startChild({
    name: "next build",
    command: process.execPath,
    args: nodeArgs(path.join(ROOT, "node_modules/next/dist/bin/next"), ["build"]),
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
    onLine: (line) => process.stdout.write(`${line}\n`),
  });
  const { ok, why } = await child.ended;
  if (!ok) throw new LocalError(`${why}: the app was not built.`);
});
