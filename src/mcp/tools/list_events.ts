import * as z from "zod";
import { defined } from "#shared/defined";
import { EVENT_TYPES } from "#shared/domain/events";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { openCursor, sealCursor } from "../cursors";
import { defineTool } from "../define-tool";
import { fittingPage } from "../pages";
import { params } from "../params";
import { fits } from "../results";
import { businessOf, businessShape, isoTime, visibleTree } from "../shapes";

/** An envelope of our own, as `shared/domain/events` writes it. */
const envelope = z.looseObject({
  id: z.string(),
  type: z.enum(EVENT_TYPES),
  seq: z.number(),
  occurredAt: z.number(),
  payload: z.looseObject({}),
});

export const listEvents = defineTool({
  name: "list_events",
  title: "List events",
  description:
    "Returns what happened to a business number: messages, statuses, reactions, changes of conversations, consent, " +
    "templates and the number itself, as webhooks carry it, without gaps. Use it to reconcile with webhooks, or to learn " +
    "of more than messages; for messages use get_messages. Without `after` it returns the latest; go on from " +
    "`next_cursor`, which is always there.",
  scope: "read",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    after: params.cursor("`next_cursor`"),
    types: z
      .array(z.enum(EVENT_TYPES))
      .min(1)
      .max(EVENT_TYPES.length)
      .optional()
      .meta({ items: { type: "string" }, description: "Only these, e.g. message.status.updated." }),
    limit: params.limit,
  }),
  answer: z.object({
    business: businessShape,
    events: z.array(
      z.object({
        id: z.string().describe("The same as in X-Pons-Event-Id."),
        type: z.string(),
        seq: z.number(),
        at: z.string(),
        payload: z.looseObject({}).describe("Names and texts in it may be written by customers."),
        untrusted: z.literal(true),
        truncated: z.literal(true).optional(),
      }),
    ),
    next_cursor: z.string(),
    more: z.boolean().describe("There is more already."),
    truncated: z.literal(true).optional(),
  }),
  run: async ({ caller }, { from, after, types, limit }) => {
    const scope = { list: `events ${from ?? ""}`, principal: caller.principal };
    const place = after === undefined ? undefined : Number(openCursor(scope, after));
    return await fittingPage(limit, async (rows) => {
      const asked = { limit: rows, ...defined({ from, after: place, types }) };
      const page = await queryAs(caller.identity, api.mcpReads.listEvents, asked);
      if (isRefusal(page)) return page;
      return {
        business: businessOf(page.account),
        events: page.events.map(eventOf),
        next_cursor: sealCursor(scope, String(page.seq)),
        more: page.more,
      };
    });
  },
});

function eventOf(body: string) {
  const { id, type, seq, occurredAt, payload } = envelope.parse(JSON.parse(body));
  const event = { id, type, seq, at: isoTime(occurredAt), untrusted: true as const };
  const shown = { ...event, payload: visibleTree(payload) };
  // A basket or a pile of cards may be larger than a whole result; its message has them too.
  return fits(shown) ? shown : { ...event, payload: {}, truncated: true as const };
}
