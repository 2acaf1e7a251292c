/** What somebody was looking for; a part that is absent decides nothing. */
export interface TemplateHint {
  readonly name?: string;
  readonly language?: string;
}

interface Candidate {
  readonly name: string;
  readonly language: string;
  readonly paramCount: number;
}

/**
 * The candidates in the order in which somebody who looked for `hint` would try them: the most alike names first, then
 * the right language before its other countries before the rest, then the ones with fewer values to fill in.
 */
export function rankTemplates<Template extends Candidate>(
  candidates: readonly Template[],
  hint: TemplateHint,
): Template[] {
  return candidates
    .map((template) => ({
      template,
      // Steps of a tenth: a letter more or less shall not outweigh the language.
      likeness: hint.name === undefined ? 0 : Math.round(10 * likenessOf(hint.name, template.name)),
      language: hint.language === undefined ? 0 : languageDistance(hint.language, template.language),
    }))
    .sort(
      (a, b) =>
        b.likeness - a.likeness ||
        a.language - b.language ||
        a.template.paramCount - b.template.paramCount ||
        compare(a.template.name, b.template.name) ||
        compare(a.template.language, b.template.language),
    )
    .map(({ template }) => template);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** 0 the same, 1 the same language of another country, 2 another language. */
function languageDistance(wanted: string, language: string): number {
  const [a, b] = [wanted, language].map((tag) => tag.replaceAll("-", "_").toLowerCase());
  if (a === b) return 0;
  return a?.split("_")[0] === b?.split("_")[0] ? 1 : 2;
}

/** 0 to 1: the share of letter pairs that two names have in common (Dice's coefficient). */
function likenessOf(wanted: string, name: string): number {
  const [a, b] = [wanted, name].map((text) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim(),
  );
  if (a === undefined || b === undefined || a === "" || b === "") return 0;
  if (a === b) return 1;
  const pairsOfA = pairsOf(a);
  const pairsOfB = pairsOf(b);
  if (pairsOfA.length + pairsOfB.length === 0) return 0;
  const left = new Map<string, number>();
  for (const pair of pairsOfB) left.set(pair, (left.get(pair) ?? 0) + 1);
  let common = 0;
  for (const pair of pairsOfA) {
    const count = left.get(pair) ?? 0;
    if (count === 0) continue;
    left.set(pair, count - 1);
    common++;
  }
  return (2 * common) / (pairsOfA.length + pairsOfB.length);
}

/** Names are at most 512 characters long (Meta), so this stays small; a hint may be anything. */
const PAIRS_MAX = 512;

function pairsOf(text: string): string[] {
  const pairs: string[] = [];
  for (let at = 0; at + 1 < text.length && pairs.length < PAIRS_MAX; at++) pairs.push(text.slice(at, at + 2));
  return pairs;
}
