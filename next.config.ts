import { createMDX } from "fumadocs-mdx/next";
import type { NextConfig } from "next";

/**
 * Rules that hold for every answer. Scripts: Next's own bootstrap is inline, and a nonce would make every static
 * page dynamic; `eval` is needed by `next dev` alone. Connections are open to any http(s) and WebSocket address,
 * because the backend's address is known when the app runs and these headers are fixed when it is built.
 */
const isDev = process.env["NODE_ENV"] === "development";
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  `script-src 'self' 'unsafe-inline'${isDev ? " 'unsafe-eval'" : ""}`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob: http: https:",
  "media-src 'self' blob: http: https:",
  "connect-src 'self' http: https: ws: wss:",
  "font-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS = [
  { key: "Content-Security-Policy", value: CONTENT_SECURITY_POLICY },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "no-referrer" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(self)" },
];

const config: NextConfig = {
  agentRules: false,
  poweredByHeader: false,
  // Clients that are given `/api/mcp/` would have to follow a redirect of a POST, which some do not.
  skipTrailingSlashRedirect: true,
  // `next dev` prints every address it serves; these carry the verify token and the setup token.
  logging: { incomingRequests: { ignore: [/\/api\/webhook/, /\/login/] } },
  turbopack: { root: import.meta.dirname },
  // Customers' files bring stricter rules of their own (src/server/media.ts).
  headers: async () => [{ source: "/((?!api/media/).*)", headers: SECURITY_HEADERS }],
};

/**
 * When `next dev` ends, it starts a process of its own that loads this file once more. The documentation plugin
 * would open a file watcher there, and that process would never end.
 */
const isDetachedFlush = process.argv[1]?.includes("detached-flush") ?? false;

export default isDetachedFlush ? config : createMDX()(config);
