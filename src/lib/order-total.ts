import type { Message } from "./backend";

type Order = NonNullable<Message["order"]>;

/**
 * What an order costs together; undefined when a price, the currency or some of its lines are not known, because a sum of
 * the rest would be a wrong one.
 */
export function orderTotal({ items, itemCount }: Order): { amount: number; currency: string } | undefined {
  const [first] = items;
  const currency = first?.currency;
  if (currency === undefined || items.length < itemCount) return undefined;
  let amount = 0;
  for (const { price, quantity = 1, currency: other } of items) {
    if (price === undefined || other !== currency) return undefined;
    amount += price * quantity;
  }
  return { amount, currency };
}

/** How many pieces were ordered, or undefined when that is not told for every line. */
export function orderPieces({ items, itemCount }: Order): number | undefined {
  if (items.length < itemCount) return undefined;
  return items.reduce<number | undefined>(
    (sum, { quantity }) => (sum === undefined || quantity === undefined ? undefined : sum + quantity),
    0,
  );
}
