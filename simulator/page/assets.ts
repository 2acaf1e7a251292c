import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Reply } from "../http";

const FILES: Readonly<Record<string, { file: URL; type: string }>> = {
  "/": { file: new URL("./index.html", import.meta.url), type: "text/html; charset=utf-8" },
  "/dialog.css": { file: new URL("../login/dialog.css", import.meta.url), type: "text/css; charset=utf-8" },
  "/page.css": { file: new URL("./styles/page.css", import.meta.url), type: "text/css; charset=utf-8" },
  "/client.js": { file: new URL("./client.ts", import.meta.url), type: "text/javascript; charset=utf-8" },
};

/** Scripts and styles come from here alone, so that text of a customer could not run even if it reached the page as HTML. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

/** A file of the page, or null when the path is none. Its script and its style are put together on the way. */
export async function pageAsset(urlPath: string): Promise<Reply | null> {
  const asset = Object.hasOwn(FILES, urlPath) ? FILES[urlPath] : undefined;
  if (asset === undefined) return null;
  const path = fileURLToPath(asset.file);
  const body = /\.(ts|css)$/.test(path) ? await bundle(path) : await readFile(path, "utf8");
  return { status: 200, headers: { ...HEADERS, "content-type": asset.type }, body };
}

async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  return outputFiles[0]?.text ?? "";
}
