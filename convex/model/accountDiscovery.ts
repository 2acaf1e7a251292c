import { type Infer, v } from "convex/values";
import { defined } from "#shared/defined";
import { DAY_MS } from "#shared/time";
import type { GraphClient } from "#shared/whatsapp/client";
import { getAccount, listNumbers, type NumberInfo } from "#shared/whatsapp/client-accounts";
import {
  exchangeCode,
  extendToken,
  listBusinessAccounts,
  listBusinesses,
  type Named,
  type TokenInfo,
} from "#shared/whatsapp/client-login";
import { internal } from "../_generated/api";
import type { Id } from "../_generated/dataModel";
import type { ActionCtx, QueryCtx } from "../_generated/server";
import { askAboutToken, requireAnswer, requireSecret } from "./accountSetup";
import { findByPhoneNumberId } from "./accounts";
import { GRANT_MS, sealGrant } from "./discoveryGrant";
import { fail } from "./errors";
import { graphClient, graphOptions, metaApp } from "./graph";
import { findMembership } from "./identity";

/**
 * Businesses, WhatsApp Business accounts and numbers that one look lists. A person has a few; an agency that has more
 * picks them at Meta, or connects by ids. Together with `AT_ONCE` this keeps a look below some 100 calls.
 */
const BUSINESSES_MAX = 20;
const ACCOUNTS_MAX = 40;
const NUMBERS_MAX = 200;
/** Questions that Meta is asked at the same time. */
const AT_ONCE = 5;
/** A token that ends sooner is exchanged for one of 60 days, because an account would stop within hours. */
const SHORT_TOKEN_MS = 2 * DAY_MS;
/** Meta's codes have some hundred characters. */
const CODE_CHARACTERS_MAX = 4096;

/** What a person brings: a token of theirs, or the code with which Meta's login or Embedded Signup ended. */
export const discoveryCredential = v.union(
  v.object({ kind: v.literal("token"), accessToken: v.string() }),
  v.object({
    kind: v.literal("code"),
    code: v.string(),
    /** The address that the dialog was opened with; codes of the Embedded Signup window have none. */
    redirectUrl: v.optional(v.string()),
  }),
);

/** Whether a number can be connected. Of a number that others have here, only that it cannot be had is told. */
export const numberConnection = v.object({
  phoneNumberId: v.string(),
  connection: v.union(v.literal("free"), v.literal("connected"), v.literal("unavailable")),
  /** The caller's own account that has it. */
  accountId: v.optional(v.id("accounts")),
});

const discoveredNumber = v.object({
  ...numberConnection.fields,
  phoneNumber: v.optional(v.string()),
  verifiedName: v.optional(v.string()),
  status: v.optional(v.string()),
  quality: v.optional(v.string()),
});

export const discovery = v.object({
  /** Opens the token again for `accounts:import`, for this person and until `grantExpiresAt` (ms). */
  grant: v.string(),
  grantExpiresAt: v.number(),
  /** False when something could not be listed: too much of it, or Meta did not show it. */
  complete: v.boolean(),
  accounts: v.array(
    v.object({
      wabaId: v.string(),
      name: v.optional(v.string()),
      business: v.optional(v.object({ id: v.string(), name: v.optional(v.string()) })),
      numbers: v.array(discoveredNumber),
    }),
  ),
});

/**
 * Lists what the credential shows: businesses, their own and shared WhatsApp accounts, and the numbers of those. The
 * token itself is handed back only sealed. Throws what Meta's refusal means, `misconfigured` for a code where the
 * deployment has no Meta app, or `invalid_request`.
 */
export async function discoverNumbers(
  ctx: ActionCtx,
  userId: string,
  credential: Infer<typeof discoveryCredential>,
  now: number,
): Promise<Infer<typeof discovery>> {
  const { accessToken, token } = await usableToken(credential, now);
  const client = graphClient(accessToken);
  const found = await findAccounts(client, token);
  const shown = found.accounts.slice(0, ACCOUNTS_MAX);
  const lists = await inTurns(shown, async ({ id }) => await listNumbers(client, id));
  let left = NUMBERS_MAX;
  let complete = found.complete && shown.length === found.accounts.length;
  const listed = shown.map((account, index) => {
    const list = lists[index];
    const numbers = list?.ok ? list.value.slice(0, left) : [];
    complete &&= list?.ok === true && numbers.length === list.value.length;
    left -= numbers.length;
    return { ...account, numbers };
  });
  const phoneNumberIds = listed.flatMap(({ numbers }) => numbers.map(({ id }) => id));
  const connections = await ctx.runQuery(internal.accounts.connections, { userId, phoneNumberIds });
  const connectionOf = new Map(connections.map((row) => [row.phoneNumberId, row]));
  return {
    grant: await sealGrant(userId, accessToken, now),
    grantExpiresAt: now + GRANT_MS,
    complete,
    accounts: listed.map(({ id, name, business, numbers }) => ({
      wabaId: id,
      ...defined({ name, business }),
      numbers: numbers.map((number) => viewNumber(number, connectionOf.get(number.id))),
    })),
  };
}

function viewNumber(number: NumberInfo, connection: Infer<typeof numberConnection> | undefined) {
  const { id, displayPhoneNumber, verifiedName, status, quality } = number;
  return {
    ...(connection ?? { phoneNumberId: id, connection: "free" as const }),
    ...defined({ phoneNumber: displayPhoneNumber, verifiedName, status, quality }),
  };
}

/** Whether each number is free, connected to an account of this person, or not to be had. */
export async function connectionsOf(
  ctx: QueryCtx,
  userId: string,
  phoneNumberIds: readonly string[],
): Promise<Infer<typeof numberConnection>[]> {
  return await Promise.all(
    phoneNumberIds.slice(0, NUMBERS_MAX).map(async (phoneNumberId) => {
      const account = await findByPhoneNumberId(ctx, phoneNumberId);
      if (account === null) return { phoneNumberId, connection: "free" as const };
      const membership = await findMembership(ctx, account._id, userId);
      if (membership === null) return { phoneNumberId, connection: "unavailable" as const };
      const accountId: Id<"accounts"> = account._id;
      return { phoneNumberId, connection: "connected" as const, accountId };
    }),
  );
}

/** The token of the credential, exchanged for a lasting one where it soon ends and the deployment's app may do that. */
async function usableToken(
  credential: Infer<typeof discoveryCredential>,
  now: number,
): Promise<{ accessToken: string; token: TokenInfo | null }> {
  const given = await tokenOf(credential);
  const token = await askAboutToken(given);
  if (token !== null && !token.isValid) fail("whatsapp_auth", { field: "accessToken" });
  const app = metaApp();
  const endsSoon = token?.expiresAtMs !== undefined && token.expiresAtMs < now + SHORT_TOKEN_MS;
  if (app === null || !endsSoon) return { accessToken: given, token };
  const extended = await extendToken(graphOptions(), app, given);
  return { accessToken: extended.ok ? extended.value.token : given, token };
}

async function tokenOf(credential: Infer<typeof discoveryCredential>): Promise<string> {
  if (credential.kind === "token") return requireSecret(credential.accessToken, "accessToken");
  const code = credential.code.trim();
  if (code === "" || code.length > CODE_CHARACTERS_MAX) fail("invalid_request", { field: "code" });
  const app = metaApp();
  if (app === null) {
    fail("misconfigured", {
      setting: "FACEBOOK_APP_ID",
      say: "Signing in with Facebook needs FACEBOOK_APP_ID and FACEBOOK_APP_SECRET on the deployment.",
    });
  }
  const exchanged = await exchangeCode(graphOptions(), app, code, credential.redirectUrl);
  return requireAnswer(exchanged, "code").token;
}

type FoundAccount = Named & { readonly business?: Named };

/**
 * The WhatsApp accounts of the token: those of its businesses, and those that it names itself, because the token of
 * Embedded Signup may see an account without seeing the business that owns it.
 */
async function findAccounts(
  client: GraphClient,
  token: TokenInfo | null,
): Promise<{ accounts: FoundAccount[]; complete: boolean }> {
  const named = [...new Set(Object.values(token?.targets ?? {}).flat())].slice(0, ACCOUNTS_MAX);
  const answer = await listBusinesses(client);
  // The token of Embedded Signup may list no business; then what it names itself is all there is.
  const listed = named.length === 0 ? requireAnswer(answer, "accessToken") : [];
  const businesses = answer.ok ? answer.value : listed;
  const looked = businesses.slice(0, BUSINESSES_MAX);
  let complete = looked.length === businesses.length;
  const found = new Map<string, FoundAccount>();
  const lists = await inTurns(looked, async ({ id }) => await listBusinessAccounts(client, id));
  for (const [index, business] of looked.entries()) {
    const list = lists[index];
    complete &&= list?.ok === true;
    for (const account of list?.ok ? list.value : []) {
      if (!found.has(account.id)) found.set(account.id, { ...account, business });
    }
  }
  const unknown = named.filter((id) => !found.has(id) && !businesses.some((business) => business.id === id));
  // A target may also be a business or a number: only what answers as a WhatsApp account with numbers is one.
  for (const account of await inTurns(unknown, async (id) => await getAccount(client, id))) {
    if (account.ok)
      found.set(account.value.id, { id: account.value.id, ...defined({ name: account.value.name }) });
  }
  return { accounts: [...found.values()], complete };
}

/** As `Promise.all` over the items, a few at a time, in their order. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(ask))));
  }
  return results;
}
