import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Id } from "../../convex/_generated/dataModel";
import { type InProcess, SITE_URL, startInProcess } from "../../tests/support/in-process";

const HEADER = "x-real-ip";

let product: InProcess;
let accountId: Id<"accounts">;
let answerMcp: typeof import("../mcp/endpoint").answerMcp;
let clientAddress: typeof import("./client-address").clientAddress;

beforeAll(async () => {
  product = await startInProcess({ TRUSTED_IP_HEADER: "X-Real-IP" });
  ({ answerMcp } = await import("../mcp/endpoint"));
  ({ clientAddress } = await import("./client-address"));
  accountId = (await product.addBusiness()).id;
});
afterAll(async () => await product.stop());

describe("the address of a caller", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    [" 2001:DB8::1 ", "2001:db8::1"],
    ["203.0.113.7, 198.51.100.2", undefined],
    ["fe80::1%eth0", undefined],
    ["unknown", undefined],
    ["203.0.113.7:443", undefined],
    ["", undefined],
  ])("is read from %j as %j", (written, address) => {
    expect(clientAddress(new Headers({ [HEADER]: written }))).toBe(address);
  });

  it("is not read from a header that nobody said to trust", async () => {
    expect(clientAddress(new Headers({ "x-forwarded-for": "203.0.113.7" }))).toBeUndefined();
    vi.resetModules();
    vi.stubEnv("TRUSTED_IP_HEADER", "");
    const { clientAddress: untrusting } = await import("./client-address");
    expect(untrusting(new Headers({ [HEADER]: "203.0.113.7" }))).toBeUndefined();
  });

  it("is noted as the last use of the key", async () => {
    const { id, key } = await product.createKey(accountId, ["read"]);
    const response = await answerMcp(
      new Request(`${SITE_URL}/api/mcp`, {
        method: "POST",
        headers: {
          host: "localhost:3000",
          "content-type": "application/json",
          accept: "application/json",
          authorization: `Bearer ${key}`,
          [HEADER]: "203.0.113.7",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
      }),
    );
    expect(response.status).toBe(200);
    const row = async () =>
      await product.backend.t.run(async (ctx) => {
        const keyId = ctx.db.normalizeId("apiKeys", id);
        return keyId === null ? null : await ctx.db.get(keyId);
      });
    await expect.poll(row).toMatchObject({ lastUsedFrom: "203.0.113.7", lastUsedAt: expect.any(Number) });
  });
});
