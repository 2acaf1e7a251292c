import { type Refusal, refusal } from "#shared/errors";
import { fitsDirection, hasScope, type Scope } from "#shared/scopes";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { findByNumber } from "./accounts";
import type { Caller } from "./identity";
import type { TemplateChoice } from "./templates";

/**
 * A refusal as doors return it; `message_id` names the earlier message of a suspected duplicate, `templates` those that
 * could be sent, the most likely one first, `confirm` what a person has to be asked.
 */
export type DoorRefusal = Refusal & {
  message_id?: Id<"messages">;
  templates?: TemplateChoice[];
  confirm?: Question;
};

/** What a person is asked about a send that must be confirmed, and the token that says that they agreed. */
interface Question {
  token: string;
  /** When the token ends (ms). */
  expiresAt: number;
  /** The business number that would send. */
  from: string;
  /** Phone number, @username or id of whom it would go to. */
  recipient: string;
  /** What that customer calls themselves. */
  name?: string;
  /** What they would get, in words. */
  text: string;
}

export type Granted = { refused?: never; account: Doc<"accounts"> };

/**
 * The business number that a key works with in this call: scope first, then the number. A number outside the key's
 * grant, one that does not exist and one that is switched off give the same refusal.
 */
export async function grantNumber(
  ctx: QueryCtx,
  caller: Caller,
  needed: Scope,
  from: string | undefined,
): Promise<Granted | DoorRefusal> {
  const barred = refuseScope(caller, needed);
  if (barred !== null) return barred;
  const account = from === undefined ? await onlyNumber(ctx, caller) : await findByNumber(ctx, from);
  if (account === "several") return refusal("number_required");
  if (account === null || account.state !== "active") return refusal("not_found");
  return caller.grantedAccountIds.includes(account._id) ? { account } : refusal("not_found");
}

/**
 * The refusal of a key that lacks the scope, or works the other direction only; null for one that may. Asked before
 * anything is looked up, so that a key which may not read a thing does not learn whether it exists.
 */
export function refuseScope(caller: Caller, needed: Scope): Refusal | null {
  if (!hasScope(caller.scopes, needed)) {
    return refusal("scope_missing", { say: `The credential lacks the scope "${needed}".` });
  }
  if (!fitsDirection(caller.key.direction, needed)) {
    return refusal("scope_missing", { say: `The key works ${caller.key.direction} only.` });
  }
  return null;
}

/**
 * Whether anything of this key may reach a customer. A scope alone does not tell: a reaction is sent under `write`,
 * which a key that only reads may have for the inbox.
 */
export function mayReachCustomers(key: Pick<Doc<"apiKeys">, "direction">): boolean {
  return key.direction !== "inbound";
}

async function onlyNumber(ctx: QueryCtx, caller: Caller): Promise<Doc<"accounts"> | null | "several"> {
  const [only, ...others] = caller.grantedAccountIds;
  if (only === undefined) return null;
  return others.length > 0 ? "several" : await ctx.db.get(only);
}
