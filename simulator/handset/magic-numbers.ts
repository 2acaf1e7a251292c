import type { Customer } from "../world";
import type { ScriptName } from "./scripts";

/** What a person with a magic number is like, beside the habits of most people. */
export interface Magic {
  readonly name: string;
  readonly traits?: Partial<
    Pick<Customer, "readReceipts" | "phoneHidden" | "username" | "blocksUs" | "optedOut">
  >;
  /** Free-form messages fail, because this person never wrote. */
  readonly windowClosed?: true;
  /** The code with which every message fails after it was accepted. */
  readonly failsWith?: "undeliverable";
  /** Marketing templates are held back for the sake of the ecosystem. */
  readonly marketingHeldBack?: true;
  /** The pair limit is always used up. */
  readonly pairLimited?: true;
  /** Each status takes so many times its usual time. */
  readonly slowness?: number;
  readonly script?: ScriptName;
}

/**
 * Phones of any country whose last seven digits are 555 00NN behave in a known way without any preparation. They are on
 * WhatsApp and, but for one, have just written to whichever number writes to them.
 */
const MAGIC_NUMBERS: Readonly<Record<string, Magic>> = {
  "5550001": { name: "Always reads" },
  "5550002": { name: "Never reads", traits: { readReceipts: false } },
  "5550003": { name: "Never reached", failsWith: "undeliverable" },
  "5550004": { name: "Never wrote", windowClosed: true },
  "5550005": { name: "Opted out", traits: { optedOut: true } },
  "5550006": { name: "Had enough marketing", marketingHeldBack: true },
  "5550007": { name: "Written to too often", pairLimited: true },
  "5550008": { name: "Known by user id", traits: { phoneHidden: true, username: "known.by.user.id" } },
  "5550009": { name: "Edits and deletes", script: "edits_and_deletes" },
  "5550010": { name: "Brazilian" },
  "5550011": { name: "Mexican" },
  "5550012": { name: "Argentine" },
  "5550013": { name: "Slow", slowness: 100 },
  "5550014": { name: "Blocked us", traits: { blocksUs: true } },
};

export const MAGIC_ENDINGS = Object.keys(MAGIC_NUMBERS);

/** What is special about a phone, or undefined when it is an ordinary one. */
export function magicOf(digits: string): Magic | undefined {
  const key = digits.slice(-7);
  return Object.hasOwn(MAGIC_NUMBERS, key) ? MAGIC_NUMBERS[key] : undefined;
}
