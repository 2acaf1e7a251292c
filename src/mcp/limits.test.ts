import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type InProcess, startInProcess } from "../../tests/support/in-process";
import { mcpRequest } from "../../tests/support/mcp-request";

let product: InProcess;
let answerMcp: typeof import("./endpoint").answerMcp;
let drainAudit: typeof import("./audit").drainAudit;
let accountId: Awaited<ReturnType<InProcess["addBusiness"]>>["id"];

beforeEach(async () => {
  product = await startInProcess();
  ({ answerMcp } = await import("./endpoint"));
  ({ drainAudit } = await import("./audit"));
  accountId = (await product.addBusiness()).id;
});
afterEach(async () => {
  await drainAudit();
  await product.stop();
});

async function call(key: string, method: string, params: object = {}): Promise<Response> {
  return await answerMcp(mcpRequest(key, method, params));
}

const callTool = async (key: string, name: string, args: object = {}) =>
  await call(key, "tools/call", { name, arguments: args });

describe("the requests of a key in a minute", () => {
  // A bucket fills up all the time, so on a machine that is slow enough one more request would be allowed.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("end with a 429 that says when to come back, whatever the request is", async () => {
    const { key } = await product.createKey(accountId, ["read"], { rpm: 3 });
    for (let i = 0; i < 3; i++) expect((await call(key, "tools/list")).status).toBe(200);
    for (const method of ["tools/list", "ping", "no/such/method"]) {
      const response = await call(key, method);
      expect(response.status).toBe(429);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(Number(response.headers.get("retry-after"))).toBeLessThanOrEqual(20);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect((await response.json()).error).toMatchObject({ code: "rate_limited", retryable: true });
    }
  });

  it("are counted exactly, also when they come at the same moment", async () => {
    const { key } = await product.createKey(accountId, ["read"], { rpm: 50 });
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async () => (await call(key, "ping")).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });

  it("come back one by one as the minute passes", async () => {
    const { key } = await product.createKey(accountId, ["read"], { rpm: 2 });
    const statusAfter = async (ms: number) => {
      vi.setSystemTime(Date.now() + ms);
      return (await call(key, "ping")).status;
    };
    const statuses = [];
    for (const ms of [0, 0, 0, 29_999, 1, 0, 30_000, 0]) statuses.push(await statusAfter(ms));
    expect(statuses).toEqual([200, 200, 429, 429, 200, 429, 200, 429]);
  });

  it("do not count against another key", async () => {
    const [busy, quiet] = [
      await product.createKey(accountId, ["read"], { rpm: 1 }),
      await product.createKey(accountId, ["read"], { rpm: 1 }),
    ];
    expect((await call(busy.key, "ping")).status).toBe(200);
    expect((await call(busy.key, "ping")).status).toBe(429);
    expect((await call(quiet.key, "ping")).status).toBe(200);
  });

  it("cost the backend one transaction for several, and none once it said no", async () => {
    const { key } = await product.createKey(accountId, ["read"], { rpm: 100 });
    for (let i = 0; i < 10; i++) await call(key, "ping");
    const taken = () => product.backend.calls.filter((path) => path === "mcpCalls:take").length;
    expect(taken()).toBe(2);
    const slow = await product.createKey(accountId, ["read"], { rpm: 1 });
    for (let i = 0; i < 5; i++) await call(slow.key, "ping");
    expect(taken()).toBe(4);
  });
});

describe("the audit log", () => {
  const lines = async () => {
    await drainAudit();
    const rows = await product.backend.t.run(async (ctx) => await ctx.db.query("auditLog").collect());
    return rows.filter(({ action }) => action === "mcp.call");
  };

  it("has a line for every call of a tool, however it ended, and none of what was said", async () => {
    const { key, id } = await product.createKey(accountId, ["read", "send"]);
    await callTool(key, "list_conversations");
    await callTool(key, "get_conversation", { contact: "+16505559999" });
    await callTool(key, "send_text", { contact: "+16505551234" });
    await callTool(key, "no_such_tool", { contact: "secret" });
    await callTool(key, "list_conversations", { cursor: "made-up" });
    const rows = await lines();
    expect(rows.map(({ tool, outcome, reason }) => [tool, outcome, reason])).toEqual([
      ["list_conversations", "ok", undefined],
      ["get_conversation", "refused", "not_found"],
      ["send_text", "invalid_arguments", undefined],
      ["no_such_tool", "unknown_tool", undefined],
      ["list_conversations", "error", undefined],
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({
        accountId,
        principal: `key:${id}`,
        ms: expect.any(Number),
        argumentHash: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
    }
    expect(JSON.stringify(rows)).not.toMatch(/6505551234|6505559999|secret/);
  });

  it("shows equal calls as equal", async () => {
    const { key } = await product.createKey(accountId, ["read"]);
    await callTool(key, "get_conversation", { contact: "+16505559999", limit: 5 });
    await callTool(key, "get_conversation", { limit: 5, contact: "+16505559999" });
    await callTool(key, "get_conversation", { contact: "+16505559998", limit: 5 });
    const [first, second, third] = (await lines()).map(({ argumentHash }) => argumentHash);
    expect(first).toBe(second);
    expect(first).not.toBe(third);
  });
});
