import { DAY_MS } from "#shared/time";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Customer, StoredMessage } from "../world";

/** Meta: "Free entry points": who answers somebody from an advertisement within a day writes free of charge for three. */
const ANSWER_WITHIN_MS = DAY_MS;
const FREE_FOR_MS = 3 * DAY_MS;

/** Somebody has come from an advertisement. */
export function enterFromAd(number: BusinessNumber, customer: Customer, at: number): void {
  customer.entryPoints.set(number.id, { at, freeUntil: null });
}

/** What a message that is sent now has to say about its free entry point; the first answer opens it. */
export function freeEntryOf(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer | undefined,
): Pick<StoredMessage, "freeEntry"> {
  const entry = customer?.entryPoints.get(number.id);
  const now = simulation.clock.now();
  if (entry === undefined) return {};
  if (entry.freeUntil === null && now < entry.at + ANSWER_WITHIN_MS) entry.freeUntil = now + FREE_FOR_MS;
  if (entry.freeUntil === null || now >= entry.freeUntil) return {};
  const conversationId = simulation.ids.digest(`conversation\n${customer?.userId}\n${entry.at}`).slice(0, 32);
  return { freeEntry: { conversationId, until: entry.freeUntil } };
}
