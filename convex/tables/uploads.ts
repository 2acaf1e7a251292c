import { defineTable } from "convex/server";
import { v } from "convex/values";
import { MEDIA_KINDS } from "#shared/whatsapp/media-kinds";

export const mediaKind = v.union(...MEDIA_KINDS.map((kind) => v.literal(kind)));

/**
 * Written by `model/uploads`, read by the sends that carry a file.
 *
 * uploads: a file that a member or a key wants to send. It begins without bytes, is judged by them once they are there,
 * and is then `ready` for any number of messages until it expires. Its file is held through `model/storedFiles`.
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
    filename: v.optional(v.string()),
    /** By its bytes. */
    mime: v.optional(v.string()),
    bytes: v.optional(v.number()),
    storageId: v.optional(v.id("_storage")),
    /** Meta's id of it and until when that is used (ms); Meta keeps it for 30 days. */
    graphMediaId: v.optional(v.string()),
    graphMediaUntil: v.optional(v.number()),
    createdAt: v.number(),
    expiresAt: v.number(),
  })
    .index("by_principal_created", ["principal", "createdAt"])
    .index("by_expires_at", ["expiresAt"])
    .index("by_account", ["accountId"]),
};
