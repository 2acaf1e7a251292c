import { get, getText, type JsonObject } from "#shared/whatsapp/json";
import { type GraphFailure, invalidParameter } from "../graph/graph-error";
import type { GraphResult } from "../graph/send-message";
import type { Simulation } from "../simulation";
import type { LoginCode } from "../world";
import { issueToken, LONG_TOKEN_MS, SHORT_TOKEN_MS, tokenProblem } from "./tokens";

/** Meta: codes of the dialog live for ten minutes, those of the Embedded Signup window for 30 seconds. */
export const CODE_MS = 10 * 60 * 1000;
export const POPUP_CODE_MS = 30 * 1000;
/** Codes that are remembered, used or not. */
const CODES_MAX = 1_000;

/** A code that can be exchanged once. Without `redirectUri` it comes from a window and needs none. */
export function issueCode(
  simulation: Simulation,
  grant: Pick<LoginCode, "userId" | "scopes" | "wabaIds" | "redirectUri">,
): string {
  const code = `AQ${simulation.ids.secret("code")}`;
  const livesMs = grant.redirectUri === null ? POPUP_CODE_MS : CODE_MS;
  const { codes } = simulation.world;
  codes.set(code, { ...grant, expiresAt: simulation.clock.now() + livesMs, used: false });
  const [oldest] = codes.keys();
  if (codes.size > CODES_MAX && oldest !== undefined) codes.delete(oldest);
  return code;
}

/**
 * `GET` or `POST /oauth/access_token`: a code, a short-lived token, or the app's own credential becomes a token
 * (Meta: "Manually build a login flow", "Long-lived access tokens").
 */
export function exchangeToken(simulation: Simulation, parameters: JsonObject): GraphResult {
  const { world, settings } = simulation;
  if (getText(parameters, "client_id") !== world.app.id) {
    return {
      failure: {
        status: 400,
        code: 101,
        message: "Error validating application. Cannot get application info due to a system error.",
      },
    };
  }
  if (getText(parameters, "client_secret") !== settings.appSecret) {
    return { failure: { status: 400, code: 1, message: "Error validating client secret." } };
  }
  const kind = getText(parameters, "grant_type") ?? "authorization_code";
  if (kind === "client_credentials") {
    return { ok: { access_token: `${world.app.id}|${settings.appSecret}`, token_type: "bearer" } };
  }
  if (kind === "fb_exchange_token") return extend(simulation, parameters);
  if (kind !== "authorization_code") return { failure: invalidParameter("Unknown grant_type.") };
  return redeem(simulation, parameters);
}

function redeem(simulation: Simulation, parameters: JsonObject): GraphResult {
  const text = getText(parameters, "code") ?? "";
  const code = simulation.world.codes.get(text);
  if (code === undefined) return { failure: codeFailure(36009, "Invalid verification code format.") };
  if (code.used) return { failure: codeFailure(36009, "This authorization code has been used.") };
  if (simulation.clock.now() >= code.expiresAt) {
    return { failure: codeFailure(36007, "This authorization code has expired.") };
  }
  const redirect = get(parameters, "redirect_uri") === undefined ? null : getText(parameters, "redirect_uri");
  if (redirect !== code.redirectUri && !(code.redirectUri === null && redirect === "")) {
    const reason =
      "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request.";
    return { failure: codeFailure(36008, reason) };
  }
  code.used = true;
  const isPopup = code.redirectUri === null;
  const token = issueToken(simulation, {
    type: isPopup ? "SYSTEM_USER" : "USER",
    userId: code.userId,
    scopes: code.scopes,
    wabaIds: code.wabaIds,
    // A business's integration token from Embedded Signup does not expire.
    livesMs: isPopup ? null : SHORT_TOKEN_MS,
  });
  return { ok: tokenAnswer(token.token, isPopup ? null : SHORT_TOKEN_MS) };
}

const codeFailure = (subcode: number, message: string): GraphFailure => ({
  status: 400,
  code: 100,
  subcode,
  message,
});

function extend(simulation: Simulation, parameters: JsonObject): GraphResult {
  const short = simulation.world.tokens.get(getText(parameters, "fb_exchange_token") ?? "");
  const failure = tokenProblem(short, simulation.clock.now());
  if (failure !== null) return { failure };
  if (short === undefined) return { failure: invalidParameter("fb_exchange_token is missing.") };
  const { type, userId, scopes, wabaIds } = short;
  const livesMs = short.expiresAt === null ? null : LONG_TOKEN_MS;
  return {
    ok: tokenAnswer(issueToken(simulation, { type, userId, scopes, wabaIds, livesMs }).token, livesMs),
  };
}

const tokenAnswer = (token: string, livesMs: number | null) => ({
  access_token: token,
  token_type: "bearer",
  ...(livesMs !== null && { expires_in: Math.floor(livesMs / 1000) }),
});
