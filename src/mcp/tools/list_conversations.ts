import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { sealedPage } from "../pages";
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
    const list = `conversations ${from ?? ""} ${archived}`;
    return await sealedPage({ list, caller, limit, cursor }, async (place) => {
      const asked = { archived, ...place, ...defined({ from }) };
      const page = await queryAs(caller.identity, api.mcp.listConversations, asked);
      if (isRefusal(page)) return page;
      const conversations = page.conversations.map((view) => conversationOf(view, Date.now()));
      return { next: page.nextCursor, answer: { business: businessOf(page.account), conversations } };
    });
  },
});
