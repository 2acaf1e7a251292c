import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/server";
import * as z from "zod";
import { defined } from "#shared/defined";
import { mcpErrorText, type Refusal } from "#shared/errors";
import { AppError } from "../server/app-error";
import { logError } from "../server/log";

/** The fields of a refusal, which any tool may give instead of its answer. */
export const refusalShape = {
  refused: z.literal(true).describe("Nothing was done; reason and next_step say why and what now."),
  // Published without its closed list, which would stand in the schema of every tool and cost tokens each time.
  reason: z.string(),
  message: z.string(),
  retry_after_seconds: z.number(),
  next_step: z.string(),
};

/** A refusal as the backend's doors give it. */
type DoorRefusal = Refusal & {
  message_id?: string;
  templates?: { name: string; language: string; category: string; paramCount: number }[];
  confirm?: { token: string; recipient: string; text: string };
};

/** A refusal as clients see it. */
export function refusalData({ templates, confirm, ...refusal }: DoorRefusal) {
  if (confirm !== undefined) {
    const { token, recipient, text } = confirm;
    return { ...refusal, confirm_token: token, recipient, text };
  }
  if (templates === undefined) return refusal;
  const rows = templates.map(({ paramCount, ...template }) => ({ ...template, param_count: paramCount }));
  return { ...refusal, templates: rows };
}

/** An answer together with pictures or sounds for the model itself. */
export type IllustratedAnswer<Answer> = { illustrated: true; answer: Answer; blocks: ContentBlock[] };

export const isIllustrated = (result: object): result is IllustratedAnswer<Record<string, unknown>> =>
  "illustrated" in result;

/**
 * The largest result, in characters of JSON. Clients cut or refuse results of more than about 25,000 tokens, and
 * text that is not English may need a token for every two characters.
 */
export const RESULT_CHARS_MAX = 50_000;

/** Whether the value fits into one result. */
export const fits = (value: object): boolean => JSON.stringify(value).length <= RESULT_CHARS_MAX;

/** An answer or a refusal as data, and the same as text for clients that read only text. */
export function dataResult(value: Record<string, unknown>, blocks: ContentBlock[] = []): CallToolResult {
  return {
    content: [{ type: "text", text: JSON.stringify(value) }, ...blocks],
    structuredContent: { ...value },
  };
}

/**
 * A failure that nobody expected of this call. Known errors say what to do; of all others the caller learns an id,
 * under which the operator finds the rest.
 */
export function errorResult(tool: string, error: unknown, traceId?: string): CallToolResult {
  return { content: [{ type: "text", text: errorText(`mcp ${tool}`, error, traceId) }], isError: true };
}

/** The words of such a failure; `where` names the place in the log. */
export function errorText(where: string, error: unknown, traceId?: string): string {
  if (error instanceof AppError) return mcpErrorText(error.data);
  return `${mcpErrorText(AppError.of("internal").data)} Error id: ${logError(where, error, traceId)}`;
}

/** What the audit log keeps of a result: how it ended, and the id of the message or customer that it was about. */
export function inShort({ isError, structuredContent }: CallToolResult): {
  outcome: string;
  target?: string;
} {
  if (isError === true) return { outcome: "error" };
  const { reason, outcome, message_id, contact } = resultHead.parse(structuredContent ?? {});
  return { outcome: reason ?? outcome ?? "ok", ...defined({ target: message_id ?? contact?.id }) };
}

const resultHead = z.looseObject({
  reason: z.string().optional().catch(undefined),
  outcome: z.string().optional().catch(undefined),
  message_id: z.string().optional().catch(undefined),
  contact: z.looseObject({ id: z.string() }).optional().catch(undefined),
});
