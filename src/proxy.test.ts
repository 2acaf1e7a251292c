import { NextRequest } from "next/server";
import { describe, expect, it } from "vitest";
import { middleware, config as middlewareConfig } from "../middleware";
import { proxy, config as proxyConfig } from "./proxy";

const visit = (path: string, cookie = "") =>
  proxy(new NextRequest(`http://localhost:3000${path}`, { headers: { cookie } }));

describe("the pair of middleware.ts and src/proxy.ts", () => {
  it("is one function with one matcher, in development and in production", () => {
    expect(proxy).toBe(middleware);
    expect(proxyConfig.matcher).toEqual(middlewareConfig.matcher);
    expect(middlewareConfig.runtime).toBe("nodejs");
  });

  it("stays away from the API, assets, documentation and discovery documents", () => {
    const [pattern = ""] = proxyConfig.matcher;
    const matches = (path: string) => new RegExp(`^${pattern}$`).test(path);
    for (const path of ["/", "/login", "/dashboard", "/dashboard/a/b", "/apiary", "/docsy"]) {
      expect(matches(path), path).toBe(true);
    }
    for (const path of [
      "/api",
      "/api/mcp",
      "/api/webhook",
      "/_next/static/chunks/a.js",
      "/docs",
      "/docs/start",
      "/og/docs/start",
      "/.well-known/oauth-protected-resource",
      "/favicon.ico",
      "/emoji/en/data.json",
    ]) {
      expect(matches(path), path).toBe(false);
    }
  });

  it("sends visitors without a session cookie from the dashboard to the sign-in page, and remembers the way", () => {
    const response = visit("/dashboard/acc/con?tab=1");
    expect(response.status).toBe(307);
    const target = new URL(response.headers.get("location") ?? "");
    expect([target.pathname, target.searchParams.get("next")]).toEqual([
      "/login",
      "/dashboard/acc/con?tab=1",
    ]);
    expect(visit("/dashboard", "other=1").status).toBe(307);
  });

  it("lets everybody else through", () => {
    expect(visit("/dashboard", "pons.session_token=x").headers.get("x-middleware-next")).toBe("1");
    expect(visit("/dashboard", "__Secure-pons.session_token=x").headers.get("x-middleware-next")).toBe("1");
    expect(visit("/dashboards").headers.get("x-middleware-next")).toBe("1");
    expect(visit("/login").headers.get("x-middleware-next")).toBe("1");
  });
});
