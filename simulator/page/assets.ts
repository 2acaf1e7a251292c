import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import type { Reply } from "../http";

const FILES: Readonly<Record<string, { file: string; type: string }>> = {
  "/": { file: "index.html", type: "text/html; charset=utf-8" },
  "/page.css": { file: "page.css", type: "text/css; charset=utf-8" },
  "/client.js": { file: "client.ts", type: "text/javascript; charset=utf-8" },
  "/bubbles.js": { file: "bubbles.ts", type: "text/javascript; charset=utf-8" },
  "/log.js": { file: "log.ts", type: "text/javascript; charset=utf-8" },
};

/** Scripts and styles come from here alone, so that text of a customer could not run even if it reached the page as HTML. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

/** A file of the page, or null when the path is none. TypeScript is turned into JavaScript on the way. */
export async function pageAsset(path: string): Promise<Reply | null> {
  const asset = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (asset === undefined) return null;
  const text = await readFile(fileURLToPath(new URL(asset.file, import.meta.url)), "utf8");
  const body = asset.file.endsWith(".ts")
    ? (await transform(text, { loader: "ts", format: "esm" })).code
    : text;
  return { status: 200, headers: { ...HEADERS, "content-type": asset.type }, body };
}
