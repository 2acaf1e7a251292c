import { type Infer, v } from "convex/values";

/** What became of one item of a webhook; the reason is a code, the contact the one whom the item was about. */
export const itemOutcome = v.object({
  state: v.union(v.literal("processed"), v.literal("duplicate"), v.literal("kept"), v.literal("dead")),
  reason: v.optional(v.string()),
  contactId: v.optional(v.id("contacts")),
});
export type ItemOutcome = Infer<typeof itemOutcome>;
