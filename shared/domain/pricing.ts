/** What Meta charges for one message, as a status said it at the time `at` (ms, Meta's clock). */
export interface Pricing {
  readonly billable?: boolean;
  readonly model?: string;
  readonly type?: string;
  readonly category?: string;
  readonly origin?: string;
  readonly at: number;
}

/**
 * The pricing that was told last. Several statuses of a message carry one, in any order; of two told in the same
 * second the one whose words sort later counts, so that the order of arrival cannot matter.
 */
export function laterPricing<P extends Pricing>(a: P | undefined, b: P | undefined): P | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return wordsOf(a) >= wordsOf(b) ? a : b;
}

function wordsOf({ billable, model, type, category, origin }: Pricing): string {
  return JSON.stringify([category ?? "", type ?? "", origin ?? "", model ?? "", billable ?? null]);
}
