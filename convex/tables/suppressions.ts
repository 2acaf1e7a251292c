import { defineTable } from "convex/server";
import { v } from "convex/values";
import { consentMark } from "./consent";

/**
 * Written by `model/suppressions`, read by `model/consent`.
 *
 * suppressions: what is left of an erased person: that they, whoever they are, do not want messages. `identityHash` is
 * a keyed hash of one identity within one account, so nobody learns from it who they are, but when the same person
 * comes back they are recognised.
 */
export const suppressionTables = {
  suppressions: defineTable({
    accountId: v.id("accounts"),
    identityHash: v.string(),
    marketing: v.optional(consentMark),
    all: v.optional(consentMark),
  }).index("by_account_identity", ["accountId", "identityHash"]),
};
