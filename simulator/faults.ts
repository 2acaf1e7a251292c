import { z } from "zod";
import { type CallKind, type FaultEffect, faultEffect, isPossible, type Place } from "./fault-effects";

export type { FaultEffect } from "./fault-effects";

export const faultRule = z.strictObject({
  match: z
    .strictObject({
      /** The end of a Graph path (`messages`, `media`, ...), `webhook`, or `download`. */
      endpoint: z.string().min(1).optional(),
      to: z.string().min(1).optional(),
      /** The type of a message, or the status in a status webhook. */
      type: z.string().min(1).optional(),
      /** A part of the message's text. */
      text: z.string().min(1).optional(),
      /** The field of a webhook. */
      field: z.string().min(1).optional(),
    })
    .default({}),
  effect: faultEffect,
  /** How often the rule applies; without it, until the rules are cleared. */
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
});
export type FaultRule = z.infer<typeof faultRule>;

/** Rules at a time; whoever adds more has forgotten to clear. */
const RULES_MAX = 1_000;

/** What is known about the thing that a fault may hit. */
export interface FaultFacts {
  readonly place: Place;
  readonly path?: string;
  readonly call?: CallKind;
  /** Digits of the customer. */
  readonly to?: string;
  readonly type?: string;
  readonly text?: string;
  readonly field?: string;
}

export class Faults {
  #rules: { readonly id: number; readonly rule: FaultRule; used: number }[] = [];
  #added = 0;
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  /** False when there are too many rules. */
  add(rule: FaultRule): boolean {
    if (this.#rules.length >= RULES_MAX) return false;
    this.#rules.push({ id: ++this.#added, rule, used: 0 });
    return true;
  }

  clear(): void {
    this.#rules = [];
  }

  /** Takes one rule away; false when there is none with this id. */
  remove(id: number): boolean {
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((entry) => entry.id !== id);
    return this.#rules.length < before;
  }

  list(): (FaultRule & { id: number; used: number })[] {
    return this.#rules.map(({ id, rule, used }) => ({ id, ...rule, used }));
  }

  /** The effects of every rule that applies now, in the order in which the rules were added. Applying uses them up. */
  take(facts: FaultFacts): FaultEffect[] {
    if (this.#rules.length === 0) return [];
    return this.#rules.flatMap((entry) => {
      const { rule } = entry;
      const usedUp = rule.times !== undefined && entry.used >= rule.times;
      if (usedUp || !matches(rule, facts)) return [];
      if (rule.probability !== undefined && this.#chance() >= rule.probability) return [];
      entry.used++;
      return [rule.effect];
    });
  }

  /** The sum of all delays; the random part of each is drawn now. */
  delayMs(effects: readonly FaultEffect[]): number {
    return effects.reduce((sum, effect) => {
      if (effect.kind !== "delay") return sum;
      return (
        sum + effect.ms + (effect.jitterMs === undefined ? 0 : Math.floor(effect.jitterMs * this.#chance()))
      );
    }, 0);
  }
}

/**
 * Effects that a request asks for by its header `X-Sim-Fault`: a kind by its name, one effect as JSON, or a list. Says
 * what is wrong with it instead, since a test that rehearses nothing would pass.
 */
export function effectsOfHeader(
  header: string | string[] | undefined,
  facts: FaultFacts,
): FaultEffect[] | { problem: string } {
  if (header === undefined) return [];
  const text = [header].flat().join(",").trim();
  const parsed = headerEffects.safeParse(/^[[{]/.test(text) ? parseJsonText(text) : { kind: text });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { problem: `X-Sim-Fault: ${[...(issue?.path ?? []), issue?.message].join(" ")}` };
  }
  const effects = [parsed.data].flat();
  const wrong = effects.find((effect) => !isPossible(effect, facts.place, facts.call, facts.place));
  return wrong === undefined
    ? effects
    : { problem: `X-Sim-Fault: ${wrong.kind} is not possible on this call.` };
}

const headerEffects = z.union([z.array(faultEffect), faultEffect]);

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said like any other wrong value.
    return undefined;
  }
}

function matches({ match, effect }: FaultRule, facts: FaultFacts): boolean {
  return (
    isPossible(effect, facts.place, facts.call, match.endpoint) &&
    (facts.place !== "graph" || match.endpoint === undefined || endsPath(facts.path ?? "", match.endpoint)) &&
    (match.to === undefined || match.to.replace(/\D/g, "") === facts.to) &&
    (match.type === undefined || match.type === facts.type) &&
    (match.text === undefined || facts.text?.includes(match.text) === true) &&
    (match.field === undefined || match.field === facts.field)
  );
}

function endsPath(path: string, endpoint: string): boolean {
  const wanted = endpoint.startsWith("/") ? endpoint : `/${endpoint}`;
  return path.endsWith(wanted.replace(/^\/\{[^}]+\}/, ""));
}
