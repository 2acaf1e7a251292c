import fs from "node:fs";
import path from "node:path";
import { ROOT } from "./env";
import { LocalError, runCommand } from "./local-error";
import { nodeArgs, startChild } from "./process";

/** One tsconfig per runtime; each knows only the globals that exist where its files run. */
const PROJECTS = [
  "shared",
  "convex",
  "convex/tsconfig.node.json",
  "engine",
  "simulator",
  "local",
  ".",
  "tests",
];

/** Compilers at once: each takes a core and up to a gigabyte. */
const LANES = 2;

/** `npm run types`: every zone against its own runtime. */
await runCommand(async () => {
  // Next's route types are generated, and a fresh checkout has none yet.
  if (!fs.existsSync(path.join(ROOT, "next-env.d.ts")))
    await run("next", ["node_modules/next/dist/bin/next", "typegen"]);
  const broken: string[] = [];
  const waiting = [...PROJECTS];
  const lane = async () => {
    for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) {
      const tsc = ["node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false", "-p", project];
      if (!(await run(`tsc ${project}`, tsc))) broken.push(project);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (broken.length > 0) throw new LocalError(`Types are broken in: ${broken.join(", ")}.`);
});

async function run(name: string, [script = "", ...args]: string[]): Promise<boolean> {
  const child = startChild({
    name,
    command: process.execPath,
    args: nodeArgs(script, args),
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
    onLine: (line) => process.stdout.write(`${line}\n`),
  });
  return (await child.ended).ok;
}
