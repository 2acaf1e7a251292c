import { createHmac } from "node:crypto";
import { badProof, badToken, type GraphFailure, noToken } from "../graph/graph-error";
import type { ReceivedRequest } from "../http";
import type { Simulation } from "../simulation";
import type { OtherApp, Token } from "../world";
import type { Scope } from "./scopes";

/** Meta: a token of a person lives for an hour or two until it is exchanged, then for about 60 days. */
export const SHORT_TOKEN_MS = 2 * 60 * 60 * 1000;
export const LONG_TOKEN_MS = 60 * 24 * 60 * 60 * 1000;
/** Meta: how long an app sees a person's data after the person last agreed. */
export const DATA_ACCESS_MS = 90 * 24 * 60 * 60 * 1000;
/** Tokens that are remembered; the oldest is forgotten beyond it, as if it had been revoked. */
const TOKENS_MAX = 1_000;

/** Makes a token for somebody and remembers it. */
export function issueToken(
  simulation: Simulation,
  grant: Pick<Token, "userId" | "scopes" | "wabaIds" | "type" | "appId"> & { livesMs: number | null },
): Token {
  const now = simulation.clock.now();
  const { livesMs, ...rest } = grant;
  const token: Token = {
    ...rest,
    token: `EAAS${simulation.ids.secret("token")}`,
    issuedAt: now,
    expiresAt: livesMs === null ? null : now + livesMs,
    dataAccessExpiresAt: livesMs === null ? null : now + DATA_ACCESS_MS,
    state: "valid",
  };
  const { tokens } = simulation.world;
  tokens.set(token.token, token);
  const [oldest] = tokens.keys();
  if (tokens.size > TOKENS_MAX && oldest !== undefined) tokens.delete(oldest);
  simulation.journal.emit({ type: "state" });
  return token;
}

/** Why a token is of no use now, as Meta's code 190 tells it by its subcode; null when it is good. */
export function tokenProblem(token: Token | undefined, now: number): GraphFailure | null {
  if (token === undefined) return badToken;
  if (token.state === "revoked") {
    return oauthFailure(
      460,
      "The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.",
    );
  }
  if (token.state === "deauthorized") {
    return oauthFailure(458, "The user has not authorized the application.");
  }
  if (token.expiresAt !== null && now >= token.expiresAt) {
    const seconds = Math.floor(token.expiresAt / 1000);
    return oauthFailure(463, `Session has expired at unix time ${seconds}.`);
  }
  return null;
}

const oauthFailure = (subcode: number, reason: string): GraphFailure => ({
  status: 401,
  code: 190,
  subcode,
  message: `Error validating access token: ${reason}`,
});

/** Who calls: the app itself with `{app-id}|{app-secret}`, or somebody with a token. */
export type Caller = ({ readonly kind: "app" } | { readonly kind: "token"; readonly token: Token }) & {
  /** The app that calls, or whose token it is; null for the first. */
  readonly app: OtherApp | null;
};

/** The caller of a Graph request, or what Meta answers to a missing, unknown, expired or unproven token. */
export function callerOf(
  simulation: Simulation,
  request: ReceivedRequest,
): { readonly caller: Caller } | { readonly failure: GraphFailure } {
  const text = tokenTextOf(request);
  if (text === null) return { failure: noToken };
  const { world, settings } = simulation;
  const token = world.tokens.get(text);
  const appToken = world.otherApps.find(({ id, secret }) => text === `${id}|${secret}`);
  const app = appToken ?? world.otherApps.find(({ id }) => id === token?.appId) ?? null;
  const appSecret = app?.secret ?? settings.appSecret;
  const proof = request.url.searchParams.get("appsecret_proof");
  if (proof !== null && proof !== createHmac("sha256", appSecret).update(text).digest("hex")) {
    return { failure: badProof };
  }
  if (appToken !== undefined || text === `${world.app.id}|${settings.appSecret}`) {
    return { caller: { kind: "app", app } };
  }
  const failure = tokenProblem(token, simulation.clock.now());
  return failure !== null || token === undefined
    ? { failure: failure ?? badToken }
    : { caller: { kind: "token", token, app } };
}

export function tokenTextOf(request: ReceivedRequest): string | null {
  const header = /^(?:Bearer|OAuth)\s+(\S.*)$/i.exec(request.headers.authorization ?? "")?.[1];
  return header ?? request.url.searchParams.get("access_token");
}

/** Whether the caller holds a scope; null when it does. Meta names the missing one in its answer. */
export function scopeProblem(caller: Caller, scope: Scope): GraphFailure | null {
  if (caller.kind === "app" || caller.token.scopes.includes(scope)) return null;
  return {
    status: 403,
    code: 200,
    message: `(#200) You do not have the necessary permissions required to send messages or manage this object. Missing permission: ${scope}`,
  };
}

/** Whether the caller was given this account; another one looks to it as if it did not exist. */
export function mayUse(caller: Caller, wabaId: string): boolean {
  if (caller.kind === "token") return caller.token.wabaIds.includes(wabaId);
  return caller.app === null || caller.app.wabas.has(wabaId);
}

/** `GET /debug_token`: what is known about a token, valid or not. */
export function describeToken(simulation: Simulation, text: string): object {
  const { app: first, otherApps, tokens } = simulation.world;
  const token = tokens.get(text);
  const app = otherApps.find(({ id }) => id === token?.appId) ?? first;
  const problem = tokenProblem(token, simulation.clock.now());
  if (token === undefined) {
    return {
      data: {
        error: { code: 190, message: "Malformed access token", subcode: 467 },
        is_valid: false,
        scopes: [],
      },
    };
  }
  const seconds = (ms: number | null) => (ms === null ? 0 : Math.floor(ms / 1000));
  return {
    data: {
      app_id: app.id,
      type: token.type,
      application: app.name,
      data_access_expires_at: seconds(token.dataAccessExpiresAt),
      expires_at: seconds(token.expiresAt),
      is_valid: problem === null,
      issued_at: seconds(token.issuedAt),
      ...(problem !== null && {
        error: { code: problem.code, message: problem.message, subcode: problem.subcode },
      }),
      scopes: token.scopes,
      granular_scopes: token.scopes.map((scope) => ({
        scope,
        ...(scope !== "business_management" && { target_ids: token.wabaIds }),
      })),
      user_id: token.userId,
    },
  };
}
