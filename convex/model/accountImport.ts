import { ConvexError, type Infer, v } from "convex/values";
import { type AppErrorData, isAppErrorData } from "#shared/errors";
import { internal } from "../_generated/api";
import type { Id } from "../_generated/dataModel";
import type { ActionCtx } from "../_generated/server";
import { register, requirePin, subscribe } from "./accountActions";
import { type AccountDraft, prepareAccount } from "./accountSetup";
import { userActor } from "./actor";
import { openGrant } from "./discoveryGrant";
import { fail } from "./errors";

/** Numbers that one call connects; each takes some calls to Meta, and an action has minutes. */
const IMPORT_MAX = 20;

export const chosenNumber = v.object({
  wabaId: v.string(),
  phoneNumberId: v.string(),
  /** What its people call it here; the verified name unless given. */
  name: v.optional(v.string()),
  /** For a number whose webhooks another app than the deployment's signs. */
  appSecret: v.optional(v.string()),
  /** Registers the number with this two-step PIN. */
  pin: v.optional(v.string()),
});

const problem = v.object({ code: v.string(), message: v.string() });

/** What became of one number. Once it is connected it stays so: what did not work then, its health page mends. */
export const connectedNumber = v.object({
  outcome: v.literal("connected"),
  phoneNumberId: v.string(),
  accountId: v.id("accounts"),
  /** Null when it worked. */
  subscribeProblem: v.union(problem, v.null()),
  /** Null when it worked, or was not asked for. */
  registerProblem: v.union(problem, v.null()),
});
export const importedNumber = v.union(
  connectedNumber,
  v.object({ outcome: v.literal("refused"), phoneNumberId: v.string(), problem }),
);

/**
 * Connects numbers with the token of a discovery, each by itself: one that is refused keeps none of the others out.
 * Throws `invalid_request` for a grant that is over.
 */
export async function importNumbers(
  ctx: ActionCtx,
  userId: string,
  request: { grant: string; numbers: readonly Infer<typeof chosenNumber>[] },
  now: number,
): Promise<Infer<typeof importedNumber>[]> {
  const { grant, numbers } = request;
  if (numbers.length === 0 || numbers.length > IMPORT_MAX) {
    fail("invalid_request", { field: "numbers", say: `Choose 1 to ${IMPORT_MAX} numbers.` });
  }
  for (const { pin } of numbers) if (pin !== undefined) requirePin(pin);
  const accessToken = await openGrant(userId, grant, now);
  const results: Infer<typeof importedNumber>[] = [];
  for (const { pin, ...chosen } of numbers) {
    const { phoneNumberId } = chosen;
    try {
      results.push(await connectNumber(ctx, userId, { ...chosen, accessToken }, pin));
    } catch (error) {
      results.push({ outcome: "refused", phoneNumberId, problem: told(problemOf(error)) });
    }
  }
  return results;
}

/**
 * Connects one number for a person, who becomes its owner: proof with Meta, the account, its webhooks, and its
 * registration if a PIN is given. Throws when the number cannot be connected, and nothing is stored then.
 */
export async function connectNumber(
  ctx: ActionCtx,
  userId: string,
  draft: AccountDraft,
  pin: string | undefined,
): Promise<Infer<typeof connectedNumber>> {
  if (pin !== undefined) requirePin(pin);
  const prepared = await prepareAccount(draft);
  const accountId: Id<"accounts"> = await ctx.runMutation(internal.accounts.insert, { userId, ...prepared });
  const task = { actor: userActor(userId), accountId };
  return {
    outcome: "connected",
    phoneNumberId: prepared.phoneNumberId,
    accountId,
    subscribeProblem: await attempt(subscribe(ctx, task)),
    registerProblem: pin === undefined ? null : await attempt(register(ctx, task, pin)),
  };
}

async function attempt(step: Promise<void>): Promise<Infer<typeof problem> | null> {
  try {
    await step;
    return null;
  } catch (error) {
    return told(problemOf(error));
  }
}

const told = ({ code, message }: AppErrorData) => ({ code, message });

/** An error that is ours to tell; any other is a defect and goes on. */
function problemOf(error: unknown): AppErrorData {
  if (error instanceof ConvexError && isAppErrorData(error.data)) return error.data;
  throw error;
}
