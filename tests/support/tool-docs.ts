import type { Tool } from "../../src/mcp/define-tool";

const TARGET = { target: "draft-2020-12" } as const;

const HEAD = `---
title: MCP tools
description: Every tool that an agent may call, with its arguments.
---

{/* Made from the tools themselves by src/mcp/tools.test.ts; \`npx vitest run src/mcp/tools.test.ts --update\` writes it anew. */}

What a key may call follows from its scopes: a tool outside of them is not in the list, and calling it is answered like
an unknown name. A connection can give up more: \`?tool_set=core\` leaves the tools marked *core*, \`?tools=a,b\` those
named, and \`?read_only=true\` those that only read.

A message is sent under an idempotency key of your own (\`client_request_id\`), and \`validate_only\` says whether it would
be taken. Times are ISO 8601 in UTC. What is marked \`untrusted\` was written by a customer.

A send may need a person's word: see [When a person has to confirm](/docs/connect-mcp#when-a-person-has-to-confirm).
Clients with a dialogue of their own ask; others are refused with \`confirmation_required\` and a \`confirm_token\`.
`;

/** The reference page of the tools, as MDX. */
export function toolsPage(tools: readonly Tool[]): string {
  return [HEAD, ...tools.map(section)].join("\n");
}

function section(tool: Tool): string {
  const schema = tool.inputSchema["~standard"].jsonSchema.input(TARGET);
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const rows = Object.entries(Object(schema["properties"])).map(([name, property]) => {
    const description = escaped(String(Object(property).description ?? "")).replaceAll("|", "\\|");
    return `| \`${name}\` | ${required.includes(name) ? "yes" : ""} | ${description} |`;
  });
  const table = ["| Argument | Required | |", "| --- | --- | --- |", ...rows].join("\n");
  const scope = tool.scope === null ? "Any key." : `Scope: \`${tool.scope}\`.`;
  return [
    `## ${tool.name}`,
    "",
    escaped(tool.description),
    "",
    `${scope}${tool.core ? " Core." : ""}`,
    "",
    rows.length === 0 ? "No arguments." : table,
    "",
  ].join("\n");
}

/** MDX would take braces and angle brackets for code. */
const escaped = (text: string): string => text.replaceAll(/[{}<]/g, "\\$&");
