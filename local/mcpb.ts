import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { ROOT } from "./env";
import { LocalError, runCommand } from "./local-error";
import { packBundle } from "./mcpb-bundle";

/** `npm run mcpb [-- FILE]`: the bundle that a desktop client installs by opening it. Prints where it is and its digest. */
await runCommand(async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [given, ...others] = positionals;
  if (others.length > 0) throw new LocalError("Give at most one file name: npm run mcpb -- FILE");
  const file = path.resolve(given ?? path.join(ROOT, `pons-${version()}.mcpb`));
  if (!fs.existsSync(path.dirname(file))) {
    throw new LocalError(`There is no folder ${path.dirname(file)}: make it first.`);
  }
  const names = await packBundle(file);
  const digest = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  process.stdout.write(`${file}\nsha256 ${digest}\n${names.map((name) => `  ${name}\n`).join("")}`);
});

function version(): string {
  const manifest: unknown = JSON.parse(fs.readFileSync(path.join(ROOT, "mcpb/manifest.json"), "utf8"));
  return z.looseObject({ version: z.string() }).parse(manifest).version;
}
