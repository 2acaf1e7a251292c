import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CONSENT_SOURCES,
  CONSENT_WORDS,
  type ConsentMark,
  consentObstacle,
  nextConsentState,
} from "./consent-state";

const mark = (state: "granted" | "withdrawn", at: number, source: ConsentMark["source"] = "keyword") => ({
  state,
  at,
  source,
});

/** Every state x event: the word that counts after a mark that is earlier, of the same second, or later. */
const TABLE = {
  nothing: {
    granted: { earlier: "granted", same: "granted", later: "granted" },
    withdrawn: { earlier: "withdrawn", same: "withdrawn", later: "withdrawn" },
  },
  granted: {
    granted: { earlier: "granted", same: "granted", later: "granted" },
    withdrawn: { earlier: "granted", same: "withdrawn", later: "withdrawn" },
  },
  withdrawn: {
    granted: { earlier: "withdrawn", same: "withdrawn", later: "granted" },
    withdrawn: { earlier: "withdrawn", same: "withdrawn", later: "withdrawn" },
  },
} as const;
const OFFSETS = { earlier: -1000, same: 0, later: 1000 } as const;

describe.each(["nothing", "granted", "withdrawn"] as const)("consent that is %s", (state) => {
  test.each(CONSENT_WORDS)("meets %s as the table says, whenever it was said", (word) => {
    const current = state === "nothing" ? undefined : mark(state, 5000);
    for (const when of ["earlier", "same", "later"] as const) {
      const next = nextConsentState(current, mark(word, 5000 + OFFSETS[when]));
      expect({ when, state: next.state }).toEqual({ when, state: TABLE[state][word][when] });
    }
  });
});

test("every order and repetition of the same marks ends in the same state", () => {
  const marks = fc.array(
    fc.record({
      state: fc.constantFrom(...CONSENT_WORDS),
      source: fc.constantFrom(...CONSENT_SOURCES),
      at: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const fold = (list: readonly ConsentMark[]) =>
    list.reduce<ConsentMark | undefined>((state, each) => nextConsentState(state, each), undefined);
  fc.assert(
    fc.property(
      marks.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([list, shuffled]) => {
        expect(fold([...shuffled, ...list])).toEqual(fold(list));
      },
    ),
  );
});

test("a marketing opt-out stops marketing only, a block stops everything", () => {
  const optedOut = { marketing: mark("withdrawn", 1) };
  expect(consentObstacle(optedOut, "marketing")).toBe("opted_out");
  expect(consentObstacle(optedOut, "service")).toBeNull();
  const blocked = { all: mark("withdrawn", 1, "block"), marketing: mark("granted", 2) };
  expect(consentObstacle(blocked, "service")).toBe("blocked");
  expect(consentObstacle({ all: mark("withdrawn", 1, "member") }, "service")).toBe("opted_out");
  expect(consentObstacle({ all: mark("granted", 2, "block") }, "marketing")).toBeNull();
  expect(consentObstacle({}, "marketing")).toBeNull();
});
