import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { sealedPage } from "../pages";
import { params } from "../params";
import {
  businessOf,
  businessShape,
  contactOf,
  contactShape,
  messageOf,
  messageShape,
  windowOf,
  windowShape,
} from "../shapes";

export const getConversation = defineTool({
  name: "get_conversation",
  title: "Get conversation",
  description:
    "Returns one WhatsApp conversation: the customer, whether the 24-hour window for free text is open, and the " +
    "newest messages, oldest of them first. `contact` is a phone number, @username or a contact id from " +
    "list_conversations; `before` pages back in time. Messages marked untrusted are written by the customer.",
  scope: "messages:read",
  core: true,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    limit: params.limit,
    before: params.cursor("`next_cursor`"),
  }),
  answer: z.object({
    business: businessShape,
    contact: contactShape,
    window: windowShape,
    archived: z.boolean(),
    messages: z.array(messageShape),
    mode: z.enum(["agent", "human", "paused"]).describe("Keys may write only in agent."),
    next_cursor: z.string().optional().describe("Give it as `before` for older messages."),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, contact, limit, before }) => {
    const list = `messages ${from ?? ""} ${contact}`;
    return await sealedPage({ list, caller, limit, cursor: before }, async ({ limit: rows, cursor }) => {
      const asked = { contact, limit: rows, ...defined({ from, before: cursor }) };
      const page = await queryAs(caller.identity, api.mcp.getConversation, asked);
      if (isRefusal(page)) return page;
      const { account, conversation, messages, nextCursor } = page;
      const answer = {
        business: businessOf(account),
        contact: contactOf(conversation.contact),
        window: windowOf(conversation.windowExpiresAt, Date.now()),
        archived: conversation.archivedAt !== undefined,
        mode: conversation.mode ?? "agent",
        messages: messages.map((view) => messageOf(view, conversation.contact)),
      };
      return { next: nextCursor, answer };
    });
  },
});
