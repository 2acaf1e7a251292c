import type { Tool } from "../../src/mcp/define-tool";

const TARGET = { target: "draft-2020-12" } as const;

/** A tool as `tools/list` gives it. */
export type ListedTool = {
  name: string;
  title: string;
  description: string;
  inputSchema: Record<string, unknown>;
  annotations: Record<string, unknown>;
  outputSchema: Record<string, unknown>;
};

/** What a client sees of a tool; `pinned` for a caller with one business number. */
export function listedTool(tool: Tool, { pinned = false } = {}): ListedTool {
  const input = pinned ? tool.pinnedInputSchema : tool.inputSchema;
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: input["~standard"].jsonSchema.input(TARGET),
    annotations: tool.annotations,
    outputSchema: tool.outputSchema["~standard"].jsonSchema.output(TARGET),
  };
}
