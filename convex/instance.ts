import { v } from "convex/values";
import { publicQuery, serviceMutation } from "./functions";
import { claimInstance, findInstance } from "./model/instance";

/** Whether somebody owns this deployment; the sign-up page shows the first-owner form only while nobody does. */
export const status = publicQuery({
  args: {},
  returns: v.object({ claimed: v.boolean() }),
  handler: async (ctx) => ({ claimed: (await findInstance(ctx)) !== null }),
});

/** Makes the user the owner of the deployment and of every account without one. Fails when somebody was first. */
export const claim = serviceMutation({
  args: { userId: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await claimInstance(ctx, args.userId, Date.now());
    return null;
  },
});
