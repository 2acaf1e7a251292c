import fc from "fast-check";
import { expect, it } from "vitest";
import { readWebhook } from "#shared/whatsapp/webhook";
import type { Doc } from "../../convex/_generated/dataModel";
import { applyItem } from "../../convex/model/inbound";
import { conversationFacts, conversationState, deliveryOf, type Fact } from "../support/conversation-facts";
import { NUMBER, START } from "../support/convex-app";
import { MemoryStore } from "../support/memory-store";

/**
 * The property of delivery.md E1.8 on the very functions that the ingest mutation calls for each item, with a store in
 * memory in place of a backend. `convex/ingestOrder.test.ts` tries fewer orders through the whole ingest, with
 * signatures, batches and subtransactions, on both backends.
 */
const RUNS = 20_000;
const CUSTOMER = "16505551234";
const FACTS = conversationFacts(CUSTOMER);
const NOW = START + 3_600_000;

async function stateAfter(batches: readonly (readonly Fact[])[]): Promise<string> {
  const store = new MemoryStore();
  const { ctx } = store;
  const accountId = await ctx.db.insert("accounts", {
    ...NUMBER,
    state: "active",
    hasOwner: false,
    sealId: "s",
    accessTokenSealed: "t",
  });
  const account: Doc<"accounts"> | null = await ctx.db.get(accountId);
  if (account === null) throw new Error("The account is not there.");
  for (const facts of batches) {
    for (const item of readWebhook(deliveryOf(CUSTOMER, facts)).items) {
      const { state } = await applyItem(ctx, { kind: "number", account }, item, NOW);
      if (state === "dead" || state === "kept") throw new Error(`An item ended as ${state}.`);
    }
  }
  return conversationState((table) => store.rows(table), CUSTOMER);
}

/**
 * Facts that have to do with each other, by their place in the list: short stories, because in a short one every order
 * comes up. The last one is everything at once.
 */
const SCENES = [
  [0, 1, 2, 16, 10],
  [0, 3, 4, 11],
  [8, 12, 13, 14, 15],
  [5, 6, 7, 8, 9],
  [0, 3, 8, 1, 2],
  [0, 16, 1, 11],
  [8, 9, 13, 15, 5],
  [3, 4, 8, 12],
  [0, 2, 8, 10, 14, 5],
];
const WHOLE_STORY = [...FACTS.keys()];
/** One run in this many is the whole story, which costs three times as much as a scene. */
const WHOLE_STORY_EVERY = 40;

/** The facts of a scene in any order, some of them again, cut into deliveries anywhere. */
const arrivals = fc
  .oneof(
    { weight: WHOLE_STORY_EVERY - 1, arbitrary: fc.constantFrom(...SCENES) },
    { weight: 1, arbitrary: fc.constant(WHOLE_STORY) },
  )
  .chain((scene) =>
    fc.record({
      order: fc.shuffledSubarray(scene, { minLength: scene.length }),
      again: fc.array(fc.nat(99), { maxLength: 2 }),
      cuts: fc.nat(2 ** (scene.length + 2) - 1),
    }),
  )
  .map(({ order, again, cuts }) => {
    const repeated = again.map((place) => order[place % order.length] ?? 0);
    const batches: number[][] = [[]];
    for (const [index, fact] of [...order, ...repeated].entries()) {
      if ((cuts >> index) & 1) batches.push([]);
      batches.at(-1)?.push(fact);
    }
    return { facts: [...order].sort((x, y) => x - y), batches };
  });

const pick = (numbers: readonly number[]) => numbers.flatMap((number) => FACTS[number] ?? []);
const inOrder = new Map<string, Promise<string>>();

/** The state when the same facts come once each and in the order in which they happened. */
function expected(facts: readonly number[]): Promise<string> {
  const key = facts.join();
  const known = inOrder.get(key) ?? stateAfter([pick(facts)]);
  inOrder.set(key, known);
  return known;
}

it(`any order, repetition and batching of a conversation's webhooks gives the same state (${RUNS} orders)`, async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, async ({ facts, batches }) => {
      expect(await stateAfter(batches.map(pick))).toBe(await expected(facts));
    }),
    { numRuns: RUNS },
  );
}, 300_000);
