import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { sealedPage } from "../pages";
import { params } from "../params";
import { businessOf, businessShape } from "../shapes";
import { templateOf, templateShape } from "../template-rows";

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
    templates: z.array(templateShape),
    next_cursor: z.string().optional(),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, query, status, category, language, limit, cursor }) => {
    const filter = defined({ query, status, category, language });
    const list = `templates ${from ?? ""} ${JSON.stringify(filter)}`;
    return await sealedPage({ list, caller, limit, cursor }, async (place) => {
      const asked = { ...filter, ...place, ...defined({ from }) };
      const page = await queryAs(caller.identity, api.mcp.listTemplates, asked);
      if (isRefusal(page)) return page;
      const templates = page.templates.map(templateOf);
      return { next: page.nextCursor, answer: { business: businessOf(page.account), templates } };
    });
  },
});
