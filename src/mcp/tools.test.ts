import fs from "node:fs";
import path from "node:path";
import { encode } from "gpt-tokenizer";
import { describe, expect, it } from "vitest";
import { SCOPES } from "#shared/scopes";
import { listedTool } from "../../tests/support/listed-tool";
import { toolsPage } from "../../tests/support/tool-docs";
import { TRAPS, trapsOf } from "../../tests/support/tool-traps";
import type { Tool } from "./define-tool";
import { TOOLS } from "./tools";

const TOOLS_FOLDER = path.join(import.meta.dirname, "tools");

/** Long descriptions cost every conversation tokens, and some clients cut them. */
const DESCRIPTION_CHARS_MAX = 600;

/** The list of tools is read into every conversation of an agent: of those that all need, and of all there are. */
const CORE_TOKENS_MAX = 6_000;
const ALL_TOKENS_MAX = 12_000;

/** Tools of which some clients leave out the rest, those of other servers counted. */
const TOOLS_MAX = 40;

const published = (tool: Tool) => ({ ...listedTool(tool), scope: tool.scope, core: tool.core });

describe("the tools", () => {
  it("are each in a file of their own name, and every file is a tool", () => {
    const files = fs.readdirSync(TOOLS_FOLDER).filter((file) => file !== "index.ts");
    expect(files.toSorted()).toEqual(TOOLS.map(({ name }) => `${name}.ts`).toSorted());
  });

  it("are described for people as they are (vitest -u writes the page anew)", async () => {
    const page = path.join(import.meta.dirname, "../../content/docs/mcp-tools.mdx");
    await expect(toolsPage(TOOLS)).toMatchFileSnapshot(page);
  });

  it("have a list that costs an agent few tokens", () => {
    const tokensOf = (tools: readonly Tool[]) =>
      encode(JSON.stringify({ tools: tools.map((tool) => listedTool(tool)) })).length;
    expect(tokensOf(TOOLS.filter(({ core }) => core))).toBeLessThanOrEqual(CORE_TOKENS_MAX);
    expect(tokensOf(TOOLS)).toBeLessThanOrEqual(ALL_TOKENS_MAX);
    expect(TOOLS.length).toBeLessThanOrEqual(TOOLS_MAX);
  });

  it("have names that no client takes for one another", () => {
    const names = TOOLS.map(({ name }) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
    expect(new Set(names).size).toBe(TOOLS.length);
  });
});

for (const tool of TOOLS) {
  describe(tool.name, () => {
    it("has a name, a title, a scope and a short description that clients accept", () => {
      expect(tool.name).toMatch(/^[a-z]+(_[a-z]+)*$|^updateConversation$/);
      expect(tool.title.length).toBeGreaterThan(0);
      expect([null, ...SCOPES]).toContain(tool.scope);
      expect(tool.description.length).toBeLessThan(DESCRIPTION_CHARS_MAX);
    });

    it("gives all four hints, and warns of what leaves the house", () => {
      const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations;
      for (const hint of [readOnlyHint, destructiveHint, idempotentHint, openWorldHint]) {
        expect(hint).toBeTypeOf("boolean");
      }
      const sends = tool.name.startsWith("send_");
      const reads = tool.scope === null || /:read$|^read$/.test(tool.scope);
      const tells = sends || tool.name === "mark_as_read";
      expect([destructiveHint, openWorldHint, readOnlyHint]).toEqual([sends, tells, reads]);
    });

    it("sets no trap for any client", () => {
      for (const pinned of [false, true]) expect(trapsOf(listedTool(tool, { pinned }))).toEqual([]);
    });

    it("explains each of its arguments", () => {
      for (const [name, property] of Object.entries(Object(listedTool(tool).inputSchema["properties"]))) {
        expect(property, name).toHaveProperty("description");
      }
    });

    it("is what was agreed on (a change shows in the diff; accept it with vitest -u)", async () => {
      const file = path.join(import.meta.dirname, "__toolsnaps__", `${tool.name}.json`);
      await expect(`${JSON.stringify(published(tool), null, 2)}\n`).toMatchFileSnapshot(file);
    });

    it("converts its schemas once, not for every request", () => {
      const [first, second] = [listedTool(tool), listedTool(tool)];
      expect(second.inputSchema).toBe(first.inputSchema);
      expect(second.outputSchema).toBe(first.outputSchema);
    });
  });
}

describe("the check for traps", () => {
  const [some] = TOOLS;
  if (some === undefined) throw new Error("There is no tool.");
  const fine = listedTool(some);

  it.each(Object.entries(TRAPS))("finds %s", (name, { example }) => {
    expect(trapsOf(example(fine))).toContain(name);
  });
});
