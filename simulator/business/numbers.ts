import { get, getText, type JsonObject } from "#shared/whatsapp/json";
import { type GraphFailure, invalidParameter, missing } from "../graph/graph-error";
import type { GraphResult } from "../graph/send-message";
import type { Simulation } from "../simulation";
import type { BusinessNumber, NumberState } from "../world";

/** The code that every simulated SMS and call carries. */
export const VERIFICATION_CODE = "123456";
/** Meta: after ten registrations in 72 hours the number waits (133016). */
const REGISTRATIONS_MAX = 10;
const REGISTRATIONS_WITHIN_MS = 72 * 60 * 60 * 1000;
/** Wrong PINs before Meta stops listening (133008), and for how long. */
const PIN_GUESSES_MAX = 5;
const PIN_LOCK_MS = 5 * 60 * 1000;

const failure = (code: number, message: string, details?: string): GraphResult => ({
  failure: { status: 400, code, message: `(#${code}) ${message}`, ...(details !== undefined && { details }) },
});
const done: GraphResult = { ok: { success: true } };

/** `POST /{phone-number-id}/request_code`: an SMS or a call with a code. */
export function requestCode(number: BusinessNumber, body: JsonObject): GraphResult {
  const method = getText(body, "code_method");
  if (method !== "SMS" && method !== "VOICE") return { failure: missing("code_method") };
  if (getText(body, "language") === undefined) return { failure: missing("language") };
  if (number.state.codeVerification === "VERIFIED") {
    return failure(136024, "Request code error", "This number is verified already.");
  }
  number.state.codeAsked = true;
  return done;
}

/** `POST /{phone-number-id}/verify_code`. */
export function verifyCode(number: BusinessNumber, body: JsonObject): GraphResult {
  const { state } = number;
  const right = state.codeAsked && getText(body, "code") === VERIFICATION_CODE;
  if (!right) return failure(136025, "Verify code error", "The code is not correct.");
  state.codeVerification = "VERIFIED";
  state.codeAsked = false;
  return done;
}

/** `POST /{phone-number-id}/register`: the PIN becomes the number's own, or has to be the one it has. */
export function register(simulation: Simulation, number: BusinessNumber, body: JsonObject): GraphResult {
  const { state } = number;
  const now = simulation.clock.now();
  const wrong = pinProblem(state, getText(body, "pin"), now);
  if (wrong !== null) return { failure: wrong };
  if (state.codeVerification !== "VERIFIED") {
    return failure(
      133006,
      "Phone number re-verification needed",
      "The number has to be verified before it is registered.",
    );
  }
  const recent = state.registeredAt.filter((at) => at > now - REGISTRATIONS_WITHIN_MS);
  if (recent.length >= REGISTRATIONS_MAX) {
    return failure(
      133016,
      "Account register rate limit hit",
      "A number can be registered ten times in 72 hours.",
    );
  }
  state.registeredAt = [...recent, now];
  state.pin = getText(body, "pin") ?? null;
  state.status = "CONNECTED";
  simulation.journal.emit({ type: "state" });
  return done;
}

/** `POST /{phone-number-id}/deregister`: it receives and sends nothing until it is registered again. */
export function deregister(simulation: Simulation, number: BusinessNumber): GraphResult {
  if (number.state.status !== "CONNECTED") return failure(133010, "Phone number not registered");
  number.state.status = "DISCONNECTED";
  simulation.journal.emit({ type: "state" });
  return done;
}

/** `POST /{phone-number-id}` with `pin`: two-step verification. */
export function setPin(simulation: Simulation, number: BusinessNumber, body: JsonObject): GraphResult {
  const pin = getText(body, "pin");
  if (pin === undefined || !/^\d{6}$/.test(pin))
    return { failure: invalidParameter("Param pin must have six digits.") };
  number.state.pin = pin;
  simulation.journal.emit({ type: "state" });
  return done;
}

function pinProblem(state: NumberState, pin: string | undefined, now: number): GraphFailure | null {
  if (pin === undefined) return missing("pin");
  if (!/^\d{6}$/.test(pin)) return invalidParameter("Param pin must have six digits.");
  if (now < state.pinLockedUntil) {
    return { status: 400, code: 133008, message: "(#133008) Too many two step verification PIN guesses" };
  }
  if (state.pin === null || state.pin === pin) {
    state.pinGuesses = 0;
    return null;
  }
  state.pinGuesses += 1;
  if (state.pinGuesses >= PIN_GUESSES_MAX) {
    state.pinGuesses = 0;
    state.pinLockedUntil = now + PIN_LOCK_MS;
  }
  return { status: 400, code: 133005, message: "(#133005) Two step verification PIN mismatch" };
}

/** Why a number cannot send at the moment, or null. */
export function numberProblem(number: BusinessNumber, now: number): GraphFailure | null {
  const { status, maintenanceUntil } = number.state;
  if (now < maintenanceUntil) {
    return {
      status: 500,
      code: 131057,
      message: "(#131057) Account in maintenance mode",
      details: "The throughput of this number is being upgraded.",
    };
  }
  if (status === "CONNECTED" || status === "FLAGGED") return null;
  if (status === "BANNED" || status === "RESTRICTED") {
    return { status: 403, code: 131031, message: "(#131031) Business account has been locked" };
  }
  return {
    status: 400,
    code: 133010,
    message: "(#133010) Phone number not registered",
    details: "The account is not registered.",
  };
}

/** Fields of a business profile and their longest texts (Meta: "Business profiles"). */
const PROFILE_FIELDS: Readonly<Record<string, number>> = {
  about: 139,
  address: 256,
  description: 512,
  email: 128,
  vertical: 40,
  profile_picture_handle: 2048,
};
const WEBSITES_MAX = 2;
const WEBSITE_CHARACTERS_MAX = 256;

/** `GET` and `POST /{phone-number-id}/whatsapp_business_profile`. */
export function businessProfile(
  simulation: Simulation,
  number: BusinessNumber,
  method: string,
  body: JsonObject,
): GraphResult {
  const { profile } = number.state;
  if (method === "GET") return { ok: { data: [{ messaging_product: "whatsapp", ...profile }] } };
  if (get(body, "messaging_product") !== "whatsapp") return { failure: missing("messaging_product") };
  const changes: Record<string, unknown> = {};
  for (const [field, charactersMax] of Object.entries(PROFILE_FIELDS)) {
    const value = get(body, field);
    if (value === undefined) continue;
    if (typeof value !== "string" || [...value].length > charactersMax) {
      return {
        failure: invalidParameter(`Param ${field} must be at most ${charactersMax} characters long.`),
      };
    }
    changes[field] = value;
  }
  const websites = get(body, "websites");
  if (websites !== undefined) {
    const isFine =
      Array.isArray(websites) &&
      websites.length <= WEBSITES_MAX &&
      websites.every(
        (site: unknown) =>
          typeof site === "string" && site.length <= WEBSITE_CHARACTERS_MAX && URL.canParse(site),
      );
    if (!isFine)
      return { failure: invalidParameter(`Param websites must have at most ${WEBSITES_MAX} addresses.`) };
    changes["websites"] = websites;
  }
  Object.assign(profile, changes);
  simulation.journal.emit({ type: "state" });
  return done;
}
