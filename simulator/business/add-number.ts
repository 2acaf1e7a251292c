import { getText, type JsonObject } from "#shared/whatsapp/json";
import { type GraphFailure, invalidParameter, missing } from "../graph/graph-error";
import type { GraphResult } from "../graph/send-message";
import type { Simulation } from "../simulation";
import type { Waba } from "../world";
import { freshNumberState } from "./number-state";

/** Meta: "Phone numbers": what an account of a verified business may have. */
const NUMBERS_MAX = 25;
/** Meta: "Display name guidelines" give no number; the field takes so many characters. */
const NAME_CHARACTERS_MAX = 512;

/** `POST /{waba}/phone_numbers`: a number that still has to be verified and registered. */
export function addNumber(simulation: Simulation, waba: Waba, body: JsonObject): GraphResult {
  const { world, ids } = simulation;
  const countryCode = (getText(body, "cc") ?? "").replace(/^\+/, "");
  const dialled = (getText(body, "phone_number") ?? "").replace(/[\s+()-]/g, "");
  const verifiedName = (getText(body, "verified_name") ?? "").trim();
  const failure = problemOf(countryCode, dialled, verifiedName);
  if (failure !== null) return { failure };
  // Meta takes the number with or without the country's code.
  const digits = dialled.startsWith(countryCode) ? dialled : `${countryCode}${dialled}`;
  if (world.numbers.some((number) => number.digits === digits)) {
    return { failure: refused("Phone number is taken", "This number is already on a WhatsApp account.") };
  }
  if (world.numbers.filter(({ wabaId }) => wabaId === waba.id).length >= NUMBERS_MAX) {
    return { failure: refused("Too many numbers", `An account has at most ${NUMBERS_MAX} phone numbers.`) };
  }
  const id = ids.digits("number", 15);
  world.numbers.push({
    id,
    wabaId: waba.id,
    displayPhoneNumber: `+${countryCode} ${digits.slice(countryCode.length)}`,
    digits,
    countryCode,
    verifiedName,
    override: null,
    state: freshNumberState(),
  });
  simulation.journal.emit({ type: "state" });
  return { ok: { id } };
}

function problemOf(countryCode: string, dialled: string, name: string): GraphFailure | null {
  if (countryCode === "") return missing("cc");
  if (!/^[1-9]\d{0,3}$/.test(countryCode)) return invalidParameter("Param cc must be a country's code.");
  if (dialled === "") return missing("phone_number");
  if (!/^\d{5,15}$/.test(dialled)) return invalidParameter("Param phone_number must be a phone number.");
  if (name === "") return missing("verified_name");
  return name.length > NAME_CHARACTERS_MAX
    ? invalidParameter(`Param verified_name must be at most ${NAME_CHARACTERS_MAX} characters long.`)
    : null;
}

const refused = (userTitle: string, userMessage: string): GraphFailure => ({
  status: 400,
  code: 100,
  message: "Invalid parameter",
  userTitle,
  userMessage,
});
