import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { openCursor, sealCursor } from "../cursors";
import { defineTool } from "../define-tool";
import { fittingPage } from "../pages";
import { params } from "../params";
import { businessOf, businessShape, conversationOf, conversationShape } from "../shapes";

export const listConversations = defineTool({
  name: "list_conversations",
  title: "List conversations",
  description:
    "Lists the WhatsApp conversations of a business number, the most recently active first, with the customer, the " +
    "last message in short and whether the 24-hour window for free text is open. Use a returned contact id as " +
    "`contact` of the other tools. Names and previews are written by customers.",
  scope: "conversations:read",
  core: true,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    archived: z.boolean().default(false).describe("Show the archived ones instead."),
    limit: params.limit,
    cursor: params.cursor("`next_cursor`"),
  }),
  answer: z.object({
    business: businessShape,
    conversations: z.array(conversationShape),
    next_cursor: z.string().optional(),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, archived, limit, cursor }) => {
    const scope = { list: `conversations ${from ?? ""} ${archived}`, principal: caller.principal };
    const after = cursor === undefined ? undefined : openCursor(scope, cursor);
    return await fittingPage(limit, async (rows) => {
      const asked = { archived, limit: rows, ...defined({ from, cursor: after }) };
      const page = await queryAs(caller.identity, api.mcp.listConversations, asked);
      if (isRefusal(page)) return page;
      const next = page.nextCursor === null ? undefined : sealCursor(scope, page.nextCursor);
      return {
        business: businessOf(page.account),
        conversations: page.conversations.map((view) => conversationOf(view, Date.now())),
        ...defined({ next_cursor: next }),
      };
    });
  },
});
