/**
 * What a customer has agreed to, per category, as the newest of everything that is known about it. `marketing` is
 * Meta's category of promotional templates; `all` is any message whatsoever (a blocked contact). The rule is a join:
 * in whatever order, and however often, the marks arrive, the state is the same.
 */
export const CONSENT_CATEGORIES = ["marketing", "all"] as const;
export type ConsentCategory = (typeof CONSENT_CATEGORIES)[number];

export const CONSENT_WORDS = ["granted", "withdrawn"] as const;
export type ConsentWord = (typeof CONSENT_WORDS)[number];

/**
 * Where a mark comes from. `keyword` (a word the customer wrote) and `preference` (the switch in the customer's
 * WhatsApp, also when Meta tells it by refusing a send) are the customer's own; `member` and `key` are said on the
 * customer's behalf; `block` is our own block list at Meta; `import` is taken over from elsewhere.
 *
 * The order is the rank between two marks of the same moment and the same word: the later in this list is kept.
 */
export const CONSENT_SOURCES = ["import", "key", "member", "keyword", "preference", "block"] as const;
export type ConsentSource = (typeof CONSENT_SOURCES)[number];

export interface ConsentMark {
  readonly state: ConsentWord;
  readonly source: ConsentSource;
  /** When it was said (ms), by Meta's clock where Meta tells it. */
  readonly at: number;
}

/** The newest mark of each category; a missing one means that nobody ever said anything. */
export interface Consent {
  readonly marketing?: ConsentMark | undefined;
  readonly all?: ConsentMark | undefined;
}

/** What a message is for: promotion, or an answer and whatever else the customer expects. */
export type SendPurpose = "marketing" | "service";

/**
 * The mark that counts after another one became known: the later one. Meta stamps whole seconds, so two may share a
 * moment; then the withdrawal counts, because sending wrongly is worse than not sending.
 */
export function nextConsentState(current: ConsentMark | undefined, mark: ConsentMark): ConsentMark {
  if (current === undefined || mark.at !== current.at) {
    return current === undefined || mark.at > current.at ? mark : current;
  }
  if (mark.state !== current.state) return mark.state === "withdrawn" ? mark : current;
  return rank(mark) > rank(current) ? mark : current;
}

const rank = ({ source }: ConsentMark): number => CONSENT_SOURCES.indexOf(source);

/**
 * Why nothing may be sent, or null. A block stops everything; a marketing opt-out stops marketing only, because a
 * customer who asks a question inside the window wants the answer (so Meta's rules say too).
 */
export function consentObstacle(consent: Consent, purpose: SendPurpose): "blocked" | "opted_out" | null {
  if (isBlocked(consent)) return "blocked";
  if (consent.all?.state === "withdrawn") return "opted_out";
  return purpose === "marketing" && consent.marketing?.state === "withdrawn" ? "opted_out" : null;
}

/** Whether the contact is on the block list, ours or Meta's. */
export function isBlocked({ all }: Consent): boolean {
  return all?.state === "withdrawn" && all.source === "block";
}

/** Whether the customer said it, rather than somebody on the customer's behalf. */
export function isCustomersOwn({ source }: ConsentMark): boolean {
  return source === "keyword" || source === "preference";
}
