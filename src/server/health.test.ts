import { afterEach, beforeEach, expect, it } from "vitest";
import { type InProcess, SITE_URL, startInProcess } from "../../tests/support/in-process";

let product: InProcess;

beforeEach(async () => {
  product = await startInProcess();
});
afterEach(async () => await product.stop());

it("health tells the state of each part, keeps no copy and holds no secret", async () => {
  const { GET } = await import("@/app/api/health/route");
  const well = await GET();
  expect(well.status).toBe(200);
  expect(well.headers.get("cache-control")).toBe("no-store");
  const part = { ok: true, ms: expect.any(Number) };
  expect(await well.json()).toEqual({ status: "ok", parts: { settings: part, convex: part } });

  await product.backend.stop();
  const ill = await GET();
  expect(ill.status).toBe(503);
  expect(await ill.json()).toMatchObject({
    status: "degraded",
    parts: { settings: part, convex: { ok: false } },
  });
  await product.backend.resume();
  expect((await GET()).status).toBe(200);
});

it("the discovery document is the same at each of its addresses and names what exists", async () => {
  const routes = [
    await import("@/app/api/auth/.well-known/oauth-protected-resource/route"),
    await import("@/app/.well-known/oauth-protected-resource/route"),
    await import("@/app/.well-known/oauth-protected-resource/api/mcp/route"),
  ];
  const documents = routes.map(({ GET }) => GET());
  for (const document of documents) expect(document.headers.get("access-control-allow-origin")).toBe("*");
  const texts = await Promise.all(documents.map(async (document) => await document.text()));
  expect(new Set(texts).size).toBe(1);
  expect(JSON.parse(texts[0] ?? "")).toEqual({
    resource: `${SITE_URL}/api/mcp`,
    resource_name: "Pons",
    scopes_supported: ["read", "write", "send"],
    bearer_methods_supported: ["header"],
  });
});
