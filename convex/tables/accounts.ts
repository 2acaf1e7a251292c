import { defineTable } from "convex/server";
import { v } from "convex/values";
import { HEALTH_CHECKS, HEALTH_FIXES } from "#shared/domain/account-health";
import { ACCOUNT_STATES } from "#shared/domain/account-state";
import { TOKEN_WARNING_DAYS } from "#shared/domain/token-expiry";

/** The states of `shared/domain/account-state`, which says how one follows another. */
export const accountState = v.union(...ACCOUNT_STATES.map((state) => v.literal(state)));

export const accountRole = v.union(v.literal("owner"), v.literal("admin"), v.literal("member"));

/** Why nothing is sent from a number for now. `model/accountEvents` says what sets each and what ends it. */
export const pauseReason = v.union(
  v.literal("person"),
  v.literal("token_invalid"),
  v.literal("payment"),
  v.literal("account_banned"),
  v.literal("account_restricted"),
  v.literal("access_removed"),
);

/** Whether sends leave. An account without it has never been paused, which is the same as `active`. */
const sending = v.object({
  state: v.union(v.literal("active"), v.literal("paused")),
  reason: v.optional(pauseReason),
  /** When it became so (ms). */
  at: v.number(),
});

/** What Meta says about the number; words such as `quality` are Meta's own, so a new one is data and not a mistake. */
export const numberFacts = v.object({
  verifiedName: v.optional(v.string()),
  nameStatus: v.optional(v.string()),
  quality: v.optional(v.string()),
  status: v.optional(v.string()),
  throughput: v.optional(v.string()),
  /** `TIER_2K` and the like: people that may be written to first in 24 hours, for the whole portfolio. */
  messagingLimit: v.optional(v.string()),
  username: v.optional(v.string()),
  isPinSet: v.optional(v.boolean()),
  /** `APPROVED`, `REJECTED`, ...: Meta's review of the WhatsApp Business account. */
  reviewStatus: v.optional(v.string()),
  /** `SCHEDULE_FOR_DISABLE` or `DISABLE`; absent while nothing is banned. */
  banState: v.optional(v.string()),
  violation: v.optional(v.string()),
  restrictions: v.optional(v.array(v.object({ type: v.string(), expiresAt: v.optional(v.number()) }))),
  updatedAt: v.number(),
});

const { updatedAt: _updatedAt, ...factFields } = numberFacts.fields;
/** The facts as they are handed over; the row adds when they became so. */
export const numberFactsArg = v.object(factFields);

/** A number that was proven with Meta, on its way to its row; the secrets are sealed. */
export const preparedAccountArgs = {
  name: v.string(),
  wabaId: v.string(),
  phoneNumberId: v.string(),
  phoneNumber: v.string(),
  number: v.optional(numberFactsArg),
  tokenExpiresAt: v.optional(v.number()),
  dataAccessExpiresAt: v.optional(v.number()),
  sealId: v.string(),
  accessTokenSealed: v.string(),
  appSecretSealed: v.optional(v.string()),
};

/** One answer of `shared/domain/account-health`. */
export const healthCheck = v.object({
  name: v.union(...HEALTH_CHECKS.map((name) => v.literal(name))),
  state: v.union(v.literal("ok"), v.literal("warning"), v.literal("failed"), v.literal("unknown")),
  say: v.string(),
  fix: v.optional(v.union(...HEALTH_FIXES.map((fix) => v.literal(fix)))),
});

/** The latest warning that an access token ends (`model/tokenExpiry`). */
export const tokenWarning = v.object({
  /** The end that was told of (ms); with another one, the warnings begin anew. */
  endsAt: v.number(),
  days: v.union(...TOKEN_WARNING_DAYS.map((days) => v.literal(days))),
});

/**
 * Written by `model/accounts`, `model/accountLink`, `model/accountEvents` (`sending`, `number`) and `model/tokenExpiry` (the
 * ends of the token), read by every builder in `functions.ts`.
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
    state: accountState,
    /** When the last attempt to connect it began (ms). */
    connectingSince: v.optional(v.number()),
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
    /** Digest of the account's own verify token; the deployment's default is accepted beside it. */
    verifyTokenHash: v.optional(v.string()),
    /** End of the access token, and of its access to data (ms), where Meta names one. */
    tokenExpiresAt: v.optional(v.number()),
    dataAccessExpiresAt: v.optional(v.number()),
    sending: v.optional(sending),
    number: v.optional(numberFacts),
  })
    .index("by_phone_number_id", ["phoneNumberId"])
    .index("by_phone_number", ["phoneNumber"])
    .index("by_waba_id", ["wabaId"])
    .index("by_verify_token_hash", ["verifyTokenHash"])
    .index("by_has_owner", ["hasOwner"]),

  /** Who may open an account. `userId` is the sign-in store's id. */
  accountMembers: defineTable({
    accountId: v.id("accounts"),
    userId: v.string(),
    role: accountRole,
  })
    .index("by_account_user", ["accountId", "userId"])
    .index("by_user", ["userId"]),

  /**
   * Invitations, written by and read through `model/invites`. The token is never stored, only its digest; it works
   * once, until `expiresAt` (ms), for the person who signed up with `email`.
   */
  accountInvites: defineTable({
    accountId: v.id("accounts"),
    /** In lower case. */
    email: v.string(),
    role: accountRole,
    tokenHash: v.string(),
    /** User id, or `admin`. */
    invitedBy: v.string(),
    createdAt: v.number(),
    expiresAt: v.number(),
    acceptedAt: v.optional(v.number()),
    acceptedBy: v.optional(v.string()),
    revokedAt: v.optional(v.number()),
  })
    .index("by_token_hash", ["tokenHash"])
    .index("by_account_expiry", ["accountId", "expiresAt"]),

  /**
   * What the last look at an account found; one row per account. Written by and read through `model/accountHealth`,
   * apart from the account's row, which every subscription reads.
   */
  accountHealth: defineTable({
    accountId: v.id("accounts"),
    checkedAt: v.optional(v.number()),
    state: v.union(v.literal("ok"), v.literal("warning"), v.literal("failed"), v.literal("unknown")),
    checks: v.array(healthCheck),
    /** Deliveries that named the account and were signed with no known secret; counted at most once a minute. */
    lastBadSignatureAt: v.optional(v.number()),
    tokenWarning: v.optional(tokenWarning),
  }).index("by_account", ["accountId"]),
};
