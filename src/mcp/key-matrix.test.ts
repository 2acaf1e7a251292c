import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { hasScope, SCOPES, type Scope } from "#shared/scopes";
import { internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { type InProcess, inboundText, SITE_URL, startInProcess } from "../../tests/support/in-process";
import type { Tool } from "./define-tool";
import { TOOLS } from "./tools";

/** Two businesses in one deployment: the key's own, and one of which nothing may be told. */
let product: InProcess;
let own: Id<"accounts">;
let foreign: Id<"accounts">;
let door: (request: Request) => Promise<Response>;
let drainAudit: () => Promise<void>;
let ownMessage: string;
let foreignMessage: string;
let requests = 0;

const OWN_NUMBER = "+15550783881";
const FOREIGN_NUMBER = "+15550783882";
const CUSTOMER = "+16505551234";
const STRANGER = "+16505550000";

/** What each tool is called with for somebody's customer. A tool without a row here fails the first test. */
const ARGUMENTS: Record<string, (contact: string, messageId: string) => Record<string, unknown>> = {
  list_conversations: () => ({}),
  list_unanswered: () => ({}),
  get_conversation: (contact) => ({ contact }),
  get_messages: (contact) => ({ contact }),
  search_messages: (contact) => ({ query: `hello in:${contact}` }),
  get_media: (_, message_id) => ({ message_id }),
  list_templates: () => ({}),
  send_text: (contact) => ({ contact, text: unique() }),
  send_template: (contact) => ({
    contact,
    name: "hello_world",
    language: "en_US",
    client_request_id: unique(),
  }),
  send_media: (contact) => ({ contact, url: "https://files.example.com/a.png", validate_only: true }),
  send_reaction: (_, message_id) => ({ message_id, emoji: "👍", client_request_id: unique() }),
  updateConversation: (contact) => ({ contact, archived: false }),
  send_interactive: (contact) => ({ contact, body: unique(), buttons: [{ id: "y", title: "Yes" }] }),
  // Only checked: the search of convex-test cannot pass over messages without words, as Convex and the engine do.
  send_location: (contact) => ({ contact, latitude: 1, longitude: 2, validate_only: true }),
  send_contacts: (contact) => ({ contact, contacts: [{ name: "Ana" }], validate_only: true }),
  mark_as_read: (contact) => ({ contact }),
  search_contacts: (contact) => ({ query: contact }),
  get_message_status: (_, message_id) => ({ message_id }),
  list_events: () => ({}),
  handoff_to_human: (contact) => ({ contact, reason: "asked", from: FOREIGN_NUMBER }),
  get_consent: (contact) => ({ contact }),
  set_consent: (contact) => ({ contact, category: "marketing", state: "withdrawn" }),
  get_usage: () => ({}),
  ping: () => ({}),
};

/** About the key itself: they take no number and name nobody. */
const ABOUT_THE_KEY = new Set(["ping", "get_usage"]);

/** Lists name nobody either: of another business they are not told because of `from`. */
const LISTS = new Set([
  "list_conversations",
  "list_unanswered",
  "list_templates",
  "search_contacts",
  "list_events",
]);

/** Whoever is named by a number may be written to by template, also a customer of somebody else. */
const REACHES_ANYBODY = new Set(["send_template"]);

let counter = 0;
const unique = () => `r${++counter}`;

beforeAll(async () => {
  product = await startInProcess();
  door = (await import("./endpoint")).answerMcp;
  ({ drainAudit } = await import("./audit"));
  const webhook = (await import("@/app/api/webhook/route")).POST;
  own = (await product.addBusiness()).id;
  foreign = (await product.addOtherBusiness()).id;
  const write = async (text: string, options: Parameters<typeof inboundText>[1]) => {
    const { body, signature, wamid } = await inboundText(text, options);
    const headers = { "x-hub-signature-256": signature };
    await webhook(new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }));
    return wamid;
  };
  ownMessage = await write("hello there", {});
  foreignMessage = await write("hello SECRET-OF-OTHERS", {
    to: "other",
    from: STRANGER.slice(1),
    name: "SECRET-OF-OTHERS",
  });
});
afterAll(async () => {
  await drainAudit();
  await product.stop();
});
afterEach(async () => await product.backend.t.finishInProgressScheduledFunctions());

const answer = z.looseObject({
  result: z
    .looseObject({
      isError: z.boolean().optional(),
      structuredContent: z
        .looseObject({ refused: z.boolean().optional(), reason: z.string().optional() })
        .optional(),
    })
    .optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
});

async function post(key: string, method: string, params: object = {}): Promise<Response> {
  return await door(
    new Request(`${SITE_URL}/api/mcp`, {
      method: "POST",
      headers: {
        host: "localhost:3000",
        "content-type": "application/json",
        accept: "application/json",
        authorization: `Bearer ${key}`,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++requests, method, params }),
    }),
  );
}

async function call(key: string, name: string, args: object) {
  const response = await post(key, "tools/call", { name, arguments: args });
  const text = await response.text();
  return { status: response.status, text, ...(response.ok ? answer.parse(JSON.parse(text)) : {}) };
}

const listed = async (key: string): Promise<string[]> => {
  const body = z.looseObject({
    result: z.looseObject({ tools: z.array(z.looseObject({ name: z.string() })) }),
  });
  return body.parse(await (await post(key, "tools/list")).json()).result.tools.map(({ name }) => name);
};

const graphSends = async () => {
  const response = await fetch(`${product.simulator.url}/_sim/requests?after=0`);
  const body = z.looseObject({ requests: z.array(z.looseObject({ method: z.string(), path: z.string() })) });
  return body
    .parse(await response.json())
    .requests.filter(({ method, path }) => method === "POST" && path.endsWith("/messages")).length;
};

const rowOf = ({ name }: Tool) => {
  const row = ARGUMENTS[name];
  if (row === undefined) throw new Error(`${name} has no row in the matrix.`);
  return row;
};

const isAllowed = ({ scope }: Tool, scopes: readonly Scope[]) => scope === null || hasScope(scopes, scope);

it("the matrix has a row for every tool, and no other", () => {
  expect(Object.keys(ARGUMENTS).toSorted()).toEqual(TOOLS.map(({ name }) => name).toSorted());
});

describe("every tool under every scope", () => {
  const sets: Scope[][] = [...SCOPES.map((scope) => [scope]), ["read", "write", "send"]];
  it.each(sets.map((scopes) => [scopes.join("+"), scopes] as const))("%s", async (_, scopes) => {
    const { key } = await product.createKey(own, scopes, { rpm: 1_000 });
    const allowed = TOOLS.filter((tool) => isAllowed(tool, scopes));
    expect(await listed(key)).toEqual(allowed.map(({ name }) => name));
    for (const tool of TOOLS) {
      const args = rowOf(tool)(CUSTOMER, ownMessage);
      const { text, result, error } = await call(key, tool.name, args);
      if (isAllowed(tool, scopes)) {
        expect(error, tool.name).toBeUndefined();
        expect(result?.isError, `${tool.name}: ${text}`).toBeUndefined();
        expect(result?.structuredContent?.reason, tool.name).not.toBe("scope_missing");
      } else {
        // As any name that no tool has.
        const unknown = await call(key, "no_such_tool", args);
        const like = (body: string) => body.replaceAll(/no_such_tool|"id":\d+/g, "?");
        expect(like(text.replaceAll(tool.name, "no_such_tool")), tool.name).toBe(like(unknown.text));
      }
    }
  });
});

describe("every tool under a key that may use no other", () => {
  it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    "%s works, and lists are read",
    async (_, tool) => {
      const { key } = await product.createKey(own, ["read", "write", "send"], {
        tools: [tool.name],
        rpm: 1_000,
      });
      expect(await listed(key)).toEqual([tool.name]);
      const { text, result, error } = await call(key, tool.name, rowOf(tool)(CUSTOMER, ownMessage));
      expect(error).toBeUndefined();
      expect(result?.isError, text).toBeUndefined();
      expect(result?.structuredContent?.reason).not.toBe("scope_missing");
      const resources = await (await post(key, "resources/list")).text();
      expect(resources).toContain("pons://policy");
      const read = await (await post(key, "resources/read", { uri: `pons://media/${ownMessage}` })).text();
      expect(read).toContain('"error"');
      const ref = { type: "ref/prompt", name: "draft_reply" };
      for (const name of ["contact", "template", "from"]) {
        const argument = { name, value: "" };
        expect(await (await post(key, "completion/complete", { ref, argument })).text()).toContain(
          '"values"',
        );
      }
    },
  );
});

describe("every tool for a business that is not the key's", () => {
  it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    "%s tells nothing and changes nothing",
    async (_, tool) => {
      const { key } = await product.createKey(own, ["read", "write", "send"], { rpm: 1_000 });
      const refusalTo = async (args: object) => {
        const { text, result } = await call(key, tool.name, args);
        expect(text).not.toContain("SECRET-OF-OTHERS");
        return { result, body: text.replaceAll(/"id":\d+/g, "?") };
      };
      if (ABOUT_THE_KEY.has(tool.name)) {
        await refusalTo({});
        return;
      }
      const before = await product.backend.t.run(async (ctx) => ({
        conversations: await ctx.db
          .query("conversations")
          .withIndex("by_account_contact", (q) => q.eq("accountId", foreign))
          .collect(),
        states: (await ctx.db.query("consentStates").collect()).filter(
          ({ accountId }) => accountId === foreign,
        ),
      }));
      const args = rowOf(tool)(STRANGER, foreignMessage);
      const foreignNumber = await refusalTo({ ...args, from: FOREIGN_NUMBER });
      const unknownNumber = await refusalTo({
        ...rowOf(tool)(STRANGER, foreignMessage),
        from: "+19995550000",
      });
      expect(foreignNumber.result?.structuredContent).toMatchObject({ refused: true, reason: "not_found" });
      expect(foreignNumber.body).toBe(unknownNumber.body);
      if (!LISTS.has(tool.name) && !REACHES_ANYBODY.has(tool.name)) {
        const [theirs, nobodys] = [
          await refusalTo({ ...rowOf(tool)(STRANGER, foreignMessage), from: OWN_NUMBER }),
          await refusalTo({ ...rowOf(tool)("+16505559999", "wamid.NONE"), from: OWN_NUMBER }),
        ];
        expect(theirs.result?.structuredContent).toMatchObject({ refused: true });
        expect(theirs.body).toBe(nobodys.body);
      }
      const after = await product.backend.t.run(async (ctx) => ({
        conversations: await ctx.db
          .query("conversations")
          .withIndex("by_account_contact", (q) => q.eq("accountId", foreign))
          .collect(),
        states: (await ctx.db.query("consentStates").collect()).filter(
          ({ accountId }) => accountId === foreign,
        ),
      }));
      expect(after).toEqual(before);
    },
  );
});

describe("every tool for a key that is over", () => {
  it("is closed after a revocation, after the key's end and over its limit, whatever the tool", async () => {
    const everything = ["read", "write", "send"];
    const revoked = await product.createKey(own, everything);
    await product.backend.t.mutation(internal.keysAdmin.revoke, { apiKeyId: revoked.id });
    const expired = await product.createKey(own, everything, { expiresAt: Date.now() + 60_000 });
    await product.backend.t.run(async (ctx) => {
      const id = ctx.db.normalizeId("apiKeys", expired.id);
      if (id !== null) await ctx.db.patch(id, { expiresAt: Date.now() - 1 });
    });
    const limited = await product.createKey(own, everything, { rpm: 1 });
    expect((await post(limited.key, "ping")).status).toBe(200);
    const sends = await graphSends();
    for (const tool of TOOLS) {
      const args = rowOf(tool)(CUSTOMER, ownMessage);
      expect((await call(revoked.key, tool.name, args)).status, tool.name).toBe(401);
      expect((await call(expired.key, tool.name, args)).status, tool.name).toBe(401);
      expect((await call(limited.key, tool.name, args)).status, tool.name).toBe(429);
    }
    expect(await graphSends()).toBe(sends);
  });
});

describe("a key that only reads", () => {
  it("never causes a send, in whatever order whichever tools are called", async () => {
    const { key } = await product.createKey(own, ["read"], { rpm: 1_000_000 });
    const sends = await graphSends();
    const outbox = async () =>
      (await product.backend.t.run(async (ctx) => await ctx.db.query("outbox").collect())).length;
    const queued = await outbox();
    const someCall = fc.record({
      tool: fc.constantFrom(...TOOLS.map(({ name }) => name)),
      contact: fc.constantFrom(CUSTOMER, STRANGER, "+16505559999", "@nobody", "nonsense"),
      from: fc.constantFrom(undefined, OWN_NUMBER, FOREIGN_NUMBER),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(someCall, { minLength: 1, maxLength: 2 }), async (calls) => {
        for (const { tool, contact, from } of calls) {
          const args = ARGUMENTS[tool]?.(contact, ownMessage);
          await call(key, tool, { ...args, ...(from !== undefined && { from }) });
        }
      }),
      { numRuns: SEQUENCES },
    );
    await product.backend.t.finishInProgressScheduledFunctions();
    expect(await outbox()).toBe(queued);
    expect(await graphSends()).toBe(sends);
  }, 120_000);
});

/** Sequences of calls that are tried. */
const SEQUENCES = 1_000;
