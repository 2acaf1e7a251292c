import { LocalError, runCommand } from "./local-error";
import { startChild } from "./process";

/** In the order in which they usually fail, the quick ones first. Each is an npm script that can be run alone. */
const CHECKS = ["format:check", "lint", "boundaries", "reads", "unused", "types", "generated"];

/** `npm run check`: all that can be judged without running the product. Runs every check, then names those that failed. */
await runCommand(async () => {
  const failed: string[] = [];
  for (const name of CHECKS) {
    const startedAt = performance.now();
    const lines: string[] = [];
    const child = startChild({
      name,
      command: "npm",
      args: ["run", "--silent", name],
      env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? "1" : "0" },
      onLine: (line) => lines.push(line),
    });
    const { ok } = await child.ended;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`${ok ? "ok  " : "FAIL"} ${name.padEnd(13)} ${seconds.padStart(5)} s\n`);
    if (ok) continue;
    failed.push(name);
    process.stdout.write(`${lines.join("\n")}\n`);
  }
  if (failed.length > 0)
    throw new LocalError(`Failed: ${failed.join(", ")}. Run one alone with \`npm run ${failed[0]}\`.`);
});
