import { expect, it } from "vitest";
import { laterPricing, type Pricing } from "./pricing";

it("the pricing told last counts, in every order and however often it is told", () => {
  const sent: Pricing = { at: 1, category: "service", billable: false };
  const delivered: Pricing = { at: 2, category: "utility", billable: true };
  const twin: Pricing = { at: 2, category: "marketing", billable: true };
  for (const order of [
    [sent, delivered, twin],
    [twin, delivered, sent],
    [delivered, twin, sent, twin],
  ]) {
    expect(order.reduce<Pricing | undefined>(laterPricing, undefined)).toBe(delivered);
  }
  expect(laterPricing(undefined, undefined)).toBeUndefined();
});
