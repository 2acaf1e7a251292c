import { v } from "convex/values";
import { userQuery } from "./functions";
import { listAccountsOf } from "./model/accounts";
import { accountView } from "./model/views";

/** The accounts that the signed-in person belongs to. */
export const list = userQuery({
  args: {},
  returns: v.array(accountView),
  handler: async (ctx) => await listAccountsOf(ctx, ctx.userId),
});
