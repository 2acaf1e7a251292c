import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { queryAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import {
  businessOf,
  businessShape,
  contactOf,
  contactShape,
  isoTime,
  windowOf,
  windowShape,
} from "../shapes";

/** Better words find more than a second page of bad matches. */
const FOUND_MAX = 20;

export const searchContacts = defineTool({
  name: "search_contacts",
  title: "Search contacts",
  description:
    "Finds customers of a business number by name, by the beginning of a phone number or by @username, best matches " +
    "first. Use a returned id as `contact` of the other tools.",
  scope: "conversations:read",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    query: params.word("Name, number or @username, or the beginning of one."),
    limit: z.int().min(1).max(FOUND_MAX).default(10).describe("Rows to return."),
  }),
  answer: z.object({
    business: businessShape,
    contacts: z.array(
      contactShape.extend({
        window: windowShape,
        mode: z.enum(["agent", "human", "paused"]).optional(),
        last_message_at: z.string().optional(),
      }),
    ),
  }),
  run: async ({ caller }, { from, query, limit }) => {
    const asked = { query, limit, ...defined({ from }) };
    const found = await queryAs(caller.identity, api.mcpReads.searchContacts, asked);
    if (isRefusal(found)) return found;
    const now = Date.now();
    return {
      business: businessOf(found.account),
      contacts: found.contacts.map(({ contact, mode, lastMessageAt, windowExpiresAt }) => ({
        ...contactOf(contact),
        window: windowOf(windowExpiresAt, now),
        ...defined({
          mode,
          last_message_at: lastMessageAt === undefined ? undefined : isoTime(lastMessageAt),
        }),
      })),
    };
  },
});
