import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, openApp, START } from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
let service: Pick<App["backend"], "mutation">;

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount({});
  service = app.backend.withIdentity({ subject: "service:next", use: "service" });
});
afterEach(closeApp);

describe("the requests of a key", () => {
  it("are handed out a few at a time, and no more than the key's figure in all", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read"], rpm: 45 });
    const granted: number[] = [];
    for (;;) {
      const answer = await service.mutation(api.mcpCalls.take, { apiKeyId: id });
      if (answer.granted === 0) {
        expect(answer.retryAfterMs).toBeGreaterThan(0);
        expect(answer.retryAfterMs).toBeLessThanOrEqual(60_000 / 45 + 1);
        break;
      }
      granted.push(answer.granted);
    }
    expect(granted.reduce((sum, count) => sum + count, 0)).toBe(45);
    expect(Math.max(...granted)).toBe(2);
  });

  it("are none for a key that was revoked", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read"] });
    await app.backend.run(async (ctx) => await ctx.db.patch(id, { revokedAt: START }));
    await expect(service.mutation(api.mcpCalls.take, { apiKeyId: id })).rejects.toThrow();
  });
});

describe("the lines of answered calls", () => {
  const line = (apiKeyId: Id<"apiKeys">) => ({
    ...{ apiKeyId, tool: "list_conversations", argumentHash: "00", outcome: "ok", ms: 3, at: START },
  });

  it("stand under the account that the key was made for", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read"] });
    await service.mutation(api.mcpCalls.record, { calls: [line(id), { ...line(id), target: "m1" }] });
    const rows = (await app.rows("auditLog")).filter(({ action }) => action === "mcp.call");
    expect(rows).toMatchObject([
      {
        accountId,
        principal: `key:${id}`,
        tool: "list_conversations",
        outcome: "ok",
        argumentHash: "00",
        ms: 3,
      },
      { target: "m1" },
    ]);
  });

  it("say why a call was refused", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read"] });
    await service.mutation(api.mcpCalls.record, {
      calls: [
        { ...line(id), outcome: "not_found", target: "m1" },
        { ...line(id), outcome: "unknown_tool" },
      ],
    });
    const rows = (await app.rows("auditLog")).filter(({ action }) => action === "mcp.call");
    expect(rows.map(({ outcome, reason, target }) => [outcome, reason, target])).toEqual([
      ["refused", "not_found", "m1"],
      ["unknown_tool", undefined, undefined],
    ]);
  });

  it("are refused when they are more than one transaction should write", async () => {
    const { id } = await app.addKey(accountId, { scopes: ["read"] });
    const calls = Array.from({ length: 101 }, () => line(id));
    await expect(service.mutation(api.mcpCalls.record, { calls })).rejects.toThrow();
  });
});
