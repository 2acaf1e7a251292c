import { type NextRequest, NextResponse } from "next/server";
import { SESSION_COOKIE_NAMES } from "./src/server/auth/cookie-names";

/**
 * Sends a visitor without a session cookie from the dashboard to the sign-in page. That is a courtesy, not a
 * guard: a cookie that is present proves nothing, and every page, route and Convex function checks for itself.
 */
export function middleware(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  if (!isDashboard(pathname) || hasSessionCookie(request)) return NextResponse.next();
  const login = new URL("/login", request.nextUrl);
  login.searchParams.set("next", pathname + search);
  return NextResponse.redirect(login);
}

// The matcher that Next obeys is the literal in src/proxy.ts; this one must be the same text. The runtime is named
// because Next refuses to build a root middleware for the edge beside a proxy.
export const config = {
  runtime: "nodejs",
  matcher: ["/((?!api(?:/|$)|_next(?:/|$)|docs(?:/|$)|og(?:/|$)|\\.well-known(?:/|$)|.*\\.[a-z0-9]+$).*)"],
};

const isDashboard = (pathname: string): boolean =>
  pathname === "/dashboard" || pathname.startsWith("/dashboard/");

const hasSessionCookie = (request: NextRequest): boolean =>
  SESSION_COOKIE_NAMES.some((name) => request.cookies.has(name));
