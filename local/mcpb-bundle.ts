import fs from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { build } from "esbuild";
import * as z from "zod";
import { writeZipFile } from "../engine/transfer/zip-writer";
import { ROOT } from "./env";

/** What every entry says about its time, so that the same sources give the same bytes. */
const ENTRY_TIME_MS = Date.UTC(2020, 0, 1);

const manifestShape = z.looseObject({ server: z.looseObject({ entry_point: z.string() }), icon: z.string() });

/**
 * Writes the MCPB bundle: the bridge to an installation as one file that runs by Node alone, with the manifest from
 * which a client learns what to ask its person for. Returns the names of what is in it.
 */
export async function packBundle(file: string): Promise<string[]> {
  const manifest = fs.readFileSync(path.join(ROOT, "mcpb/manifest.json"));
  const { server, icon } = manifestShape.parse(JSON.parse(manifest.toString()));
  const { program, licenses } = await buildProgram();
  const entries: (readonly [string, Uint8Array])[] = [
    ["manifest.json", manifest],
    [icon, fs.readFileSync(path.join(ROOT, "src/app/apple-icon.png"))],
    [server.entry_point, program],
    ["LICENSE", fs.readFileSync(path.join(ROOT, "LICENSE"))],
    ...licenses,
  ];
  await writeZipFile(file, ENTRY_TIME_MS, async (zip) => {
    for (const [name, bytes] of entries) await zip.add(name, Readable.from([bytes]));
  });
  return entries.map(([name]) => name);
}

/** The program, and the license of each package of which a part is in it. */
async function buildProgram(): Promise<{ program: Uint8Array; licenses: [string, Uint8Array][] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(ROOT, "src/mcp/stdio-remote.ts")],
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: "node",
    // A file named .js without a package.json beside it is CommonJS to every version of Node.
    format: "cjs",
    target: "node20",
    logLevel: "silent",
  });
  const [program] = outputFiles;
  if (program === undefined) throw new Error("esbuild made nothing of the bridge.");
  const packages = Object.keys(metafile.inputs).flatMap(
    (input) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [],
  );
  const licenses = [...new Set(packages)].toSorted().map((name): [string, Uint8Array] => {
    const folder = path.join(ROOT, "node_modules", name);
    const license = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (license === undefined) throw new Error(`${name} has no license file.`);
    return [`licenses/${name.replace("/", "-")}.txt`, fs.readFileSync(path.join(folder, license))];
  });
  return { program: program.contents, licenses };
}
