import { CANDIDATE_SECRETS_MAX, matchingSecret } from "#shared/signature";
import { phoneNumberIds } from "#shared/whatsapp/phone-number-ids";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { findByPhoneNumberId } from "./accounts";
import { setting } from "./env";
import { openAccountSecret } from "./secrets";

/** Who signed a body, and for which accounts that signature counts. */
export interface Signer {
  /** `app`, or the account id with `current` or `previous`; names the secret without telling it. */
  readonly label: string;
  readonly accountIds: readonly Id<"accounts">[];
  /** The accounts that the body names, of which the signature may count for some only. */
  readonly named: readonly Doc<"accounts">[];
}

interface Candidate {
  readonly label: string;
  readonly secret: string;
  readonly accountIds: Set<Id<"accounts">>;
}

/** Accounts of one WABA that are asked for their secret when a body names no number; a WABA has at most 20 numbers. */
const ACCOUNTS_PER_WABA_MAX = 20;

/** Where the first WABA id stands in a body that names no number, such as an update of a template. */
const WABA_ID = /"entry"\s*:\s*\[\s*\{\s*"id"\s*:\s*"?(\d{1,20})(?!\d)/;

/** How far into a body the WABA id is looked for. It stands within the first hundred bytes of everything Meta sends. */
const WABA_SCAN_CHARACTERS = 1024;

/**
 * Verifies the signature of a body over its raw bytes. Before that nothing of the body is read but the ids that name
 * the accounts to ask, by a bounded scan. Null when no candidate secret signed it, whatever the reason.
 */
export async function findSigner(
  ctx: QueryCtx,
  body: ArrayBuffer,
  signature: string | null,
  now: number,
): Promise<Signer | null> {
  const named = await namedAccounts(ctx, body);
  const candidates = await candidateSecrets(named, now);
  const match = await matchingSecret(
    body,
    signature,
    candidates.map(({ secret }) => secret),
  );
  const signer = match === null ? undefined : candidates[match];
  return signer === undefined ? null : { label: signer.label, accountIds: [...signer.accountIds], named };
}

/** The accounts that a body names, by its numbers or by its WhatsApp Business account; before anything is believed. */
export async function namedAccounts(ctx: QueryCtx, body: ArrayBuffer): Promise<Doc<"accounts">[]> {
  const numbers = phoneNumberIds(body);
  if (numbers.length === 0) return await accountsOfWaba(ctx, body);
  const accounts = await Promise.all(numbers.map((id) => findByPhoneNumberId(ctx, id)));
  return accounts.filter((account) => account !== null);
}

async function accountsOfWaba(ctx: QueryCtx, body: ArrayBuffer): Promise<Doc<"accounts">[]> {
  const head = new TextDecoder().decode(body.slice(0, WABA_SCAN_CHARACTERS));
  const wabaId = WABA_ID.exec(head)?.[1];
  if (wabaId === undefined) return [];
  return await ctx.db
    .query("accounts")
    .withIndex("by_waba_id", (q) => q.eq("wabaId", wabaId))
    .take(ACCOUNTS_PER_WABA_MAX);
}

/**
 * The distinct secrets that may have signed the body, at most five. The deployment's own app secret counts for the
 * accounts that bring none; an account with a secret of its own is vouched for by that one only.
 */
async function candidateSecrets(accounts: readonly Doc<"accounts">[], now: number): Promise<Candidate[]> {
  const bySecret = new Map<string, Candidate>();
  const add = (secret: string | null | undefined, label: string, accountIds: readonly Id<"accounts">[]) => {
    if (secret === null || secret === undefined || secret === "") return;
    const known = bySecret.get(secret);
    if (known === undefined) bySecret.set(secret, { label, secret, accountIds: new Set(accountIds) });
    else for (const accountId of accountIds) known.accountIds.add(accountId);
  };
  const withoutOwn = accounts.filter((account) => account.appSecretSealed === undefined);
  add(
    setting("FACEBOOK_APP_SECRET"),
    "app",
    withoutOwn.map((account) => account._id),
  );
  for (const account of accounts) add(await openCurrent(account), `${account._id}:current`, [account._id]);
  for (const account of accounts)
    add(await openPrevious(account, now), `${account._id}:previous`, [account._id]);
  return [...bySecret.values()].slice(0, CANDIDATE_SECRETS_MAX);
}

async function openCurrent(account: Doc<"accounts">): Promise<string | null> {
  const sealed = account.appSecretSealed;
  return sealed === undefined ? null : await openAccountSecret(account, "appSecret", sealed);
}

async function openPrevious(account: Doc<"accounts">, now: number): Promise<string | null> {
  const { previousAppSecretSealed: sealed, previousAppSecretUntil: until } = account;
  if (sealed === undefined || until === undefined || until <= now) return null;
  return await openAccountSecret(account, "appSecret", sealed);
}
