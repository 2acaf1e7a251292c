import { defined } from "../defined";
import { SECOND_MS } from "../time";
import { GraphClient, type GraphClientOptions, type ReadResult } from "./client";
import { mapResult } from "./client-accounts";
import { asObject, get, getArray, getId, getNumber, getObject, getWord, type JsonObject } from "./json";

/** The Meta app that people sign in with. */
export interface MetaApp {
  readonly appId: string;
  readonly appSecret: string;
}

export type LoginOptions = Omit<GraphClientOptions, "accessToken" | "appSecret">;

export interface AccessToken {
  readonly token: string;
  /** Absent for a token that does not say; Embedded Signup's do not. */
  readonly expiresInMs?: number;
}

/** What Meta knows about a token (`debug_token`). */
export interface TokenInfo {
  readonly isValid: boolean;
  readonly appId?: string;
  /** `USER`, `SYSTEM_USER`, `PAGE` or `APP`. */
  readonly type?: string;
  readonly userId?: string;
  /** Milliseconds since 1970; absent for a token that never expires. */
  readonly expiresAtMs?: number;
  readonly dataAccessExpiresAtMs?: number;
  readonly scopes: readonly string[];
  /** For each scope the businesses, accounts or numbers that the person picked; absent where it is all of them. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  readonly error?: { readonly code?: number; readonly subcode?: number; readonly message?: string };
}

/** What Pons needs of a person's Meta account. */
export const LOGIN_SCOPES = [
  "whatsapp_business_management",
  "whatsapp_business_messaging",
  "business_management",
] as const;

/** Businesses and accounts of one person; lists beyond are read to this length. */
const LIST_MAX = 500;

/**
 * Address of Meta's page where a person agrees. `state` must be single use and bound to the browser's session; Meta
 * gives it back unchanged (Meta: "Manually build a login flow").
 */
export function loginDialogUrl(
  dialogBaseUrl: string,
  version: string,
  ask: {
    readonly appId: string;
    readonly redirectUrl: string;
    readonly state: string;
    readonly configId?: string;
  },
): string {
  const query = new URLSearchParams({
    client_id: ask.appId,
    redirect_uri: ask.redirectUrl,
    state: ask.state,
    response_type: "code",
    // A configuration of "Facebook Login for Business" names the scopes itself.
    ...(ask.configId === undefined ? { scope: LOGIN_SCOPES.join(",") } : { config_id: ask.configId }),
  });
  return `${dialogBaseUrl.replace(/\/+$/, "")}/${version}/dialog/oauth?${query}`;
}

/**
 * A token for the code that came back. The redirect address must be the one of the dialog; codes of the Embedded
 * Signup window have none. A code works once.
 */
export async function exchangeCode(
  options: LoginOptions,
  app: MetaApp,
  code: string,
  redirectUrl?: string,
): Promise<ReadResult<AccessToken>> {
  return askToken(options, {
    client_id: app.appId,
    client_secret: app.appSecret,
    code,
    ...defined({ redirect_uri: redirectUrl }),
  });
}

/** A token of about 60 days for a short-lived one. There is no refresh after that: the person signs in again. */
export async function extendToken(
  options: LoginOptions,
  app: MetaApp,
  token: string,
): Promise<ReadResult<AccessToken>> {
  return askToken(options, {
    grant_type: "fb_exchange_token",
    client_id: app.appId,
    client_secret: app.appSecret,
    fb_exchange_token: token,
  });
}

/** What a token may do and until when, asked with the app's own credential. */
export async function inspectToken(
  options: LoginOptions,
  app: MetaApp,
  token: string,
): Promise<ReadResult<TokenInfo>> {
  return await inspectOwnToken(
    new GraphClient({ ...options, accessToken: `${app.appId}|${app.appSecret}` }),
    token,
  );
}

/** As `inspectToken`, with the credential of the client: a token of an app may ask about itself. */
export async function inspectOwnToken(client: GraphClient, token: string): Promise<ReadResult<TokenInfo>> {
  return mapResult(await client.get("/debug_token", { input_token: token }), (json) =>
    readTokenInfo(getObject(json, "data")),
  );
}

/** The businesses that the person of the token belongs to. */
export async function listBusinesses(client: GraphClient): Promise<ReadResult<readonly Named[]>> {
  return mapResult(await client.list("/me/businesses", { fields: "id,name" }, LIST_MAX), namedRows);
}

/** WhatsApp accounts of a business: its own, and those that clients shared with it. Each once. */
export async function listBusinessAccounts(
  client: GraphClient,
  businessId: string,
): Promise<ReadResult<readonly Named[]>> {
  const found = new Map<string, Named>();
  for (const edge of ["owned_whatsapp_business_accounts", "client_whatsapp_business_accounts"]) {
    const path = `/${encodeURIComponent(businessId)}/${edge}`;
    const list = mapResult(await client.list(path, { fields: "id,name" }, LIST_MAX), namedRows);
    if (!list.ok) return list;
    for (const account of list.value) found.set(account.id, account);
  }
  return { ok: true, value: [...found.values()] };
}

export interface Named {
  readonly id: string;
  readonly name?: string;
}

function namedRows({ rows }: { readonly rows: readonly unknown[] }): Named[] {
  return rows.flatMap((row) => {
    const id = getId(asObject(row), "id");
    return id === undefined ? [] : [{ id, ...defined({ name: getWord(asObject(row), "name") }) }];
  });
}

async function askToken(
  options: LoginOptions,
  query: Readonly<Record<string, string>>,
): Promise<ReadResult<AccessToken>> {
  const client = new GraphClient({ ...options, accessToken: "" });
  return mapResult(await client.get("/oauth/access_token", query), (json: JsonObject) => {
    const token = getWord(json, "access_token");
    if (token === undefined) return undefined;
    const seconds = getNumber(json, "expires_in");
    return { token, ...defined({ expiresInMs: seconds === undefined ? undefined : seconds * SECOND_MS }) };
  });
}

function readTokenInfo(data: JsonObject | undefined): TokenInfo | undefined {
  const isValid = get(data, "is_valid");
  if (data === undefined || typeof isValid !== "boolean") return undefined;
  const words = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((word): word is string => typeof word === "string") : [];
  const granular = (getArray(data, "granular_scopes") ?? []).map(asObject).flatMap((entry) => {
    const scope = getWord(entry, "scope");
    const targets = get(entry, "target_ids");
    return scope === undefined || targets === undefined ? [] : [[scope, words(targets)] as const];
  });
  const error = getObject(data, "error");
  return {
    isValid,
    scopes: words(get(data, "scopes")),
    targets: Object.fromEntries(granular),
    ...defined({
      appId: getId(data, "app_id"),
      type: getWord(data, "type"),
      userId: getId(data, "user_id"),
      expiresAtMs: momentOf(data, "expires_at"),
      dataAccessExpiresAtMs: momentOf(data, "data_access_expires_at"),
      error:
        error &&
        defined({
          code: getNumber(error, "code"),
          subcode: getNumber(error, "subcode"),
          message: getWord(error, "message"),
        }),
    }),
  };
}

/** Meta writes 0 for "never". */
function momentOf(data: JsonObject, key: string): number | undefined {
  const seconds = getNumber(data, key);
  return seconds === undefined || seconds <= 0 ? undefined : seconds * SECOND_MS;
}
