import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/min";

/** Digits of an E.164 number: at most 15, the country code never starts with zero (ITU-T E.164). */
const DIGITS_FORM = /^[1-9]\d{6,14}$/;

/**
 * A phone number as a person writes it, as E.164 (`+16505551234`), or null when it cannot be one. Without a plus the
 * digits are read as international, unless a country is given. Only possibility is checked, not assignment: new
 * ranges and test numbers (555) are real for WhatsApp though no register knows them.
 */
export function parsePhone(input: string, country?: CountryCode): string | null {
  const text = input.trim();
  if (text.length > 40 || !/^[+＋]?[\d\s().\-/]+$/.test(text)) return null;
  const international = text.startsWith("+") || text.startsWith("＋") || country === undefined;
  const parsed = international
    ? parsePhoneNumberFromString(text.startsWith("+") ? text : `+${text.replace(/^＋/, "")}`)
    : parsePhoneNumberFromString(text, country);
  if (parsed?.isPossible()) return parsed.number;
  return possibleAlias(text.replace(/\D/g, ""), international);
}

/** Old Brazilian and Mexican forms are "impossible" for the register, yet WhatsApp ids have them. */
function possibleAlias(digits: string, international: boolean): string | null {
  return international && DIGITS_FORM.test(digits) && waIdAliases(digits).length > 1 ? `+${digits}` : null;
}

/** For display: `+1 650 555 1234`; a number that cannot be split keeps its digits. */
export function formatPhone(e164: string): string {
  return parsePhoneNumberFromString(e164)?.formatInternational() ?? e164;
}

/** For logs: the first and last two digits, too little to find the person. */
export function maskPhone(phone: string): string {
  const digits = phone.replace(/\D/g, "");
  if (digits.length < 7) return "***";
  return `+${digits.slice(0, 2)}***${digits.slice(-2)}`;
}

/** The digits of a number, which is how numbers from Meta's REST answers, webhooks and people compare. */
export function phoneDigits(phone: string): string {
  return phone.replace(/\D/g, "");
}

/**
 * The WhatsApp ids that may belong to the same phone as the given digits, the given one first. In three countries
 * WhatsApp keeps an older numbering than the one that is dialled:
 *
 *   Brazil     55 + area + 9 + 8 digits  <->  55 + area + 8 digits (mobiles only: the eight start with 6 to 9)
 *   Mexico     52 + 10 digits            <->  52 1 + 10 digits
 *   Argentina  54 9 + 10 digits           ->  54 + 10 digits (a 9 is never invented, for landlines have none)
 *
 * Candidates are for looking up a contact that exists, never for dialling.
 */
export function waIdAliases(waId: string): string[] {
  return [waId, ...aliasOf(waId)];
}

function aliasOf(waId: string): string[] {
  const brazilNew = /^55(\d{2})9([6-9]\d{7})$/.exec(waId);
  if (brazilNew) return [`55${brazilNew[1]}${brazilNew[2]}`];
  const brazilOld = /^55(\d{2})([6-9]\d{7})$/.exec(waId);
  if (brazilOld) return [`55${brazilOld[1]}9${brazilOld[2]}`];
  const mexicoOld = /^521(\d{10})$/.exec(waId);
  if (mexicoOld) return [`52${mexicoOld[1]}`];
  const mexicoNew = /^52(\d{10})$/.exec(waId);
  if (mexicoNew) return [`521${mexicoNew[1]}`];
  const argentina = /^549(\d{10})$/.exec(waId);
  if (argentina) return [`54${argentina[1]}`];
  return [];
}
