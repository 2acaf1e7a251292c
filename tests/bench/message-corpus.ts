/** Made-up chat messages whose words are as unevenly used as those of a language (Zipf's law). */
export type Message = { body: string; conversation: string; account: string };

const WORDS = 50_000;
const WORDS_MIN = 6;
const WORDS_MAX = 12;
const CONVERSATIONS = 20_000;
const ACCOUNTS = 10;
const ONSETS = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "st", "tr"];
const VOWELS = ["a", "e", "i", "o", "u", "ai", "ou"];

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class MessageCorpus {
  /** Most used first. */
  readonly words: readonly string[];
  readonly #cumulative: Float64Array;

  constructor() {
    const random = randomFrom(1);
    const words = new Set<string>();
    while (words.size < WORDS) {
      const syllables = 1 + Math.floor(random() * 3);
      let word = "";
      for (let i = 0; i < syllables; i++) word += pick(ONSETS, random) + pick(VOWELS, random);
      words.add(words.size < 2_000 ? word : word + pick(ONSETS, random));
    }
    this.words = [...words];
    this.#cumulative = new Float64Array(WORDS);
    let sum = 0;
    for (let rank = 0; rank < WORDS; rank++) {
      sum += 1 / (rank + 1);
      this.#cumulative[rank] = sum;
    }
  }

  message(random: () => number): Message {
    const length = WORDS_MIN + Math.floor(random() * (WORDS_MAX - WORDS_MIN + 1));
    return {
      body: Array.from({ length }, () => this.#word(random)).join(" "),
      conversation: `conversation${Math.floor(random() * CONVERSATIONS)}`,
      account: `account${Math.floor(random() * ACCOUNTS)}`,
    };
  }

  #word(random: () => number): string {
    const target = random() * (this.#cumulative[WORDS - 1] ?? 0);
    let low = 0;
    let high = WORDS - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulative[middle] ?? 0) < target) low = middle + 1;
      else high = middle;
    }
    return this.words[low] ?? "";
  }
}

const pick = (list: readonly string[], random: () => number): string =>
  list[Math.floor(random() * list.length)] ?? "";
