import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { SECOND_MS } from "#shared/time";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { openCursor, sealCursor } from "../cursors";
import { defineTool } from "../define-tool";
import { fittingPage } from "../pages";
import { params } from "../params";
import { awaitChange } from "../push/await-change";
import { businessOf, businessShape, contactOf, contactShape, messageOf, messageShape } from "../shapes";

/** Under the shortest time after which clients and proxies give up a request (30 seconds). */
const WAIT_SECONDS_MAX = 25;

export const getMessages = defineTool({
  name: "get_messages",
  title: "Get new messages",
  description:
    "Returns messages of a business number that are new or changed since a cursor, of all customers or of one, without " +
    "gaps. Without `after` it returns the newest; go on from `next_cursor`, which is always there. With `wait_s` it " +
    "waits so long for something new. Use it to follow what comes in; for one thread use get_conversation.",
  scope: "messages:read",
  core: true,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    after: params.cursor("`next_cursor`"),
    contact: params.contact.optional(),
    direction: z.enum(["inbound", "outbound"]).optional().describe("Only those of one side."),
    wait_s: z.int().min(0).max(WAIT_SECONDS_MAX).default(0).describe("Seconds to wait for something new."),
    limit: params.limit,
  }),
  answer: z.object({
    business: businessShape,
    messages: z
      .array(messageShape.extend({ contact: contactShape }))
      .meta({ items: { type: "object", description: "As in get_conversation, with its contact." } }),
    next_cursor: z.string(),
    more: z.boolean().describe("There is more already."),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller, signal }, { from, after, contact, direction, wait_s, limit }) => {
    const scope = { list: `feed ${from ?? ""}`, principal: caller.principal };
    const deadline = Date.now() + wait_s * SECOND_MS;
    let place = after === undefined ? undefined : Number(openCursor(scope, after));
    for (;;) {
      const page = await fittingPage(limit, async (rows) => {
        const asked = { limit: rows, ...defined({ from, after: place, contact, direction }) };
        const feed = await queryAs(caller.identity, api.mcpReads.getMessages, asked);
        if (isRefusal(feed)) return feed;
        return {
          business: businessOf(feed.account),
          messages: feed.messages.map((row) => ({
            ...messageOf(row.message, row.contact),
            contact: contactOf(row.contact),
          })),
          next_cursor: sealCursor(scope, String(feed.seq)),
          more: feed.more,
          end: { accountId: feed.account.accountId, seq: feed.seq },
        };
      });
      if (isRefusal(page)) return page;
      // What is skipped because nobody asked for it need not be read again.
      place = page.end.seq;
      if (page.messages.length > 0 || signal.aborted) return page;
      if (page.more) continue;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return page;
      await awaitChange(caller, page.end, leftMs, signal);
    }
  },
});
