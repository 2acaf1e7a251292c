import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IntervalTree } from "./interval-tree";

const key = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 3 });
const interval = fc.record({ start: key, end: fc.option(key, { nil: null }), item: fc.nat(4) });
const step = fc.record({ add: fc.boolean(), pick: fc.nat(30), interval });

describe("an interval tree", () => {
  it("finds what a plain list finds, whatever is added and removed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(key, { maxLength: 8 }), (steps, keys) => {
        const tree = new IntervalTree<number>();
        const list: { start: string; end: string | null; item: number }[] = [];
        for (const { add, pick, interval: one } of steps) {
          const isNew = !list.some(
            (other) => other.start === one.start && other.end === one.end && other.item === one.item,
          );
          if (add && isNew) {
            tree.add(one.start, one.end, one.item);
            list.push(one);
          } else if (!add && list.length > 0) {
            const [gone] = list.splice(pick % list.length, 1);
            tree.remove(gone?.start ?? "", gone?.end ?? null, gone?.item ?? 0);
          }
        }
        for (const probe of keys) {
          const found: number[] = [];
          tree.stab(probe, (item) => found.push(item));
          const wanted = list.filter(({ start, end }) => start <= probe && (end === null || probe < end));
          expect(found.sort()).toEqual(wanted.map(({ item }) => item).sort());
        }
        expect(tree.isEmpty).toBe(list.length === 0);
      }),
      { numRuns: 1000 },
    );
  });

  it("is asked in time that hardly grows with the number of intervals that do not answer", () => {
    const [few, many] = [fastestProbeMs(100), fastestProbeMs(100_000)];
    // A walk over all intervals would take a thousand times as long; a search through a tree takes about twice.
    expect(many / few).toBeLessThan(50);
  });
});

/** The best of many rounds of probes: what else the machine does only ever makes a round slower. */
function fastestProbeMs(size: number): number {
  const tree = new IntervalTree<number>();
  const keyAt = (n: number): string => String(n).padStart(8, "0");
  for (let n = 0; n < size; n += 1) {
    tree.add(keyAt(n), `${keyAt(n)}!`, n);
  }
  const probes = Array.from({ length: 1000 }, (_, n) => `${keyAt(Math.floor((n * size) / 1000))}#`);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 30; round += 1) {
    const startMs = performance.now();
    for (const probe of probes) {
      tree.stab(probe, () => {
        throw new Error("no interval holds this key");
      });
    }
    best = Math.min(best, performance.now() - startMs);
  }
  return best;
}
