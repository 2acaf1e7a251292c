import path from "node:path";
import { buildSync } from "esbuild";

const bundles = new Map<string, string>();

/**
 * Text of a script of ours that runs elsewhere: in the context of a realm, or in a worker thread. It is bundled from
 * the sources when first needed (some 20 ms), so that there is no build step and no generated file to keep in step.
 *
 * @param entry path below `engine`
 * @param external packages that the script requires for itself where it runs, such as native ones
 */
export function bundle(entry: string, platform: "neutral" | "node", external: string[] = []): string {
  const known = bundles.get(entry);
  if (known !== undefined) return known;
  const built = buildSync({
    entryPoints: [path.join(import.meta.dirname, entry)],
    bundle: true,
    write: false,
    format: "cjs",
    platform,
    target: "node20",
    keepNames: false,
    external,
  });
  const text = built.outputFiles[0]?.text;
  if (text === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  bundles.set(entry, text);
  return text;
}
