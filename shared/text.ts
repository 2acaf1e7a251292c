/**
 * Text that every store takes: no NUL character (customers' phones do send them) and no lone surrogate (Convex and
 * UTF-8 refuse those). A lone surrogate becomes U+FFFD, as `String.prototype.toWellFormed` does.
 */
export function cleanText(text: string): string {
  return text.replaceAll("\u0000", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}

/**
 * Length of a text as WhatsApp's limits count it: Unicode code points, so an emoji outside the basic plane is one.
 * The documented limits say "characters"; counting code points never refuses what Meta takes.
 */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Preview length of a conversation list: what fits beside a name on a wide screen. */
export const PREVIEW_CHARACTERS_MAX = 100;

const segmenter =
  typeof Intl !== "undefined" && "Segmenter" in Intl
    ? new Intl.Segmenter(undefined, { granularity: "grapheme" })
    : null;

/**
 * One line that starts like the text and has at most `max` characters (UTF-16 units), ending with an ellipsis when
 * something was left out. A grapheme (a letter with its accents, a family emoji) is never cut in two.
 */
export function preview(text: string, max: number = PREVIEW_CHARACTERS_MAX): string {
  // A grapheme can be arbitrarily long, but what lies beyond this prefix can never be shown.
  const head = text.slice(0, max * 4);
  const line = cleanText(head).replace(/\s+/g, " ").trim();
  if (line.length <= max && head.length === text.length) return line;
  let kept = "";
  for (const grapheme of graphemes(line)) {
    if (kept.length + grapheme.length > max - 1) break;
    kept += grapheme;
  }
  return `${kept.trimEnd()}…`;
}

function* graphemes(text: string): Generator<string> {
  if (segmenter === null) yield* text;
  else for (const { segment } of segmenter.segment(text)) yield segment;
}
