import type { McpServer, StandardSchemaWithJSON, ToolAnnotations } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Refusal } from "#shared/errors";
import type { Scope } from "#shared/scopes";
import type { KeyHolder } from "../server/api-keys";
import { dataResult, errorResult, refusalShape } from "./results";

export type ToolContext = {
  caller: KeyHolder;
  /** Aborted when the client gives up on the call. */
  signal: AbortSignal;
};

type Definition<Input extends z.ZodObject, Answer extends z.ZodObject> = {
  name: string;
  title: string;
  /** What it does, when to use it and where its ids come from; under 600 characters. */
  description: string;
  /** Without this scope the tool does not exist for a key. */
  scope: Scope;
  /** All four hints, because some clients take a missing one for the worst. */
  annotations: Required<Omit<ToolAnnotations, "title">>;
  input: Input;
  answer: Answer;
  run: (context: ToolContext, args: z.output<Input>) => Promise<z.input<Answer> | Refusal>;
};

export type Tool = {
  name: string;
  title: string;
  description: string;
  scope: Scope;
  annotations: ToolAnnotations;
  inputSchema: StandardSchemaWithJSON;
  outputSchema: StandardSchemaWithJSON;
  /** Offers the tool on a server that serves one request of this caller. */
  register: (server: McpServer, caller: KeyHolder) => void;
};

/**
 * Makes a tool of its definition. The published output schema is one object whose fields are all optional, since a
 * call gives either the answer or a refusal and clients cannot take a choice at the top of a schema; what a tool
 * really answers is checked against its own, strict schema.
 */
export function defineTool<Input extends z.ZodObject, Answer extends z.ZodObject>(
  definition: Definition<Input, Answer>,
): Tool {
  const { name, title, description, scope, annotations, run } = definition;
  const inputSchema = memoised<z.input<Input>, z.output<Input>>(definition.input);
  const outputSchema = memoised(z.object({ ...definition.answer.shape, ...refusalShape }).partial());
  return {
    name,
    title,
    description,
    scope,
    annotations,
    inputSchema,
    outputSchema,
    register: (server, caller) => {
      server.registerTool(
        name,
        { title, description, annotations, inputSchema, outputSchema },
        async (args, { mcpReq }) => {
          try {
            const result = await run({ caller, signal: mcpReq.signal }, args);
            return dataResult(isRefused(result) ? result : definition.answer.parse(result));
          } catch (error) {
            return errorResult(name, error);
          }
        },
      );
    },
  };
}

const isRefused = (result: object): result is Refusal => "refused" in result;

/**
 * The same schema, which converts itself to JSON Schema once instead of for every request: a server is built per
 * request, and converting is most of what `tools/list` costs.
 */
export function memoised<In, Out>(schema: StandardSchemaWithJSON<In, Out>): StandardSchemaWithJSON<In, Out> {
  const { jsonSchema, ...standard } = schema["~standard"];
  const converted = new Map<string, Record<string, unknown>>();
  const once =
    (side: "input" | "output") => (options: { target: Parameters<typeof jsonSchema.input>[0]["target"] }) => {
      const key = `${side} ${options.target}`;
      const known = converted.get(key) ?? jsonSchema[side](options);
      converted.set(key, known);
      return known;
    };
  return { "~standard": { ...standard, jsonSchema: { input: once("input"), output: once("output") } } };
}
