import { v } from "convex/values";
import { callerMutation, callerQuery } from "./functions";
import { answerConfirmation, readConfirmation } from "./model/confirmations";
import { noteFlagged, shownTexts } from "./model/flaggedReads";
import { confirmationAnswer } from "./tables/confirmations";

/** Called before the texts are handed over, so that no send can come between the two. */
export const noteShown = callerMutation({
  // Whatever tool a key may call, it may be shown something.
  tools: "any",
  args: { shown: v.array(shownTexts) },
  returns: v.null(),
  handler: async (ctx, { shown }) => {
    await noteFlagged(ctx, ctx.caller, shown, Date.now());
    return null;
  },
});

/** What the person said whom the key's client asked about a send. */
export const answer = callerMutation({
  // The token is of a send that the key was allowed to ask for.
  tools: "any",
  args: { token: v.string(), answer: confirmationAnswer },
  returns: v.null(),
  handler: async (ctx, args) => {
    await answerConfirmation(ctx, ctx.caller, args, Date.now());
    return null;
  },
});

/** What they said so far, for the request that waits for it, in whichever process it does. */
export const read = callerQuery({
  // As for `answer`.
  tools: "any",
  args: { token: v.string() },
  returns: v.union(v.literal("waiting"), confirmationAnswer, v.literal("over")),
  handler: async (ctx, { token }) => await readConfirmation(ctx, ctx.caller, token),
});
