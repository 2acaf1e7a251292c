/**
 * Code points that a person does not see and a model reads, with which a customer could hide instructions or make a
 * text look like another one (first and last of each range).
 */
const HIDDEN_RANGES: readonly (readonly [number, number])[] = [
  [0x0000, 0x0008], // control characters, but not tab and line feed
  [0x000b, 0x001f],
  [0x007f, 0x009f],
  [0x00ad, 0x00ad], // soft hyphen
  [0x034f, 0x034f], // combining grapheme joiner
  [0x061c, 0x061c], // direction mark
  [0x115f, 0x1160], // fillers
  [0x17b4, 0x17b5],
  [0x180b, 0x180f], // Mongolian selectors
  [0x200b, 0x200f], // zero-width characters and direction marks
  [0x2028, 0x202e], // line separators and direction overrides
  [0x2060, 0x206f], // invisible operators and direction isolates
  [0x3164, 0x3164], // filler
  [0xfe00, 0xfe0f], // variation selectors
  [0xfeff, 0xfeff], // byte order mark
  [0xffa0, 0xffa0], // filler
  [0xfff9, 0xfffb], // annotations
  [0x1d173, 0x1d17a], // musical format characters
  [0xe0000, 0xe0fff], // tags and further variation selectors
];

const ZERO_WIDTH_NON_JOINER = 0x200c;
const ZERO_WIDTH_JOINER = 0x200d;
const TEXT_STYLE = 0xfe0e;
const EMOJI_STYLE = 0xfe0f;

/** Scripts that are written with joiners; in them both zero-width joiners belong to the spelling. */
const JOINING_LETTER =
  /^[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Oriya}\p{Script=Sinhala}\p{Script=Tamil}\p{Script=Telugu}]$/u;

const PICTURE = /^\p{Extended_Pictographic}$/u;
const SKIN_TONE = /^\p{Emoji_Modifier}$/u;
const STYLED = /^[\p{Emoji}\p{L}\p{S}]$/u;

/** How `visibleText` writes a hidden character, with its code in hexadecimal as the only group. */
export const WRITTEN_OUT = /⟨U\+([0-9A-F]{4,5})⟩/g;

/**
 * The text with each hidden character written out as `⟨U+200B⟩`. Joiners inside emoji and in scripts that need them
 * stay, and so does a style selector after a visible character, because these are ordinary spelling.
 */
export function visibleText(text: string): string {
  const characters = Array.from(text);
  return characters
    .map((character, at) => {
      const code = character.codePointAt(0) ?? 0;
      if (!isHidden(code) || isSpelling(code, characters[at - 1] ?? "", characters[at + 1] ?? ""))
        return character;
      return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
    })
    .join("");
}

/** Whether nobody sees the code point, wherever it stands. */
export const isHidden = (code: number): boolean =>
  HIDDEN_RANGES.some(([first, last]) => first <= code && code <= last);

function isSpelling(code: number, before: string, after: string): boolean {
  if (code === TEXT_STYLE || code === EMOJI_STYLE) return STYLED.test(before);
  if (code === ZERO_WIDTH_JOINER && PICTURE.test(after) && endsPicture(before)) return true;
  const isJoiner = code === ZERO_WIDTH_JOINER || code === ZERO_WIDTH_NON_JOINER;
  return isJoiner && JOINING_LETTER.test(before) && JOINING_LETTER.test(after);
}

const endsPicture = (character: string): boolean =>
  PICTURE.test(character) || SKIN_TONE.test(character) || character.codePointAt(0) === EMOJI_STYLE;
