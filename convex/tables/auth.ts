import { defineTable } from "convex/server";
import { v } from "convex/values";

/** Better Auth writes null where it means "nothing"; the store treats null and a missing field alike. */
const maybe = {
  string: v.optional(v.union(v.null(), v.string())),
  number: v.optional(v.union(v.null(), v.number())),
};

/**
 * Written by and read by `model/authStore` alone, on behalf of Better Auth in the Next server; the shapes are those that
 * Better Auth asks for (a test beside its configuration compares them). `id` is Better Auth's own id of a row, times
 * are milliseconds.
 *
 * auth_user: a person who can sign in. auth_session: one signed-in browser. auth_account: a way to prove who one is,
 * such as a password hash. auth_verification: short-lived single-use values. auth_rateLimit: counters per address
 * and path.
 */
export const authTables = {
  auth_user: defineTable({
    id: v.string(),
    name: v.string(),
    email: v.string(),
    emailVerified: v.boolean(),
    image: maybe.string,
    createdAt: v.number(),
    updatedAt: v.number(),
  })
    .index("ix_id", ["id"])
    .index("ix_email", ["email"]),
  auth_session: defineTable({
    id: v.string(),
    userId: v.string(),
    token: v.string(),
    expiresAt: v.number(),
    ipAddress: maybe.string,
    userAgent: maybe.string,
    createdAt: v.number(),
    updatedAt: v.number(),
  })
    .index("ix_id", ["id"])
    .index("ix_token", ["token"])
    .index("ix_userId", ["userId"])
    .index("ix_expiresAt", ["expiresAt"]),
  auth_account: defineTable({
    id: v.string(),
    userId: v.string(),
    accountId: v.string(),
    providerId: v.string(),
    accessToken: maybe.string,
    refreshToken: maybe.string,
    idToken: maybe.string,
    accessTokenExpiresAt: maybe.number,
    refreshTokenExpiresAt: maybe.number,
    scope: maybe.string,
    password: maybe.string,
    createdAt: v.number(),
    updatedAt: v.number(),
  })
    .index("ix_id", ["id"])
    .index("ix_userId", ["userId"])
    .index("ix_accountId", ["accountId"]),
  auth_verification: defineTable({
    id: v.string(),
    identifier: v.string(),
    value: v.string(),
    expiresAt: v.number(),
    createdAt: v.number(),
    updatedAt: v.number(),
  })
    .index("ix_id", ["id"])
    .index("ix_identifier", ["identifier"])
    .index("ix_expiresAt", ["expiresAt"]),
  auth_rateLimit: defineTable({
    id: v.string(),
    key: v.string(),
    count: v.number(),
    lastRequest: v.number(),
  })
    .index("ix_id", ["id"])
    .index("ix_key", ["key"])
    .index("ix_lastRequest", ["lastRequest"]),
};
