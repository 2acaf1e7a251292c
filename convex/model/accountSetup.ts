import { defined } from "#shared/defined";
import { NEEDED_TOKEN_SCOPES } from "#shared/domain/account-health";
import type { ReadResult } from "#shared/whatsapp/client";
import { getNumberInfo, listNumbers, type NumberInfo } from "#shared/whatsapp/client-accounts";
import { inspectOwnToken, inspectToken, type TokenInfo } from "#shared/whatsapp/client-login";
import { graphErrorRule } from "#shared/whatsapp/graph-errors";
import { checkNewAccount, NAME_CHARACTERS_MAX } from "./accounts";
import { fail } from "./errors";
import { graphClient, graphOptions, metaApp } from "./graph";
import { sealAccountSecret } from "./secrets";

/** Longest token or secret that is taken; Meta's tokens have about 200 characters. */
const SECRET_CHARACTERS_MAX = 4096;

/** What somebody gives who connects a number; the display number is Meta's to say, and only compared if given. */
export interface AccountDraft {
  /** The verified name unless given. */
  name?: string;
  wabaId: string;
  phoneNumberId: string;
  phoneNumber?: string;
  accessToken: string;
  appSecret?: string;
}

/**
 * Checks a new account outside the database: the fields, then with Graph that the token may use the very number and
 * account it claims (otherwise anybody could claim another's number and receive its customers), then seals the
 * secrets. Throws `invalid_request`, the error that Meta's refusal means, or `whatsapp_unreachable`.
 */
export async function prepareAccount(draft: AccountDraft) {
  const given = checkNewAccount({
    ...draft,
    name: draft.name ?? "unnamed",
    phoneNumber: draft.phoneNumber ?? "00000",
  });
  const accessToken = requireSecret(draft.accessToken, "accessToken");
  const appSecret = draft.appSecret === undefined ? undefined : requireSecret(draft.appSecret, "appSecret");
  const proof = await proveOwnership(given, accessToken);
  const { displayPhoneNumber = "", verifiedName } = proof.number;
  const { name, phoneNumber } = checkNewAccount({
    ...given,
    name: draft.name ?? verifiedName?.slice(0, NAME_CHARACTERS_MAX) ?? displayPhoneNumber,
    phoneNumber: displayPhoneNumber,
  });
  if (draft.phoneNumber !== undefined && phoneNumber !== given.phoneNumber) {
    fail("invalid_request", {
      field: "phoneNumber",
      say: "WhatsApp knows this number id by another number.",
    });
  }
  const sealId = crypto.randomUUID();
  return {
    ...given,
    name,
    phoneNumber,
    number: factsOf(proof.number),
    ...tokenEnds(proof.token),
    sealId,
    accessTokenSealed: await sealAccountSecret({ sealId }, "accessToken", accessToken),
    ...(appSecret !== undefined && {
      appSecretSealed: await sealAccountSecret({ sealId }, "appSecret", appSecret),
    }),
  };
}

/** The secret in its stored form. Throws `invalid_request`, naming the field and never the value. */
export function requireSecret(text: string, field: string): string {
  const secret = text.trim();
  if (secret === "" || secret.length > SECRET_CHARACTERS_MAX || /\s/.test(secret))
    fail("invalid_request", { field });
  return secret;
}

/**
 * Proves with an access token that its holder may use a number: Graph shows the number, lists it under the account,
 * and says that the token is valid and has the permissions. Throws what is missing.
 */
export async function proveOwnership(
  claim: { wabaId: string; phoneNumberId: string },
  accessToken: string,
): Promise<{ number: NumberInfo; token: TokenInfo | null }> {
  const client = graphClient(accessToken);
  const number = requireAnswer(await getNumberInfo(client, claim.phoneNumberId), "phoneNumberId");
  if (number.id !== claim.phoneNumberId) {
    fail("whatsapp_permission", {
      field: "phoneNumberId",
      say: "WhatsApp answered for another number than this one.",
    });
  }
  const numbers = requireAnswer(await listNumbers(client, claim.wabaId), "wabaId");
  if (!numbers.some(({ id }) => id === claim.phoneNumberId)) {
    fail("whatsapp_permission", {
      field: "wabaId",
      say: "The number is not one of this WhatsApp Business account.",
    });
  }
  return { number, token: await requireUsableToken(accessToken) };
}

/** What Meta knows about the token, or null where it does not say so to this deployment. */
async function requireUsableToken(accessToken: string): Promise<TokenInfo | null> {
  const token = await askAboutToken(accessToken);
  if (token === null) return null;
  if (!token.isValid) fail("whatsapp_auth", { field: "accessToken" });
  const missing = NEEDED_TOKEN_SCOPES.filter((scope) => !token.scopes.includes(scope));
  if (missing.length > 0) {
    fail("whatsapp_permission", {
      field: "accessToken",
      say: `The access token lacks ${missing.join(" and ")}.`,
    });
  }
  return token;
}

/**
 * `debug_token` with the deployment's own app, or where it has none or a token of another app was given, with the
 * token itself. Null when Meta does not answer that: the calls before have proven what matters.
 */
export async function askAboutToken(accessToken: string): Promise<TokenInfo | null> {
  const app = metaApp();
  const byApp = app === null ? null : await inspectToken(graphOptions(), app, accessToken);
  if (byApp?.ok) return byApp.value;
  const own = await inspectOwnToken(graphClient(accessToken), accessToken);
  return own.ok ? own.value : null;
}

/** When a token ends, as the account's row keeps it. */
export function tokenEnds(token: TokenInfo | null) {
  return defined({ tokenExpiresAt: token?.expiresAtMs, dataAccessExpiresAt: token?.dataAccessExpiresAtMs });
}

/** The facts about a number that its row keeps. */
export function factsOf(info: NumberInfo) {
  const { verifiedName, nameStatus, quality, status, throughput, messagingLimit, username, isPinSet } = info;
  return defined({
    verifiedName,
    nameStatus,
    quality,
    status,
    throughput,
    messagingLimit,
    username,
    isPinSet,
  });
}

/** Meta: an object that does not exist, or that the token may not see, is code 100 (older versions: 33, 803). */
const NOT_VISIBLE: ReadonlySet<number> = new Set([33, 100, 803]);

/** The value of an answer. Throws what Meta's refusal means; Meta's own words stay out of it, only its code is told. */
export function requireAnswer<T>(answer: ReadResult<T>, field: string): T {
  if (answer.ok) return answer.value;
  const { error, reason } = answer;
  if (error === undefined) fail("whatsapp_unreachable", { reason });
  if (NOT_VISIBLE.has(error.code)) {
    fail("whatsapp_permission", {
      field,
      graphCode: error.code,
      say: "WhatsApp does not show this to this access token.",
    });
  }
  fail(graphErrorRule(error).code, { graphCode: error.code });
}
