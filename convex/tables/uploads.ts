import { defineTable } from "convex/server";
import { v } from "convex/values";
import { MEDIA_KINDS } from "#shared/whatsapp/media-kinds";

export const mediaKind = v.union(...MEDIA_KINDS.map((kind) => v.literal(kind)));

/**
 * Written by `model/uploads`, read by the sends that carry a file.
 *
 * uploads: a file that a member or a key wants to send. It begins without bytes (a file that is about to be uploaded,
 * or a link that is fetched when its send begins), is judged by its bytes, and is then `ready`. It expires, and its
 * file with it, unless a message has taken it over.
 */
export const uploadTables = {
  uploads: defineTable({
    accountId: v.id("accounts"),
    /** `user:...` or `key:...`; nobody else may send it. */
    principal: v.string(),
    kind: mediaKind,
    state: v.union(v.literal("pending"), v.literal("ready"), v.literal("failed")),
    /** Why it failed, as a code. */
    reason: v.optional(v.string()),
    /** The link to fetch it from; absent for a file that is uploaded. */
    url: v.optional(v.string()),
    filename: v.optional(v.string()),
    /** By its bytes. */
    mime: v.optional(v.string()),
    bytes: v.optional(v.number()),
    storageId: v.optional(v.id("_storage")),
    /** Meta's id of it and until when we use that (ms); Meta keeps it for 30 days. */
    graphMediaId: v.optional(v.string()),
    graphMediaUntil: v.optional(v.number()),
    createdAt: v.number(),
    expiresAt: v.number(),
  })
    .index("by_storage", ["storageId"])
    .index("by_expires_at", ["expiresAt"])
    .index("by_account", ["accountId"]),
};
