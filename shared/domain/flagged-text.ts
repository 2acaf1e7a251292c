import { CARRIERS, SHAPES } from "./machine-talk";
import { isHidden, WRITTEN_OUT } from "./visible-text";

/** What in a customer's text speaks to a machine rather than to a person. */
export type TextFlag =
  /** Characters that nobody sees and a model reads, or that turn the reading direction round. */
  | "hidden"
  /** "Ignore your instructions", in many languages, and standing orders for later. */
  | "override"
  /** Words that pretend to come from the operator, the system or another turn of the talk. */
  | "role"
  /** Names of tools, fields and messages of the protocol. */
  | "tool"
  /** Asks for what no customer needs: credentials, other customers, the whole conversation. */
  | "secrets"
  /** Asks to write to somebody else. */
  | "relay"
  /** Links that would carry something away, and markup that loads them unasked. */
  | "carrier";

/** More than this is read in parts by nobody; WhatsApp's longest text has 4,096 characters. */
const CHARACTERS_MAX = 8_000;

/** A stray zero-width character is pasted along with ordinary text; several in one text are no accident. */
const ZERO_WIDTH_MIN = 3;

/**
 * The flags of a text, each at most once; none for what people write to a shop. It takes a text as it came or as
 * `visibleText` shows it.
 *
 * The rules are a list of known shapes. They find much of what is copied from one attack to the next and nothing that
 * is phrased anew, so a text without a flag is not thereby safe: they may raise a question, and never answer one.
 */
export function flagsOf(text: string): readonly TextFlag[] {
  const raw = asWritten(text.slice(0, CHARACTERS_MAX));
  const plain = asRead(raw);
  const flags = Object.entries(SHAPES).filter(([, shapes]) => shapes.some((shape) => shape.test(plain)));
  const found = new Set(flags.map(([flag]) => flag));
  if (hidesSomething(raw)) found.add("hidden");
  if (CARRIERS.some((shape) => shape.test(raw))) found.add("carrier");
  return ORDER.filter((flag) => found.has(flag));
}

const ORDER: readonly TextFlag[] = ["hidden", "override", "role", "tool", "secrets", "relay", "carrier"];

/** Tag characters repeat ASCII from this code point on, and are drawn by nothing. */
const TAG_BASE = 0xe0000;
const TAGS = /[\u{E0020}-\u{E007E}]+/gu;

/** The flags of England, Scotland and Wales are written with tag characters, and with nothing else. */
const SUBDIVISION_FLAG = /\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}/gu;

/** The text with the characters back that `visibleText` wrote out, and without flags of emoji. */
function asWritten(text: string): string {
  return text
    .replace(WRITTEN_OUT, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(SUBDIVISION_FLAG, "");
}

/** The text as a model would read it: tags as the letters that they stand for, nothing hidden, one case, one alphabet. */
function asRead(raw: string): string {
  const shown = Array.from(raw.normalize("NFKC").replace(TAGS, (tags) => ` ${lettersOf(tags)} `))
    .filter((character) => !isHidden(character.codePointAt(0) ?? 0))
    .join("");
  return shown
    .replace(/\p{L}+/gu, withoutLookalikes)
    .toLowerCase()
    .replace(/[^\S\n]+/g, " ");
}

const lettersOf = (tags: string): string =>
  Array.from(tags, (tag) => String.fromCodePoint((tag.codePointAt(0) ?? TAG_BASE) - TAG_BASE)).join("");

/** Cyrillic and Greek letters that look like Latin ones. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from("АВЕЅІЈКМНОРСТУХаеѕіјорсухԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", (letter, at) => [
    letter,
    Array.from("ABESIJKMHOPCTYXaesijopcyxdABEZHIKMNOPTYXo")[at] ?? letter,
  ]),
);

/** A word that mixes alphabets and is Latin when its lookalikes are read as such. Other words stay what they are. */
function withoutLookalikes(word: string): string {
  if (!/\p{Script=Latin}/u.test(word) || /^\p{Script=Latin}+$/u.test(word)) return word;
  const folded = Array.from(word, (letter) => LOOKALIKES[letter] ?? letter).join("");
  return /^\p{Script=Latin}+$/u.test(folded) ? folded : word;
}

function hidesSomething(raw: string): boolean {
  if (/[\u{E0000}-\u{E0FFF}\u202D\u202E]/u.test(raw)) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals obey these, and people cannot type them.
  if (/[\u0001-\u0008\u000E-\u001F\u007F]/.test(raw)) return true;
  const zeroWidth = raw.match(/[\u00AD\u180E\u200B\u2060-\u2064\uFEFF]/g)?.length ?? 0;
  // Joiners belong to the spelling of many scripts and of emoji, but never stand beside Latin letters.
  const joiners = raw.match(/(?<=\p{Script=Latin})[\u200C\u200D]/gu)?.length ?? 0;
  return zeroWidth + joiners >= ZERO_WIDTH_MIN || /[\uFE00-\uFE0F]{3}/.test(raw);
}
