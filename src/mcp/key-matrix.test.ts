import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { mayReadResource } from "#shared/domain/resource-access";
import { hasScope, SCOPES, type Scope } from "#shared/scopes";
import { type McpWorld, openMcpWorld, SECRET } from "../../tests/support/mcp-world";
import { type Subject, TOOL_ARGUMENTS, toolArguments } from "../../tests/support/tool-arguments";
import type { Tool } from "./define-tool";
import { TOOLS } from "./tools";

/**
 * What a key may do: every tool, resource and prompt, under every scope, for one number and for several, of a key that
 * is valid, revoked, expired or over its limits. The cells are made from the registries, so that whatever is added is
 * in them. Left out is only what cannot differ: a dead key is refused before anything of its request is read, so each
 * tool is called once by it under every scope, and only one that had every scope asks for all the rest.
 */
const EVERYTHING = ["read", "write", "send"] as const;
const SCOPE_SETS: readonly (readonly Scope[])[] = [...SCOPES.map((scope) => [scope]), EVERYTHING];

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

const isAllowed = ({ scope }: Tool, scopes: readonly Scope[]) => scope === null || hasScope(scopes, scope);

/** Sends are only checked where it is not about what they do, so that no background work is left behind. */
const takesValidateOnly = ({ inputSchema }: Tool) =>
  Object.hasOwn(
    Object(inputSchema["~standard"].jsonSchema.input({ target: "draft-2020-12" })["properties"]),
    "validate_only",
  );

let world: McpWorld;
/** A subject that nobody has. */
const nobody: Subject = { contact: "+16505559999", messageId: "wamid.NONE", conversationId: "none" };

beforeAll(async () => {
  world = await openMcpWorld();
}, 60_000);
afterAll(async () => await world.close());
afterEach(async () => await world.product.backend.t.finishInProgressScheduledFunctions());

const argumentsOf = (tool: Tool, about: Subject): Record<string, unknown> => ({
  ...toolArguments(
    tool.name,
    tool.name === "handoff_to_human" && about === world.customer ? world.handedOver : about,
  ),
  ...(takesValidateOnly(tool) && { validate_only: true }),
});

const named = z.looseObject({ name: z.string() });
const listed = async (key: string): Promise<string[]> => {
  const body = z.looseObject({ result: z.looseObject({ tools: z.array(named) }) });
  const { text } = await world.ask(key, "tools/list");
  return body.parse(JSON.parse(text)).result.tools.map(({ name }) => name);
};

/** The answer to a name that no tool has, as it would be for this one. */
const asUnknown = async (key: string, tool: Tool, args: object) =>
  (await world.call(key, "no_such_tool", args)).text.replaceAll("no_such_tool", tool.name);

it("the matrix has a row for every tool, and no other", () => {
  expect(Object.keys(TOOL_ARGUMENTS).toSorted()).toEqual(TOOLS.map(({ name }) => name).toSorted());
});

describe.each(SCOPE_SETS.map((scopes) => [scopes.join("+"), scopes] as const))(
  "a valid key of %s",
  (_, scopes) => {
    it("for one number has the tools of its scopes and no others", async () => {
      const { key } = await world.keyWith(scopes);
      const allowed = TOOLS.filter((tool) => isAllowed(tool, scopes));
      expect(await listed(key)).toEqual(allowed.map(({ name }) => name));
      for (const tool of TOOLS) {
        const args = argumentsOf(tool, world.customer);
        const { text, result, error } = await world.call(key, tool.name, args);
        if (!isAllowed(tool, scopes)) {
          expect(text, tool.name).toBe(await asUnknown(key, tool, args));
          continue;
        }
        expect(error, tool.name).toBeUndefined();
        expect(result?.isError, `${tool.name}: ${text}`).toBeUndefined();
        expect(result?.structuredContent?.refused, `${tool.name}: ${text}`).toBeUndefined();
      }
    });

    it("for two numbers must say which, and means nothing to a third", async () => {
      const { own, second, foreign, unknown } = world.numbers;
      const { key } = await world.keyWith(scopes, { numbers: [own, second] });
      for (const tool of TOOLS) {
        const args = argumentsOf(tool, world.customer);
        const ask = async (from?: string) => {
          const { text, result } = await world.call(key, tool.name, {
            ...args,
            ...(from !== undefined && { from }),
          });
          return { text, data: result?.structuredContent };
        };
        if (!isAllowed(tool, scopes)) {
          expect((await ask()).text, tool.name).toBe(await asUnknown(key, tool, args));
          continue;
        }
        if (ABOUT_THE_KEY.has(tool.name)) {
          expect((await ask()).data?.refused, tool.name).toBeUndefined();
          continue;
        }
        const open = await ask();
        expect(open.data, tool.name).toMatchObject({ refused: true, reason: "number_required" });
        expect(open.data?.numbers?.map(({ number }) => number).toSorted()).toEqual([own, second]);
        expect((await ask(own)).data?.refused, tool.name).toBeUndefined();
        const elsewhere = (await ask(second)).data;
        if (LISTS.has(tool.name)) expect(elsewhere?.refused, tool.name).toBeUndefined();
        const theirs = await ask(foreign);
        expect(theirs.data, tool.name).toMatchObject({ refused: true, reason: "not_found" });
        expect(theirs.text, tool.name).toBe((await ask(unknown)).text);
      }
    });

    it("reads the resources and has the prompts that its scopes allow, and no others", async () => {
      const { key } = await world.keyWith(scopes);
      const uris = resourcesOf(world.numbers.own, world.customer);
      for (const [kind, uri] of uris) {
        const { text, error } = await world.ask(key, "resources/read", { uri });
        if (mayReadResource({ scopes }, kind)) expect(error, `${uri}: ${text}`).toBeUndefined();
        else expect(text, uri).toBe(await missing(key, uri));
        expect(text).not.toContain(SECRET);
      }
      for (const [kind, uri] of resourcesOf(world.numbers.foreign, world.stranger)) {
        if (kind === "accounts" || kind === "policy") continue;
        expect((await world.ask(key, "resources/read", { uri })).text, uri).toBe(await missing(key, uri));
      }
      for (const [name, scope] of PROMPT_SCOPES) {
        const args = { contact: world.customer.contact };
        const { text, error } = await world.ask(key, "prompts/get", { name, arguments: args });
        if (hasScope(scopes, scope)) expect(error, name).toBeUndefined();
        else {
          const other = await world.ask(key, "prompts/get", { name: "no_such_prompt", arguments: args });
          expect(text).toBe(other.text.replaceAll("no_such_prompt", name));
        }
      }
    });
  },
);

const PROMPT_SCOPES = [
  ["triage_inbox", "conversations:read"],
  ["draft_reply", "messages:read"],
  ["daily_digest", "conversations:read"],
  ["close_window_soon", "conversations:read"],
] as const;

/** A URI of each kind. Whether a message has a file is another test's question: reading one that has none is refused. */
const resourcesOf = (number: string, { conversationId }: Subject) =>
  [
    ["accounts", "pons://accounts"],
    ["policy", "pons://policy"],
    ["messages", `pons://accounts/${number.slice(1)}/messages`],
    ["templates", `pons://templates/${number.slice(1)}`],
    ["conversation", `pons://conversations/${conversationId}`],
  ] as const;

/** What reading a URI that names nothing is answered with, as it would be for this one. */
const missing = async (key: string, uri: string): Promise<string> =>
  (await world.ask(key, "resources/read", { uri: "pons://none" })).text.replaceAll("pons://none", uri);

describe("every tool under a key that may use no other", () => {
  it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    "%s works, and lists are read",
    async (_, tool) => {
      const { key } = await world.product.createKey(world.own, [...EVERYTHING], {
        tools: [tool.name],
        rpm: 1_000,
      });
      expect(await listed(key)).toEqual([tool.name]);
      const { text, result, error } = await world.call(key, tool.name, argumentsOf(tool, world.customer));
      expect(error).toBeUndefined();
      expect(result?.isError, text).toBeUndefined();
      expect(result?.structuredContent?.refused, text).toBeUndefined();
      expect((await world.ask(key, "resources/list")).text).toContain("pons://policy");
      const file = { uri: `pons://media/${world.customer.messageId}` };
      expect((await world.ask(key, "resources/read", file)).text).toContain('"error"');
      const ref = { type: "ref/prompt", name: "draft_reply" };
      for (const name of ["contact", "template", "from"]) {
        const asked = { ref, argument: { name, value: "" } };
        expect((await world.ask(key, "completion/complete", asked)).text).toContain('"values"');
      }
    },
  );
});

describe("every tool for a business that is not the key's", () => {
  it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    "%s tells nothing and changes nothing",
    async (_, tool) => {
      const { key } = await world.keyWith(EVERYTHING);
      const answerTo = async (about: Subject, from?: string) => {
        const args = { ...toolArguments(tool.name, about), ...(from !== undefined && { from }) };
        const { text, result } = await world.call(key, tool.name, args);
        expect(text).not.toContain(SECRET);
        return { text, data: result?.structuredContent };
      };
      if (ABOUT_THE_KEY.has(tool.name)) {
        await answerTo(world.stranger);
        return;
      }
      const before = await world.stateOf(world.foreign);
      const { own, foreign, unknown } = world.numbers;
      const foreignNumber = await answerTo(world.stranger, foreign);
      expect(foreignNumber.data).toMatchObject({ refused: true, reason: "not_found" });
      expect(foreignNumber.text).toBe((await answerTo(world.stranger, unknown)).text);
      if (!LISTS.has(tool.name) && !REACHES_ANYBODY.has(tool.name)) {
        const theirs = await answerTo(world.stranger, own);
        expect(theirs.data).toMatchObject({ refused: true });
        expect(theirs.text).toBe((await answerTo(nobody, own)).text);
      }
      expect(await world.stateOf(world.foreign)).toEqual(before);
    },
  );
});

describe("a key that is over", () => {
  /** Every request that a client can make, beside calls of tools. */
  const requests = () =>
    [
      [
        "initialize",
        { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
      ],
      ["ping", {}],
      ["tools/list", {}],
      ["prompts/list", {}],
      ...PROMPT_SCOPES.map(([name]) => ["prompts/get", { name, arguments: { contact: "x" } }] as const),
      ["resources/list", {}],
      ["resources/templates/list", {}],
      ...resourcesOf(world.numbers.own, world.customer).flatMap(([, uri]) =>
        ["resources/read", "resources/subscribe"].map((method) => [method, { uri }] as const),
      ),
      [
        "completion/complete",
        { ref: { type: "ref/prompt", name: "draft_reply" }, argument: { name: "contact", value: "" } },
      ],
      ["no/such/method", {}],
    ] as const;

  const STATES = {
    revoked: { status: 401, end: async (id: string) => await world.change(id, { revokedAt: Date.now() }) },
    expired: {
      status: 401,
      end: async (id: string) => await world.change(id, { expiresAt: Date.now() - 1 }),
    },
    "over its requests": {
      status: 429,
      end: async (_: string, key: string) => {
        expect((await world.ask(key, "ping")).status).toBe(200);
      },
    },
  };

  it.each(Object.entries(STATES))(
    "(%s) is closed, whatever is asked",
    async (_, { status, end }) => {
      const before = [await world.sends(), await world.stateOf(world.own)];
      const { own, second } = world.numbers;
      const bodies = new Set<string>();
      for (const scopes of SCOPE_SETS) {
        for (const numbers of scopes === EVERYTHING ? [[own], [own, second]] : [[own]]) {
          const { key, id } = await world.keyWith(scopes, { numbers, ...(status === 429 && { rpm: 1 }) });
          await end(id, key);
          const calls = TOOLS.map(
            ({ name }) => ["tools/call", { name, arguments: toolArguments(name, world.customer) }] as const,
          );
          const others = scopes === EVERYTHING ? requests() : [];
          await Promise.all(
            [...calls, ...others].map(async ([method, params]) => {
              const answered = await world.ask(key, method, params);
              expect(answered.status, `${scopes} ${method} ${JSON.stringify(params)}`).toBe(status);
              bodies.add(answered.text.replaceAll(/\d+/g, "#"));
            }),
          );
        }
      }
      expect(bodies.size).toBe(1);
      expect([await world.sends(), await world.stateOf(world.own)]).toEqual(before);
    },
    120_000,
  );

  it("(over its sends of a day) sends by no tool, and does all else", async () => {
    const { key } = await world.keyWith(EVERYTHING, { dailyCap: 1 });
    const template = TOOLS.find(({ name }) => name === "send_template");
    if (template === undefined) throw new Error("send_template is gone.");
    await world.call(key, template.name, toolArguments(template.name, world.customer));
    const before = await world.sends();
    for (const tool of TOOLS) {
      const about = tool.name === "handoff_to_human" ? world.handedOver : world.customer;
      const { result, text } = await world.call(key, tool.name, toolArguments(tool.name, about));
      const reason = tool.name.startsWith("send_") ? "cap_reached" : undefined;
      expect(result?.structuredContent?.reason, `${tool.name}: ${text}`).toBe(reason);
    }
    expect(await world.sends()).toEqual(before);
  });
});
