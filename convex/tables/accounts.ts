import { defineTable } from "convex/server";
import { v } from "convex/values";

export const accountRole = v.union(v.literal("owner"), v.literal("admin"), v.literal("member"));

/**
 * Written by `model/accounts`, read by every builder in `functions.ts`.
 *
 * accounts: one row per WhatsApp business number. `phoneNumberId` is unique in the deployment, because it alone
 * decides whose webhook a change is. The `*Sealed` fields are envelopes of `shared/sealed`, bound to this row by
 * `sealId`, so that a ciphertext copied to another row does not open.
 */
export const accountTables = {
  accounts: defineTable({
    name: v.string(),
    wabaId: v.string(),
    phoneNumberId: v.string(),
    /** E.164 with the plus sign. */
    phoneNumber: v.string(),
    state: v.union(v.literal("active"), v.literal("disabled")),
    /** False until a person owns the account; the first owner of the instance takes these over. */
    hasOwner: v.boolean(),
    /** Random, minted with the first secret; part of the additional data of every envelope of this row. */
    sealId: v.string(),
    accessTokenSealed: v.string(),
    /** Absent when the deployment's own FACEBOOK_APP_SECRET signs this number's webhooks. */
    appSecretSealed: v.optional(v.string()),
    /** Still accepted until `previousAppSecretUntil` (ms), so that a rotation loses no webhook. */
    previousAppSecretSealed: v.optional(v.string()),
    previousAppSecretUntil: v.optional(v.number()),
  })
    .index("by_phone_number_id", ["phoneNumberId"])
    .index("by_phone_number", ["phoneNumber"])
    .index("by_waba_id", ["wabaId"])
    .index("by_has_owner", ["hasOwner"]),

  /** Who may open an account. `userId` is the sign-in store's id. */
  accountMembers: defineTable({
    accountId: v.id("accounts"),
    userId: v.string(),
    role: accountRole,
  })
    .index("by_account_user", ["accountId", "userId"])
    .index("by_user", ["userId"]),
};
