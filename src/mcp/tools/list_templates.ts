import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { openCursor, sealCursor } from "../cursors";
import { defineTool } from "../define-tool";
import { fittingPage } from "../pages";
import { params } from "../params";
import { businessOf, businessShape, isoTime } from "../shapes";

export const listTemplates = defineTool({
  name: "list_templates",
  title: "List templates",
  description:
    "Lists the WhatsApp message templates of a business number with their text, whether they can be sent now and " +
    "the JSON Schema of their values. Use it before send_template, the only way to write to a customer whose 24-hour " +
    "window is closed. Kept up to date from Meta; filters combine.",
  scope: "templates:read",
  core: true,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    query: params.word("Words of the name or text.").optional(),
    status: params.word("Meta's status, e.g. APPROVED.").optional(),
    category: params.word("MARKETING, UTILITY or AUTHENTICATION.").optional(),
    language: params.word("E.g. en_US.").optional(),
    limit: params.limit,
    cursor: params.cursor("`next_cursor`"),
  }),
  answer: z.object({
    business: businessShape,
    templates: z.array(
      z.object({
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
      }),
    ),
    next_cursor: z.string().optional(),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, query, status, category, language, limit, cursor }) => {
    const filter = defined({ query, status, category, language });
    const scope = { list: `templates ${from ?? ""} ${JSON.stringify(filter)}`, principal: caller.principal };
    const after = cursor === undefined ? undefined : openCursor(scope, cursor);
    return await fittingPage(limit, async (rows) => {
      const asked = { ...filter, limit: rows, ...defined({ from, cursor: after }) };
      const page = await queryAs(caller.identity, api.mcp.listTemplates, asked);
      if (isRefusal(page)) return page;
      const next = page.nextCursor === null ? undefined : sealCursor(scope, page.nextCursor);
      return {
        business: businessOf(page.account),
        templates: page.templates.map(templateOf),
        ...defined({ next_cursor: next }),
      };
    });
  },
});

type TemplateView = Extract<
  Awaited<ReturnType<typeof queryAs<typeof api.mcp.listTemplates>>>,
  { templates: unknown[]; account: unknown }
>["templates"][number];

function templateOf({ pausedUntil, rejectedReason, paramsSchema, ...view }: TemplateView) {
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
