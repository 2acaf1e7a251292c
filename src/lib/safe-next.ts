/** Where people go when nothing else was asked for. */
const HOME = "/dashboard";

/**
 * The page to open after signing in. Only a path of this very site: an address that a browser could read as another
 * host (`//host`, `/\host`, a scheme, a control character that URL parsers drop) would let a link steal the visitor.
 */
export function safeNext(next: string | string[] | null | undefined): string {
  if (typeof next !== "string" || !/^\/[^/\\]/.test(next) || /[\p{Cc}\\]/u.test(next)) return HOME;
  const base = "http://localhost";
  if (!URL.canParse(next, base)) return HOME;
  const url = new URL(next, base);
  if (url.origin !== base || url.pathname === "/login") return HOME;
  return url.pathname + url.search + url.hash;
}
