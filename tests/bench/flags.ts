import { parseArgs } from "node:util";

/** A wrong flag: its sentence is all that the caller needs. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

/**
 * Reads `--name VALUE` for the names that have a default and no others; `webhooksPerRound` is given as
 * `--webhooks-per-round`. Throws FlagError with the list of flags.
 */
export function readFlags<Defaults extends Record<string, string>>(
  args: string[],
  defaults: Defaults,
): Record<keyof Defaults, string> {
  const names = Object.keys(defaults);
  const options = Object.fromEntries(names.map((name) => [kebab(name), { type: "string" as const }]));
  try {
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false });
    const given = names.map((name) => [name, values[kebab(name)] ?? defaults[name]]);
    // Built from the very keys of `defaults` one line above.
    return Object.fromEntries(given) as Record<keyof Defaults, string>;
  } catch (error) {
    const known = names.map((name) => `[--${kebab(name)} ${defaults[name]}]`).join(" ");
    throw new FlagError(`${error instanceof Error ? error.message : String(error)}\nFlags: ${known}`);
  }
}

/** A whole number of at least `least`. Throws FlagError. */
export function wholeNumber(text: string, name: string, least = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new FlagError(`--${kebab(name)} must be a whole number of at least ${least}, not ${text}.`);
  }
  return value;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
