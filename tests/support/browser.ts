import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import * as z from "zod";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Where distributions install a browser that Playwright can drive. */
const SYSTEM_BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-headless-shell", "/usr/bin/google-chrome"];

interface BrowserFiles {
  readonly executablePath: string;
  /** Where its shared libraries are, on systems that lack them. */
  readonly libraryPath?: string;
}

/**
 * Starts a real Chromium: the one that CHROMIUM_PATH names, else one of the system, else the one that comes with
 * `npm install` (Linux x64 only). The caller closes it.
 * @throws with a sentence that says what to do where there is none
 */
export async function launchBrowser(): Promise<Browser> {
  const { executablePath, libraryPath } = await findBrowser();
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return await chromium.launch({
    executablePath,
    headless: true,
    env: { ...env, ...(libraryPath && { LD_LIBRARY_PATH: libraryPath }) },
  });
}

/** Why no browser can be started on this machine, or null when one can; for tests that say why they are skipped. */
export function missingBrowser(): string | null {
  const isNpmPlatform = process.platform === "linux" && process.arch === "x64";
  if (isNpmPlatform || ownBrowser() !== undefined) return null;
  return "Set CHROMIUM_PATH to a Chrome or Chromium: npm brings one for Linux x64 only.";
}

async function findBrowser(): Promise<BrowserFiles> {
  const own = ownBrowser();
  if (own !== undefined) return { executablePath: own };
  const missing = missingBrowser();
  if (missing !== null) throw new Error(missing);
  return await unpackBrowser();
}

function ownBrowser(): string | undefined {
  return process.env["CHROMIUM_PATH"] ?? SYSTEM_BROWSERS.find((file) => fs.existsSync(file));
}

/**
 * Unpacks the npm package's Chromium into `node_modules/.cache` once. The package's own `executablePath()` would use a
 * folder in /tmp that everybody on the machine shares, and take whatever lies there. It is unpacked beside its final
 * place and moved there in one step, so that processes that start together never see half a browser.
 */
async function unpackBrowser(): Promise<BrowserFiles> {
  const require = createRequire(import.meta.url);
  const main = require.resolve("@sparticuz/chromium");
  const packageRoot = main.slice(0, main.lastIndexOf(`${path.sep}build${path.sep}`));
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(fs.readFileSync(path.join(packageRoot, "package.json"), "utf8")));
  const folder = path.join(ROOT, "node_modules/.cache", `chromium-${version}`);
  if (!fs.existsSync(path.join(folder, "chromium")))
    await unpackInto(folder, packageRoot, createRequire(main));
  return {
    executablePath: path.join(folder, "chromium"),
    ...(!hasSystemLibraries() && { libraryPath: path.join(folder, "al2023/lib") }),
  };
}

async function unpackInto(
  folder: string,
  packageRoot: string,
  requireFromPackage: NodeJS.Require,
): Promise<void> {
  const { extract } = z
    .object({
      extract: z.custom<(cwd: string) => NodeJS.WritableStream>((value) => typeof value === "function"),
    })
    .parse(requireFromPackage("tar-fs"));
  const draft = `${folder}.${process.pid}`;
  fs.mkdirSync(draft, { recursive: true });
  const unpacked = (file: string) =>
    fs.createReadStream(path.join(packageRoot, "bin", file)).pipe(zlib.createBrotliDecompress());
  await Promise.all([
    pipeline(unpacked("chromium.br"), fs.createWriteStream(path.join(draft, "chromium"), { mode: 0o755 })),
    pipeline(unpacked("swiftshader.tar.br"), extract(draft)),
    pipeline(unpacked("al2023.tar.br"), extract(path.join(draft, "al2023"))),
    pipeline(unpacked("fonts.tar.br"), extract(draft)),
  ]);
  try {
    fs.renameSync(draft, folder);
  } catch (error) {
    // Another process was first; its copy is the same.
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(path.join(folder, "chromium"))) throw error;
  }
}

/** NSS is what a bare server lacks; the package brings it, built for an older glibc. */
function hasSystemLibraries(): boolean {
  return ["/usr/lib/x86_64-linux-gnu/libnss3.so", "/usr/lib64/libnss3.so"].some((file) =>
    fs.existsSync(file),
  );
}
