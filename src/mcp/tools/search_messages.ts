import * as z from "zod";
import { defined } from "#shared/defined";
import { SEARCH_QUERY_CHARACTERS_MAX } from "#shared/domain/search-query";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { sealedPage } from "../pages";
import { params } from "../params";
import { businessOf, businessShape, contactOf, contactShape, messageOf, shownText } from "../shapes";

/** Hits cost more than rows of a list: each brings its neighbours along. */
const HITS_MAX = 25;
const HITS_DEFAULT = 10;

const neighbour = z.object({
  id: z.string(),
  direction: z.enum(["inbound", "outbound"]),
  preview: z.string(),
  untrusted: z.literal(true).optional(),
});

export const searchMessages = defineTool({
  name: "search_messages",
  title: "Search messages",
  description:
    "Searches the messages of a business number: texts, captions, file names, buttons, places and contact cards. " +
    'Words and "phrases" can be combined with in:CONTACT, from:CONTACT, from:me, before:2026-01-31, after:DATE, ' +
    "type:image and has:media. Answers with the latest hits, each with the messages beside it; read on with " +
    "get_conversation.",
  scope: "messages:read",
  core: true,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    query: params.word("What to look for.", SEARCH_QUERY_CHARACTERS_MAX),
    limit: z.int().min(1).max(HITS_MAX).default(HITS_DEFAULT).describe("Hits to return."),
    cursor: params.cursor("`next_cursor`"),
  }),
  answer: z.object({
    business: businessShape,
    hits: z.array(
      z.object({
        id: z.string(),
        wamid: z.string().optional(),
        contact: contactShape,
        direction: z.enum(["inbound", "outbound"]),
        type: z.string(),
        timestamp: z.string(),
        snippet: z.string(),
        untrusted: z.literal(true).optional(),
        before: neighbour.optional(),
        after: neighbour.optional().meta({ properties: {}, description: "As before." }),
      }),
    ),
    next_cursor: z.string().optional(),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, query, limit, cursor }) => {
    const list = `search ${from ?? ""} ${query}`;
    return await sealedPage({ list, caller, limit, cursor }, async (place) => {
      const asked = { query, ...place, ...defined({ from }) };
      const page = await queryAs(caller.identity, api.mcpReads.searchMessages, asked);
      if (isRefusal(page)) return page;
      const hits = page.hits.map(hitOf);
      return { next: page.nextCursor, answer: { business: businessOf(page.account), hits } };
    });
  },
});

type Hit = Extract<
  Awaited<ReturnType<typeof queryAs<typeof api.mcpReads.searchMessages>>>,
  { hits: unknown }
>["hits"][number];

function hitOf({ contact, message, snippet, before, after }: Hit) {
  const { id, wamid, direction, type, timestamp, untrusted } = messageOf(message, contact);
  return {
    id,
    contact: contactOf(contact),
    direction,
    type,
    timestamp,
    snippet: shownText(snippet),
    ...defined({ wamid, untrusted, before: before && besideOf(before), after: after && besideOf(after) }),
  };
}

const besideOf = ({ messageId, direction, preview }: NonNullable<Hit["before"]>) => ({
  id: messageId,
  direction,
  preview: shownText(preview),
  ...(direction === "inbound" && { untrusted: true as const }),
});
