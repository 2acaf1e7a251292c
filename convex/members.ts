import { v } from "convex/values";
import { internalQuery } from "./functions";
import { requireAnyMember } from "./model/identity";
import { accountRole } from "./tables/accounts";

/** Who the signed-in person is in an account; what actions ask first, because they see no rows. */
export const current = internalQuery({
  args: { accountId: v.string() },
  returns: v.object({ userId: v.string(), role: accountRole }),
  handler: async (ctx, args) => {
    const { userId, role } = await requireAnyMember(ctx, args.accountId);
    return { userId, role };
  },
});
