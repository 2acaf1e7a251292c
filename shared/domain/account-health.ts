import { DAY_MS } from "../time";
import { type TokenEnds, warningDue } from "./token-expiry";

/**
 * Whether a number works, as a list of answers that a person can act upon. Pure: what was found out goes in, each
 * check with what would mend it comes out. Words of Meta's stay data; none is shown as an instruction.
 */
export const HEALTH_CHECKS = [
  "token",
  "data_access",
  "scopes",
  "subscription",
  "callback",
  "number",
  "quality",
  "name",
  "webhooks",
  "signatures",
  "sending",
] as const;
export type HealthCheckName = (typeof HEALTH_CHECKS)[number];

/** What a person does about a failed check; the screens and the shell have a button or a command for each. */
export const HEALTH_FIXES = [
  "rotate_token",
  "subscribe",
  "register",
  "set_app_secret",
  "resume_sending",
  "ask_meta",
  "wait",
  "write_to_number",
] as const;
export type HealthFix = (typeof HEALTH_FIXES)[number];

export interface HealthCheck {
  readonly name: HealthCheckName;
  readonly state: "ok" | "warning" | "failed" | "unknown";
  readonly say: string;
  readonly fix?: HealthFix;
}

/** Everything that was found out; what is absent could not be asked. Times are milliseconds. */
export interface HealthFacts {
  readonly token: {
    readonly isValid: boolean | null;
    readonly scopes?: readonly string[];
  } & TokenEnds;
  /** The apps that get the account's webhooks; null when Meta did not say. */
  readonly subscription: { readonly isSubscribed: boolean; readonly callbackUrl?: string } | null;
  /** Addresses at which this deployment takes webhooks. */
  readonly ownCallbacks: readonly string[];
  readonly number: {
    readonly status?: string;
    readonly quality?: string;
    readonly nameStatus?: string;
    readonly canSend?: string;
  } | null;
  readonly lastEventAt?: number;
  readonly lastBadSignatureAt?: number;
  readonly pausedFor?: string;
}

/** What sending and managing need (Meta: "Access tokens"). */
export const NEEDED_TOKEN_SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"] as const;

/** A number in use hears from somebody within this time; a quiet one only gets a hint. */
const QUIET_MS = 7 * DAY_MS;
/** Wrong signatures of the last day are worth a look; older ones explain nothing. */
const BAD_SIGNATURE_MS = DAY_MS;

/** Every check in its fixed order. */
export function assessHealth(facts: HealthFacts, now: number): HealthCheck[] {
  return [
    checkToken(facts, now),
    checkDataAccess(facts, now),
    checkScopes(facts),
    checkSubscription(facts),
    checkCallback(facts),
    checkNumber(facts),
    checkQuality(facts),
    checkName(facts),
    checkWebhooks(facts, now),
    checkSignatures(facts, now),
    checkSending(facts),
  ];
}

/** Whether anything of it needs a person. */
export function worstOf(checks: readonly HealthCheck[]): "ok" | "warning" | "failed" {
  if (checks.some(({ state }) => state === "failed")) return "failed";
  return checks.some(({ state }) => state === "warning") ? "warning" : "ok";
}

function checkToken({ token }: HealthFacts, now: number): HealthCheck {
  const name = "token";
  if (token.isValid === false) {
    return { name, state: "failed", say: "WhatsApp does not accept the access token.", fix: "rotate_token" };
  }
  const ending = checkEnd(name, "The access token", token.expiresAt, now);
  if (ending !== null) return ending;
  return token.isValid === null
    ? { name, state: "unknown", say: "WhatsApp could not be asked." }
    : { name, state: "ok", say: "The access token is valid." };
}

/** Meta lets a person's token read for 90 days after its owner last used the app, however long the token itself lasts. */
function checkDataAccess({ token }: HealthFacts, now: number): HealthCheck {
  const name = "data_access";
  const ending = checkEnd(name, "The token's access to data", token.dataAccessExpiresAt, now);
  return ending ?? { name, state: "ok", say: "The token's access to data does not end soon." };
}

/** What is to be said of an end (ms) that is near or over; null while there is time, or where nothing ends. */
function checkEnd(
  name: HealthCheckName,
  what: string,
  endsAt: number | undefined,
  now: number,
): HealthCheck | null {
  if (endsAt === undefined) return null;
  if (endsAt <= now) return { name, state: "failed", say: `${what} has ended.`, fix: "rotate_token" };
  if (warningDue(endsAt, now) === null) return null;
  const days = Math.floor((endsAt - now) / DAY_MS);
  const when = days === 0 ? "within a day" : `in ${days} ${days === 1 ? "day" : "days"}`;
  return { name, state: "warning", say: `${what} ends ${when}.`, fix: "rotate_token" };
}

function checkScopes({ token }: HealthFacts): HealthCheck {
  const name = "scopes";
  const { scopes } = token;
  if (scopes === undefined) return { name, state: "unknown", say: "WhatsApp did not tell the permissions." };
  const missing = NEEDED_TOKEN_SCOPES.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return { name, state: "ok", say: "The access token has every permission." };
  return {
    name,
    state: "failed",
    say: `The access token lacks ${missing.join(" and ")}.`,
    fix: "rotate_token",
  };
}

function checkSubscription({ subscription }: HealthFacts): HealthCheck {
  const name = "subscription";
  if (subscription === null) return { name, state: "unknown", say: "WhatsApp did not list the apps." };
  return subscription.isSubscribed
    ? { name, state: "ok", say: "The app gets the webhooks of the account." }
    : {
        name,
        state: "failed",
        say: "No app gets the webhooks of the account: messages do not arrive.",
        fix: "subscribe",
      };
}

function checkCallback({ subscription, ownCallbacks }: HealthFacts): HealthCheck {
  const name = "callback";
  const url = subscription?.callbackUrl;
  if (url === undefined) {
    return { name, state: "unknown", say: "The webhooks go to the address that the app names." };
  }
  return ownCallbacks.includes(url)
    ? { name, state: "ok", say: "The webhooks of the account come here." }
    : { name, state: "failed", say: "The webhooks of the account go to another address.", fix: "subscribe" };
}

/** Words of Meta's for a number that can be used, and those with which people must act. */
const WORKING: ReadonlySet<string> = new Set(["CONNECTED"]);
const UNREGISTERED: ReadonlySet<string> = new Set(["PENDING", "DISCONNECTED", "UNVERIFIED"]);

function checkNumber({ number }: HealthFacts): HealthCheck {
  const name = "number";
  if (number === null) return { name, state: "unknown", say: "WhatsApp did not describe the number." };
  const { status, canSend } = number;
  if (canSend === "BLOCKED")
    return { name, state: "failed", say: "The number may not send.", fix: "ask_meta" };
  if (status !== undefined && UNREGISTERED.has(status)) {
    return { name, state: "failed", say: "The number is not registered.", fix: "register" };
  }
  if (status !== undefined && !WORKING.has(status)) {
    return { name, state: "failed", say: `The number is ${status.toLowerCase()}.`, fix: "ask_meta" };
  }
  if (canSend === "LIMITED") {
    return { name, state: "warning", say: "The number may send a part only.", fix: "ask_meta" };
  }
  return { name, state: "ok", say: "The number is connected." };
}

function checkQuality({ number }: HealthFacts): HealthCheck {
  const name = "quality";
  if (number?.quality === "RED") {
    return { name, state: "warning", say: "People block or report the number.", fix: "wait" };
  }
  if (number?.quality === undefined) return { name, state: "unknown", say: "There is no rating yet." };
  return { name, state: "ok", say: `The rating is ${number.quality.toLowerCase()}.` };
}

function checkName({ number }: HealthFacts): HealthCheck {
  const name = "name";
  switch (number?.nameStatus) {
    case undefined:
      return { name, state: "unknown", say: "WhatsApp did not tell about the name." };
    case "DECLINED":
    case "EXPIRED":
      return { name, state: "warning", say: "The display name was declined.", fix: "ask_meta" };
    case "PENDING_REVIEW":
      return { name, state: "ok", say: "The display name is being reviewed." };
    default:
      return { name, state: "ok", say: "The display name may be shown." };
  }
}

function checkWebhooks({ lastEventAt }: HealthFacts, now: number): HealthCheck {
  const name = "webhooks";
  if (lastEventAt !== undefined && now - lastEventAt < QUIET_MS) {
    return { name, state: "ok", say: "Something happened within the last week." };
  }
  return {
    name,
    state: "unknown",
    say: lastEventAt === undefined ? "Nothing has arrived yet." : "Nothing has arrived for more than a week.",
    fix: "write_to_number",
  };
}

function checkSignatures({ lastBadSignatureAt }: HealthFacts, now: number): HealthCheck {
  const name = "signatures";
  if (lastBadSignatureAt === undefined || now - lastBadSignatureAt > BAD_SIGNATURE_MS) {
    return { name, state: "ok", say: "Every webhook was signed with a known secret." };
  }
  return {
    name,
    state: "warning",
    say: "A webhook was refused within the last day, because its signature fits no known app secret.",
    fix: "set_app_secret",
  };
}

function checkSending({ pausedFor }: HealthFacts): HealthCheck {
  const name = "sending";
  if (pausedFor === undefined) return { name, state: "ok", say: "Messages leave." };
  const byHand = pausedFor === "person" || pausedFor === "payment";
  return {
    name,
    state: "failed",
    say: `Nothing is sent: ${pausedFor.replaceAll("_", " ")}.`,
    fix: pausedFor === "token_invalid" ? "rotate_token" : byHand ? "resume_sending" : "ask_meta",
  };
}
