import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { internal } from "../../convex/_generated/api";
import { type InProcess, SITE_URL, startInProcess } from "../../tests/support/in-process";
import { listedTool } from "../../tests/support/listed-tool";
import { TOOLS } from "./tools";

let product: InProcess;
let answerMcp: typeof import("./endpoint").answerMcp;
let key: string;
let apiKeyId: string;
let accountId: Awaited<ReturnType<InProcess["addBusiness"]>>["id"];

beforeEach(async () => {
  product = await startInProcess();
  ({ answerMcp } = await import("./endpoint"));
  accountId = (await product.addBusiness()).id;
  ({ key, id: apiKeyId } = await product.createKey(accountId, ["read", "send"]));
});
afterEach(async () => {
  await (await import("./audit")).drainAudit();
  await product.stop();
});

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

const LIST_TOOLS = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };

async function send(options: {
  method?: string;
  headers?: Record<string, string>;
  body?: string | ArrayBuffer | object;
  query?: string;
}): Promise<Response> {
  const { method = "POST", headers = { authorization: `Bearer ${key}` }, body = LIST_TOOLS } = options;
  const raw = typeof body === "string" || body instanceof ArrayBuffer ? body : JSON.stringify(body);
  return await answerMcp(
    new Request(`${SITE_URL}/api/mcp${options.query ?? ""}`, {
      method,
      headers: {
        host: "localhost:3000",
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      ...(method === "POST" && { body: raw }),
    }),
  );
}

describe("the credential", () => {
  it("is taken as a bearer token and as X-API-Key", async () => {
    expect((await send({})).status).toBe(200);
    expect((await send({ headers: { "x-api-key": key } })).status).toBe(200);
    expect((await send({ headers: { authorization: `bearer  ${key}` } })).status).toBe(200);
  });

  it("gets one and the same 401 whatever is wrong with it, with the way to a right one", async () => {
    const revoked = await product.createKey(accountId, ["read"]);
    await product.backend.t.mutation(internal.keysAdmin.revoke, { apiKeyId: revoked.id });
    const flipped = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const wrong: Record<string, string>[] = [
      {},
      { authorization: "" },
      { authorization: `Basic ${key}` },
      { authorization: `Bearer ${flipped}` },
      { authorization: "Bearer pons_live_0000000000000000000000000000000000000" },
      { authorization: `Bearer ${revoked.key}` },
      { authorization: "Bearer eyJhbGciOiJub25lIn0.e30." },
      { "x-api-key": flipped },
    ];
    const answers = await Promise.all(wrong.map(async (headers) => await send({ headers })));
    const bodies = await Promise.all(answers.map(async (answer) => await answer.text()));
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe(
        `Bearer resource_metadata="${SITE_URL}/api/auth/.well-known/oauth-protected-resource", scope="read write send"`,
      );
    }
    expect(new Set(bodies).size).toBe(1);
  });

  it("is not looked up when its checksum is wrong", async () => {
    await send({ headers: { authorization: `Bearer ${key.slice(0, -1)}~` } });
    await send({ headers: { authorization: `Bearer ${key.slice(0, -2)}${key.at(-1)}${key.at(-2)}x` } });
    expect(product.backend.calls).toEqual([]);
  });

  it("works under an older pepper, and not after its end", async () => {
    vi.stubEnv("API_KEY_PEPPER", "k1:old-pepper");
    const old = await product.createKey(accountId, ["read"]);
    const short = await product.createKey(accountId, ["read"], { expiresAt: Date.now() + 60_000 });
    vi.stubEnv("API_KEY_PEPPER", "k2:new-pepper,k1:old-pepper");
    expect((await send({ headers: { authorization: `Bearer ${old.key}` } })).status).toBe(200);
    expect((await send({ headers: { authorization: `Bearer ${short.key}` } })).status).toBe(200);
    vi.setSystemTime(Date.now() + 61_000);
    expect((await send({ headers: { authorization: `Bearer ${short.key}` } })).status).toBe(401);
    vi.useRealTimers();
  });

  it("ends with its revocation, from the next request on", async () => {
    expect((await send({})).status).toBe(200);
    await product.backend.t.mutation(internal.keysAdmin.revoke, { apiKeyId });
    expect((await send({})).status).toBe(401);
  });

  it("is not refused but asked for later while the backend is away", async () => {
    await product.backend.stop();
    const response = await send({});
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    await product.backend.resume();
  });
});

describe("the address that a request came for", () => {
  it("must be the site or the own machine", async () => {
    for (const host of ["localhost:3000", "127.0.0.1:9999", "[::1]:3000"]) {
      expect((await send({ headers: { host, authorization: `Bearer ${key}` } })).status, host).toBe(200);
    }
    for (const host of ["evil.example", "localhost.evil.example", "localhost:3000@evil.example", ""]) {
      expect((await send({ headers: { host, authorization: `Bearer ${key}` } })).status, host).toBe(403);
    }
  });

  it("is refused to pages of other sites, also with a right key", async () => {
    for (const origin of ["https://evil.example", "null", "http://localhost.evil.example"]) {
      const headers = { origin, authorization: `Bearer ${key}` };
      expect((await send({ headers })).status, origin).toBe(403);
      expect((await send({ method: "OPTIONS", headers: { origin } })).status, origin).toBe(403);
    }
  });

  it("answers a browser's preflight and lets its script read the answers", async () => {
    const preflight = await send({ method: "OPTIONS", headers: { origin: "http://localhost:6274" } });
    expect(preflight.status).toBe(204);
    const allowed = preflight.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
    for (const header of ["authorization", "x-api-key", "x-mcp-readonly", "mcp-method", "traceparent"]) {
      expect(allowed).toContain(header);
    }
    const refused = await send({ headers: { origin: "http://localhost:6274" } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe("*");
    expect(refused.headers.get("access-control-expose-headers")).toMatch(/WWW-Authenticate.*Retry-After/);
  });
});

describe("the body", () => {
  it("is refused above one MiB", async () => {
    const response = await send({
      body: JSON.stringify({ ...LIST_TOOLS, params: { x: "x".repeat(1024 * 1024) } }),
    });
    expect(response.status).toBe(413);
  });

  it("must be one JSON-RPC message", async () => {
    const answers = {
      batch: await send({ body: [LIST_TOOLS, LIST_TOOLS] }),
      text: await send({ body: "not json" }),
      empty: await send({ body: "" }),
      number: await send({ body: "5" }),
      null: await send({ body: "null" }),
      nested: await send({ body: `${"[".repeat(100_000)}` }),
      strange: await send({ body: { hello: "world" } }),
      notUtf8: await send({ body: Uint8Array.of(0x22, 0xff, 0x22).buffer }),
    };
    for (const [name, response] of Object.entries(answers)) {
      expect(response.status, name).toBe(400);
      expect((await response.json()).error.code, name).toBeLessThan(-32_000);
    }
  });

  it("survives nesting that is deeper than any stack", async () => {
    const deep = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_text","arguments":{"contact":${"[".repeat(200_000)}${"]".repeat(200_000)}}}}`;
    const response = await send({ body: deep });
    expect([200, 400]).toContain(response.status);
    expect((await send({})).status).toBe(200);
  });

  it("must be declared as JSON", async () => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "text/plain" };
    expect((await send({ headers })).status).toBe(415);
  });
});

describe("the protocol", () => {
  it("has no streams and sessions to get or delete", async () => {
    for (const method of ["GET", "HEAD", "DELETE"]) {
      const response = await send({ method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
      expect((await send({ method, headers: {} })).status).toBe(401);
    }
  });

  it("answers a 2025 client as JSON, also one that asks for nothing else", async () => {
    for (const accept of ["application/json", "*/*", "application/json, text/event-stream"]) {
      const response = await send({ body: INITIALIZE, headers: { authorization: `Bearer ${key}`, accept } });
      expect(response.status, accept).toBe(200);
      expect((await response.json()).result).toMatchObject({
        protocolVersion: "2025-11-25",
        serverInfo: { name: "pons" },
      });
    }
  });

  it("tells who answers, with a page and pictures for people", async () => {
    const { result } = await (await send({ body: INITIALIZE })).json();
    expect(result.serverInfo).toMatchObject({ title: "Pons", websiteUrl: SITE_URL });
    for (const { src } of result.serverInfo.icons) {
      expect(src).toMatch(new RegExp(`^${SITE_URL}/[a-z-]+\\.(svg|png)$`));
    }
    expect(result.instructions.length).toBeLessThanOrEqual(512);
  });

  it("takes a notification without an answer", async () => {
    const body = { jsonrpc: "2.0", method: "notifications/initialized" };
    expect((await send({ body })).status).toBe(202);
  });

  it("names the revisions that it speaks to a client of an unknown one", async () => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2031-01-01",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const response = await send({
      body: { ...LIST_TOOLS, params: { _meta } },
      headers: {
        authorization: `Bearer ${key}`,
        "mcp-protocol-version": "2031-01-01",
        "mcp-method": "tools/list",
      },
    });
    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({
      code: -32_022,
      data: { supported: ["2026-07-28"] },
    });
  });
});

describe("the tools of a connection", () => {
  const listed = async (query: string, headers: Record<string, string> = {}) => {
    const response = await send({ query, headers: { authorization: `Bearer ${key}`, ...headers } });
    const { result } = await response.json();
    return result.tools as { name: string; inputSchema: { properties: object } }[];
  };
  const names = async (query: string, headers?: Record<string, string>) =>
    (await listed(query, headers)).map(({ name }) => name);

  it("are those of the registry in its order, the same text each time, however the scopes were written", async () => {
    const textFor = async (scopes: string[]) => {
      const made = await product.createKey(accountId, scopes);
      return await (await send({ headers: { authorization: `Bearer ${made.key}` } })).text();
    };
    const first = await textFor(["read", "write", "send"]);
    expect(await textFor(["send", "read", "write"])).toBe(first);
    const { tools } = JSON.parse(first).result;
    expect(tools).toEqual(TOOLS.map((tool) => listedTool(tool, { pinned: true })));
  });

  it("can be narrowed by its address and by a header", async () => {
    expect(await names("")).toContain("send_text");
    expect(await names("?read_only=true")).not.toContain("send_text");
    expect(await names("", { "x-mcp-readonly": "true" })).not.toContain("send_text");
    expect(await names("?tools=send_text")).toEqual(["send_text"]);
  });

  it("that it gave up are refused exactly as unknown ones", async () => {
    const answerTo = async (name: string) => {
      const params = { name, arguments: { contact: "+16505551234", text: "x" } };
      const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
      const response = await send({ query: "?read_only=true", body });
      return [response.status, (await response.text()).replaceAll(name, "?")];
    };
    expect(await answerTo("send_text")).toEqual(await answerTo("no_such_tool"));
  });

  it("ask which business number only when the key may use several", async () => {
    for (const { inputSchema } of await listed("")) expect(inputSchema.properties).not.toHaveProperty("from");
    const { phoneNumber: other } = await product.addOtherBusiness();
    const both = await product.createKey(accountId, ["read"], { numbers: ["+15550783881", other] });
    const tools = await listed("", { authorization: `Bearer ${both.key}` });
    const without = tools.filter(({ inputSchema }) => !("from" in inputSchema.properties));
    // These two are about the connection and the key, not about a number.
    expect(without.map(({ name }) => name).sort()).toEqual(["get_usage", "ping"]);
    expect(tools.length).toBeGreaterThan(without.length);
  });
});
