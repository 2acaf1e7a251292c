import { toHex } from "#shared/bytes";
import { defined } from "#shared/defined";
import { type Consent, type ConsentMark, nextConsentState } from "#shared/domain/consent-state";
import { hmacSha256 } from "#shared/signature";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { requireSetting } from "./env";

type Named = Pick<Doc<"contacts">, "accountId" | "phone" | "waId" | "userId">;

/**
 * Keeps what an erased person did not want, under hashes of how they are known. Only withdrawals are kept: a consent
 * that was given ends with the erasure.
 */
export async function suppress(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  identifiers: readonly string[],
  consent: Consent,
): Promise<void> {
  const kept = defined({
    marketing: withdrawn(consent.marketing),
    all: withdrawn(consent.all),
  });
  if (Object.keys(kept).length === 0) return;
  const [pepper] = peppers();
  if (pepper === undefined) return;
  for (const identifier of identifiers) {
    const identityHash = await hashOf(pepper, accountId, identifier);
    const known = await findSuppression(ctx, accountId, identityHash);
    if (known === null) await ctx.db.insert("suppressions", { accountId, identityHash, ...kept });
    else await ctx.db.patch(known._id, kept);
  }
}

/** What somebody who was erased before had withdrawn; empty for everybody else. */
export async function suppressedConsent(ctx: QueryCtx, contact: Named): Promise<Consent> {
  const any = await ctx.db
    .query("suppressions")
    .withIndex("by_account_identity", (q) => q.eq("accountId", contact.accountId))
    .first();
  // Most accounts never erased anybody, and then nothing has to be hashed.
  if (any === null) return {};
  let consent: Consent = {};
  for (const identifier of identifiersOf(contact)) {
    for (const pepper of peppers()) {
      const hash = await hashOf(pepper, contact.accountId, identifier);
      consent = join(consent, await findSuppression(ctx, contact.accountId, hash));
    }
  }
  return consent;
}

/** How a contact is known outside, in the spelling of its identities: digits of numbers, and the business-scoped id. */
function identifiersOf({ phone, waId, userId }: Named): string[] {
  const all = [phone?.replace(/^\+/, ""), waId, userId];
  return [...new Set(all.filter((value) => value !== undefined))];
}

function withdrawn(mark: ConsentMark | undefined): ConsentMark | undefined {
  return mark?.state === "withdrawn" ? mark : undefined;
}

function join(consent: Consent, more: Consent | null): Consent {
  if (more === null) return consent;
  const newest = (current: ConsentMark | undefined, mark: ConsentMark | undefined) =>
    mark === undefined ? current : nextConsentState(current, mark);
  return {
    marketing: newest(consent.marketing, more.marketing),
    all: newest(consent.all, more.all),
  };
}

async function findSuppression(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  identityHash: string,
): Promise<Doc<"suppressions"> | null> {
  return await ctx.db
    .query("suppressions")
    .withIndex("by_account_identity", (q) => q.eq("accountId", accountId).eq("identityHash", identityHash))
    .unique();
}

/** The values of API_KEY_PEPPER (`kid:value[,older]`), newest first; hashes made under an older one are still found. */
function peppers(): string[] {
  return requireSetting("API_KEY_PEPPER")
    .split(",")
    .map((entry) => entry.slice(entry.indexOf(":") + 1).trim())
    .filter((value) => value !== "");
}

async function hashOf(pepper: string, accountId: Id<"accounts">, identifier: string): Promise<string> {
  return toHex(await hmacSha256(pepper, JSON.stringify(["suppression", accountId, identifier])));
}
