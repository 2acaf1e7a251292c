import { v } from "convex/values";
import { pauseReason } from "../tables/accounts";

/** What all doors of API keys share about the business number that a call is about. */

/** Which of the key's business numbers; needed only when it may use several. Phone number or phone number id. */
export const fromArg = v.optional(v.string());

/** The number that was meant, as every answer names it. */
export const businessNumberView = v.object({
  accountId: v.id("accounts"),
  name: v.string(),
  phoneNumber: v.string(),
});

/** A number with whether messages can leave from it. */
export const grantedNumberView = v.object({
  name: v.string(),
  phoneNumber: v.string(),
  sending: v.union(v.literal("active"), v.literal("paused")),
  pausedFor: v.optional(pauseReason),
  /** Meta's own word. */
  quality: v.optional(v.string()),
});
