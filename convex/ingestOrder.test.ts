import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  conversationFacts,
  conversationState,
  deliveryOf,
  type Fact,
  type ReadTable,
} from "../tests/support/conversation-facts";
import { type App, closeApp, openApp } from "../tests/support/convex-app";

/** Orders that are tried on each backend; tests/conformance/ingest-order.test.ts tries 20,000 on the model alone. */
const RUNS = 30;

let app: App;
beforeEach(async () => {
  app = openApp();
  await app.addAccount();
});
afterEach(closeApp);

const deliver = async (customer: string, facts: readonly Fact[]) =>
  expect(await app.deliver(deliveryOf(customer, facts))).toMatch(/^(accepted|duplicate)$/);

const TABLES = [
  "messages",
  "conversations",
  "contacts",
  "contactIdentities",
  "contactDuplicates",
  "messageStatuses",
  "messageEdits",
  "reactions",
  "webhookEvents",
] as const;

it(`any order, repetition and batching of a conversation's webhooks gives the same state (${RUNS} orders, whole ingest)`, async () => {
  // The conversations stand side by side in one account, a customer for each order, so they also must not touch.
  const orders = fc.sample(
    fc.record({
      order: fc.shuffledSubarray([...conversationFacts("1").keys()], { minLength: 17 }),
      again: fc.array(fc.nat(16), { maxLength: 4 }),
      batch: fc.integer({ min: 1, max: 25 }),
    }),
    { numRuns: RUNS, seed: 20_261_102 },
  );
  const customers = orders.map((_, run) => `1650555${String(run).padStart(4, "0")}`);
  const inOrder = "16505559999";
  await deliver(inOrder, conversationFacts(inOrder));
  for (const [run, { order, again, batch }] of orders.entries()) {
    const customer = customers[run] ?? "";
    const facts = conversationFacts(customer);
    const arriving = [...order, ...again].flatMap((index) => facts[index] ?? []);
    for (let start = 0; start < arriving.length; start += batch)
      await deliver(customer, arriving.slice(start, start + batch));
  }
  await app.advance();
  const rows = new Map<string, Awaited<ReturnType<ReadTable>>>();
  for (const table of TABLES) rows.set(table, await app.rows(table));
  const stateOf = (customer: string) =>
    conversationState((table) => rows.get(table) ?? [], customer).replaceAll(customer, "1");
  for (const customer of customers) expect(stateOf(customer)).toBe(stateOf(inOrder));
}, 240_000);
