import { type Bytes, bytesToText } from "../bytes";

/** Business numbers looked up for one delivery before it is verified. Meta groups a delivery by account, so it names few. */
export const PHONE_NUMBER_IDS_MAX = 16;

const KEY = '"phone_number_id"';
/** Meta's ids have 15 to 17 digits; anything up to the length of a 64-bit number is looked up. */
const VALUE = /\s*:\s*"?(\d{1,20})(?!\d)/y;

/**
 * The business numbers that a body names, found by a scan that parses nothing: it is used before the signature is
 * verified, to choose the secrets to verify with. Linear in the body, and at most 16 ids in the order of appearance.
 *
 * The scan is a hint, never a proof: a body may hide an id from it (by escaping the key). After verification every
 * item must be checked against the accounts whose secret matched. Customer text cannot add ids, because quotes inside
 * a JSON string are escaped.
 */
export function phoneNumberIds(body: Bytes | string): string[] {
  const text = bytesToText(body);
  const found = new Set<string>();
  for (let at = text.indexOf(KEY); at !== -1; at = text.indexOf(KEY, at + KEY.length)) {
    VALUE.lastIndex = at + KEY.length;
    const id = VALUE.exec(text)?.[1];
    if (id !== undefined) found.add(id);
    if (found.size === PHONE_NUMBER_IDS_MAX) break;
  }
  return [...found];
}
