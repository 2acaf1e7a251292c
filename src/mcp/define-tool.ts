import type {
  CallToolResult,
  McpServer,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { defined } from "#shared/defined";
import { type Refusal, refusal } from "#shared/errors";
import type { Scope } from "#shared/scopes";
import { api } from "../../convex/_generated/api";
import type { Caller } from "../server/caller";
import { queryAs } from "../server/convex";
import { takeRequest } from "../server/request-limits";
import { type Asking, askFirst, type Confirming, confirmingOf, isAsking } from "./asking";
import { auditCall } from "./audit";
import type { Exchange } from "./exchange";
import { ID_CHARS_MAX } from "./params";
import {
  dataResult,
  errorResult,
  type IllustratedAnswer,
  inShort,
  isIllustrated,
  refusalData,
  refusalShape,
} from "./results";
import { noteShown } from "./shown";

export type ToolContext = {
  caller: Caller;
  /** Aborted when the client gives up on the call. */
  signal: AbortSignal;
  /** For tools that may have to ask a person first. */
  confirming: Confirming;
};

type Definition<Input extends z.ZodObject, Answer extends z.ZodObject> = {
  name: string;
  title: string;
  /** What it does, when to use it and where its ids come from; under 600 characters. */
  description: string;
  /** Without this scope the tool does not exist for a key; null = for every key. */
  scope: Scope | null;
  /** Belongs to the small set that `?tool_set=core` leaves. */
  core?: true;
  /** All four hints, because some clients take a missing one for the worst. */
  annotations: Required<Omit<ToolAnnotations, "title">>;
  input: Input;
  answer: Answer;
  run: (
    context: ToolContext,
    args: z.output<Input>,
  ) => Promise<z.input<Answer> | IllustratedAnswer<z.input<Answer>> | Refusal | Asking>;
};

export type Tool = {
  name: string;
  title: string;
  description: string;
  scope: Scope | null;
  core: boolean;
  annotations: Required<Omit<ToolAnnotations, "title">>;
  inputSchema: StandardSchemaWithJSON;
  /** The same for callers with one business number, who are not asked which. */
  pinnedInputSchema: StandardSchemaWithJSON;
  outputSchema: StandardSchemaWithJSON;
  /** Offers the tool on a server that serves this exchange. */
  register: (server: McpServer, exchange: Exchange) => void;
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
  const core = definition.core ?? false;
  const inputSchema = memoised<z.input<Input>, z.output<Input>>(definition.input);
  const pinnedInputSchema = memoised<z.input<Input>, z.output<Input>>(definition.input, { without: "from" });
  const outputSchema = memoised(z.object({ ...definition.answer.shape, ...refusalShape }).partial());
  return {
    name,
    title,
    description,
    scope,
    core,
    annotations,
    inputSchema,
    pinnedInputSchema,
    outputSchema,
    register: (server, exchange) => {
      const { caller } = exchange;
      const schema = caller.numbers === 1 ? pinnedInputSchema : inputSchema;
      const audit = (args: unknown, startedAt: number, outcome: string, target?: string) =>
        auditCall({ caller, tool: name, args, startedAt, outcome, ...defined({ target }) });
      server.registerTool(
        name,
        {
          title,
          description,
          annotations,
          inputSchema: heard(schema, (args) => audit(args, performance.now(), "invalid_arguments")),
          outputSchema,
        },
        async (args, { mcpReq }) => {
          const startedAt = performance.now();
          const { signal } = mcpReq;
          const confirming = confirmingOf(server, exchange, mcpReq);
          let result = await answer(exchange, { caller, signal, confirming }, args);
          if (isAsking(result)) {
            const { asking } = result;
            audit(args, startedAt, "confirmation_required");
            if (exchange.ask === undefined) return askFirst(asking);
            const answered = { token: asking.token, answer: await exchange.ask(asking) };
            result = await answer(
              exchange,
              { caller, signal, confirming: { canAsk: false, answered } },
              args,
            );
            if (isAsking(result)) throw new Error(`${name} asks a second time.`);
          }
          const { outcome, target } = inShort(result);
          audit(args, startedAt, outcome, target);
          return result;
        },
      );
    },
  };

  async function answer(
    exchange: Exchange,
    context: ToolContext,
    args: z.output<Input>,
  ): Promise<CallToolResult | Asking> {
    try {
      const waitMs = await waitOf(exchange);
      if (waitMs > 0) return dataResult(refusalData(refusal("rate_limited", { retryAfterMs: waitMs })));
      const result = await run(context, args);
      if (isAsking(result)) return result;
      if (isRefused(result)) return dataResult(await withNumbers(context.caller, refusalData(result)));
      const [data, blocks] = isIllustrated(result) ? [result.answer, result.blocks] : [result, []];
      const checked = definition.answer.parse(data);
      await noteShown(context.caller, checked);
      return dataResult(checked, blocks);
    } catch (error) {
      return errorResult(name, error, exchange.traceId);
    }
  }
}

/** Whoever has to choose a number is told which there are. */
async function withNumbers({ identity }: Caller, refused: Refusal) {
  if (refused.reason !== "number_required") return { ...refused };
  const { numbers } = await queryAs(identity, api.mcpReads.getUsage, {});
  return { ...refused, numbers: numbers.map(({ name, phoneNumber }) => ({ name, number: phoneNumber })) };
}

/** Over HTTP the request was counted before it was read; a connection that stays open is counted call by call. */
const waitOf = async ({ caller, message }: Exchange): Promise<number> =>
  message === undefined ? await takeRequest(caller) : 0;

const isRefused = (result: object): result is Refusal => "refused" in result;

/**
 * The same schema, which converts itself to JSON Schema once instead of for every request: a server is built per
 * request, and converting is most of what `tools/list` costs. A property can be left out of what is published; it is
 * still understood, so a client that fills it in from habit is not refused.
 */
export function memoised<In, Out>(
  schema: StandardSchemaWithJSON<In, Out>,
  { without }: { without?: string } = {},
): StandardSchemaWithJSON<In, Out> {
  const { jsonSchema, ...standard } = schema["~standard"];
  const converted = new Map<string, Record<string, unknown>>();
  const once =
    (side: "input" | "output") => (options: { target: Parameters<typeof jsonSchema.input>[0]["target"] }) => {
      const key = `${side} ${options.target}`;
      const known = converted.get(key) ?? lean(side, withoutProperty(jsonSchema[side](options), without));
      converted.set(key, known);
      return known;
    };
  return { "~standard": { ...standard, jsonSchema: { input: once("input"), output: once("output") } } };
}

/**
 * The schema without what tells a model nothing: every agent reads the list of tools into every conversation. A result
 * may have more fields than it publishes (a refusal has), so those of results are not closed.
 */
function lean(side: "input" | "output", schema: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(schema).filter(([key, value]) => {
    if (key === "$schema" || key === "propertyNames") return false;
    if (key === "additionalProperties" && typeof value === "object") return false;
    // Lengths that no sensible value is near; they hold all the same.
    if ((key === "minLength" && value === 1) || (key === "maxLength" && value === ID_CHARS_MAX)) return false;
    // A field that is there when it is true, and otherwise is not.
    if (key === "const" && value === true) return false;
    return side === "input" || (key !== "additionalProperties" && key !== "required");
  });
  const isSchema = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      if (key !== "properties") return [key, isSchema(value) && key === "items" ? lean(side, value) : value];
      const properties = Object.entries(Object(value)).map(([name, property]) => [
        name,
        isSchema(property) ? lean(side, property) : property,
      ]);
      return [key, Object.fromEntries(properties)];
    }),
  );
}

/** Only for optional properties: what is required must be published. */
function withoutProperty(schema: Record<string, unknown>, name: string | undefined): Record<string, unknown> {
  if (name === undefined) return schema;
  const properties = Object.entries(Object(schema["properties"])).filter(([property]) => property !== name);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The same schema, which tells of every value that it refuses. */
function heard<In, Out>(
  schema: StandardSchemaWithJSON<In, Out>,
  onRefused: (value: unknown) => void,
): StandardSchemaWithJSON<In, Out> {
  const standard = schema["~standard"];
  return {
    "~standard": {
      ...standard,
      validate: async (value) => {
        const result = await standard.validate(value);
        if (result.issues !== undefined) onRefused(value);
        return result;
      },
    },
  };
}
