import type { FunctionReturnType } from "convex/server";
import * as z from "zod";
import { defined } from "#shared/defined";
import type { Refusal } from "#shared/errors";
import type { api } from "../../convex/_generated/api";
import { isoTime } from "./shapes";

type TemplateView = Exclude<FunctionReturnType<typeof api.mcp.listTemplates>, Refusal>["templates"][number];

/** A template as agents see it, by the tool and by the resource. */
export const templateShape = z.object({
  name: z.string(),
  language: z.string(),
  category: z.string(),
  status: z.string(),
  usable: z.boolean().describe("Whether send_template takes it now."),
  preview: z.string(),
  params_schema: z.looseObject({}).describe("JSON Schema of `params` of send_template."),
  quality: z.string().optional(),
  paused_until: z.string().optional(),
  rejected_reason: z.string().optional(),
});

export function templateOf({
  pausedUntil,
  rejectedReason,
  paramsSchema,
  ...view
}: TemplateView): z.infer<typeof templateShape> {
  const { name, language, category, status, usable, preview, quality } = view;
  return {
    name,
    language,
    category,
    status,
    usable,
    preview,
    params_schema: Object(JSON.parse(paramsSchema)),
    ...defined({
      quality,
      paused_until: pausedUntil === undefined ? undefined : isoTime(pausedUntil),
      rejected_reason: rejectedReason,
    }),
  };
}
