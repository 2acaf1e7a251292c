import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/instance`, read by the sign-up page and by account creation. Exactly one row once somebody owns
 * the deployment; `key` is always "instance", so that the index makes the row findable and unique.
 */
export const instanceTables = {
  instance: defineTable({
    key: v.literal("instance"),
    ownerUserId: v.string(),
    claimedAt: v.number(),
  }).index("by_key", ["key"]),
};
