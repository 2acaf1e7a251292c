import { v } from "convex/values";
import { publicQuery } from "./functions";

/** Raised when stored data changes its meaning, so that a client built for another form can say so. */
const SCHEMA_VERSION = 1;

/** Proof that the backend runs this product's functions and can reach its database. */
export const check = publicQuery({
  args: {},
  returns: v.object({ ok: v.literal(true), schemaVersion: v.number() }),
  handler: async (ctx) => {
    await ctx.db
      .query("instance")
      .withIndex("by_key", (q) => q.eq("key", "instance"))
      .first();
    return { ok: true as const, schemaVersion: SCHEMA_VERSION };
  },
});
