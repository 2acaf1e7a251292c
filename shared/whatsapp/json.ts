import { cleanText } from "../text";

/**
 * Accessors for JSON that nobody vouches for. Each takes any value and gives the wanted kind or undefined; none
 * throws, none merges objects (so a `__proto__` key is just a key) and none recurses.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Longest text that is kept: what a customer's phone can send in one message. */
export const TEXT_CHARACTERS_MAX = 65_536;
/** Longest id that is believed. Meta's are below 200; a longer one is treated as missing, for cutting it could make two ids equal. */
export const ID_CHARACTERS_MAX = 512;
/** Longest JSON text kept with an item; the stored raw body has all of it. */
export const RAW_CHARACTERS_MAX = 65_536;
/** Deepest nesting that is looked at. Meta's payloads stay below 20; serialising fails from about 5,000. */
export const DEPTH_MAX = 64;

export function asObject(value: unknown): JsonObject | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  // An object that came from JSON has string keys and unknown values; that is all this type says.
  return value as JsonObject;
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** Own property only, so that nothing is ever read from a prototype. */
export function get(object: JsonObject | undefined, key: string): unknown {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

export function getObject(object: JsonObject | undefined, key: string): JsonObject | undefined {
  return asObject(get(object, key));
}

export function getArray(object: JsonObject | undefined, key: string): readonly unknown[] | undefined {
  return asArray(get(object, key));
}

/** Clean text, cut at the longest length; numbers and booleans are taken by their digits and words. Empty stays empty. */
export function getText(object: JsonObject | undefined, key: string): string | undefined {
  const value = get(object, key);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return undefined;
  return cleanText(value.slice(0, TEXT_CHARACTERS_MAX));
}

/** Clean text that says something: an empty one counts as absent. */
export function getWord(object: JsonObject | undefined, key: string): string | undefined {
  const text = getText(object, key)?.trim();
  return text === undefined || text === "" ? undefined : text;
}

/**
 * An identifier. A number is taken only while JavaScript holds it exactly; a string is taken only when cleaning
 * leaves it as it is, because a cleaned or cut id could equal somebody else's.
 */
export function getId(object: JsonObject | undefined, key: string): string | undefined {
  const value = get(object, key);
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  if (typeof value !== "string" || value === "" || value.length > ID_CHARACTERS_MAX) return undefined;
  return cleanText(value) === value ? value : undefined;
}

/** A finite number, also when it was written as a string. */
export function getNumber(object: JsonObject | undefined, key: string): number | undefined {
  const value = get(object, key);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export function getBoolean(object: JsonObject | undefined, key: string): boolean | undefined {
  const value = get(object, key);
  if (value === "true") return true;
  if (value === "false") return false;
  return typeof value === "boolean" ? value : undefined;
}

/** Whether anything in the value is nested deeper than the limit. Iterative, so that depth itself cannot harm it. */
export function isTooDeep(value: unknown, depthMax: number = DEPTH_MAX): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return true;
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      for (const child of Object.values(item))
        if (typeof child === "object" && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

/** JSON text of a value for keeping, clean like every text; empty when it is too deep or too long. */
export function rawText(value: unknown): string {
  if (value === undefined || isTooDeep(value)) return "";
  const text = cleanText(JSON.stringify(value));
  return text.length > RAW_CHARACTERS_MAX ? "" : text;
}
