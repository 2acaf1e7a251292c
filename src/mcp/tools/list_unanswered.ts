import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { MINUTE_MS } from "#shared/time";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { sealedPage } from "../pages";
import { params } from "../params";
import { businessOf, businessShape, conversationOf, conversationShape } from "../shapes";

/** A year; whoever waits longer is no longer waiting. */
const AGE_MINUTES_MAX = 366 * 24 * 60;

export const listUnanswered = defineTool({
  name: "list_unanswered",
  title: "List unanswered",
  description:
    "Lists the customers of a business number who wait for an answer, the longest waiting first, with how long they " +
    "wait and until when free text may be sent. Use it to decide whom to answer next; read the conversation with " +
    "get_conversation before answering. Archived conversations wait for nothing.",
  scope: "conversations:read",
  core: true,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    older_than_minutes: z
      .int()
      .min(0)
      .max(AGE_MINUTES_MAX)
      .optional()
      .describe("Only who waits at least so long."),
    limit: params.limit,
    cursor: params.cursor("`next_cursor`"),
  }),
  answer: z.object({
    business: businessShape,
    conversations: z
      .array(conversationShape.extend({ waiting_since: z.string(), waiting_minutes: z.number() }))
      .meta({
        items: {
          type: "object",
          description: "As in list_conversations, and how long they wait.",
          properties: { waiting_since: { type: "string" }, waiting_minutes: { type: "number" } },
        },
      }),
    next_cursor: z.string().optional(),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, older_than_minutes, limit, cursor }) => {
    const list = `unanswered ${from ?? ""} ${older_than_minutes ?? 0}`;
    const now = Date.now();
    const since = older_than_minutes === undefined ? undefined : now - older_than_minutes * MINUTE_MS;
    return await sealedPage({ list, caller, limit, cursor }, async (place) => {
      const asked = { ...place, ...defined({ from, since }) };
      const page = await queryAs(caller.identity, api.mcpReads.listUnanswered, asked);
      if (isRefusal(page)) return page;
      const conversations = page.conversations.map((view) => ({
        ...conversationOf(view, now),
        ...waitingOf(view.unansweredSince ?? now, now),
      }));
      return { next: page.nextCursor, answer: { business: businessOf(page.account), conversations } };
    });
  },
});

const waitingOf = (since: number, now: number) => ({
  waiting_since: new Date(since).toISOString(),
  waiting_minutes: Math.max(0, Math.floor((now - since) / MINUTE_MS)),
});
