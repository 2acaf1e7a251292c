import { z } from "zod";

const status = z.int().min(100).max(599);
const ms = z
  .int()
  .min(0)
  .max(7 * 24 * 60 * 60 * 1000);

/** What can go wrong on purpose. Kinds of three places: Graph calls, webhooks, and media downloads. */
export const faultEffect = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("error"), status: status.default(500), code: z.int().default(131000) }),
  z.strictObject({ kind: z.literal("html_error"), status: status.default(502) }),
  z.strictObject({ kind: z.literal("accept_then_drop") }),
  z.strictObject({ kind: z.literal("accept_then_error"), status: status.default(500) }),
  z.strictObject({ kind: z.literal("reset") }),
  z.strictObject({ kind: z.literal("hang") }),
  z.strictObject({ kind: z.literal("delay"), ms }),
  z.strictObject({ kind: z.literal("duplicate"), times: z.int().min(1).max(100).default(1) }),
  z.strictObject({ kind: z.literal("reorder") }),
  z.strictObject({ kind: z.literal("drop") }),
  z.strictObject({ kind: z.literal("batch") }),
  z.strictObject({ kind: z.literal("bad_signature") }),
  z.strictObject({ kind: z.literal("expired") }),
  z.strictObject({ kind: z.literal("wrong_sha") }),
  z.strictObject({ kind: z.literal("slow") }),
  z.strictObject({ kind: z.literal("oversize") }),
  z.strictObject({ kind: z.literal("redirect"), to: z.string().min(1) }),
]);
export type FaultEffect = z.infer<typeof faultEffect>;

export const faultRule = z.strictObject({
  match: z
    .strictObject({
      /** The end of a Graph path (`messages`, `media`, ...), `webhook`, or `download`. */
      endpoint: z.string().min(1).optional(),
      to: z.string().min(1).optional(),
      /** The type of a message, or the status in a status webhook. */
      type: z.string().min(1).optional(),
    })
    .default({}),
  effect: faultEffect,
  /** How often the rule applies; without it, until the rules are cleared. */
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
});
export type FaultRule = z.infer<typeof faultRule>;

type Place = "graph" | "webhook" | "download";

const PLACES: Record<Exclude<FaultEffect["kind"], "delay">, Place> = {
  error: "graph",
  html_error: "graph",
  accept_then_drop: "graph",
  accept_then_error: "graph",
  reset: "graph",
  hang: "graph",
  duplicate: "webhook",
  reorder: "webhook",
  drop: "webhook",
  batch: "webhook",
  bad_signature: "webhook",
  expired: "download",
  wrong_sha: "download",
  slow: "download",
  oversize: "download",
  redirect: "download",
};

/** What is known about the thing that a fault may hit. */
export interface FaultFacts {
  readonly place: Place;
  readonly path?: string;
  /** Digits of the customer. */
  readonly to?: string;
  readonly type?: string;
}

export class Faults {
  #rules: { rule: FaultRule; used: number }[] = [];
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  add(rule: FaultRule): void {
    this.#rules.push({ rule, used: 0 });
  }

  clear(): void {
    this.#rules = [];
  }

  list(): (FaultRule & { used: number })[] {
    return this.#rules.map(({ rule, used }) => ({ ...rule, used }));
  }

  /** The effects of every rule that applies now, in the order in which the rules were added. Applying uses them up. */
  take(facts: FaultFacts): FaultEffect[] {
    return this.#rules.flatMap((entry) => {
      const { rule } = entry;
      const usedUp = rule.times !== undefined && entry.used >= rule.times;
      if (usedUp || !matches(rule, facts)) return [];
      if (rule.probability !== undefined && this.#chance() >= rule.probability) return [];
      entry.used++;
      return [rule.effect];
    });
  }
}

function matches({ match, effect }: FaultRule, facts: FaultFacts): boolean {
  return (
    placeOf(match.endpoint, effect) === facts.place &&
    (facts.place !== "graph" || match.endpoint === undefined || endsPath(facts.path ?? "", match.endpoint)) &&
    (match.to === undefined || match.to.replace(/\D/g, "") === facts.to) &&
    (match.type === undefined || match.type === facts.type)
  );
}

/** A delay is possible everywhere; the endpoint says where it is meant. */
function placeOf(endpoint: string | undefined, effect: FaultEffect): Place {
  if (effect.kind !== "delay") return PLACES[effect.kind];
  return endpoint === "webhook" || endpoint === "download" ? endpoint : "graph";
}

function endsPath(path: string, endpoint: string): boolean {
  const wanted = endpoint.startsWith("/") ? endpoint : `/${endpoint}`;
  return path.endsWith(wanted.replace(/^\/\{[^}]+\}/, ""));
}
