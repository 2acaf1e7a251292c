import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { program, type Step } from "./testing/program";
import { runProgram, type Tally } from "./testing/run-program";
import { openTestDatabase, type TestDatabase } from "./transaction/test-database";

/** Random programs in each run of the suite: half a minute's worth. */
const PROGRAMS = 5000;
const STEPS_MAX = 32;
/** Programs that share a database one after the other, as opening one costs more than running one. */
const PROGRAMS_PER_DATABASE = 50;

/** What random programs have found, cut down by hand: each was answered wrongly once. */
const REGRESSIONS: { readonly name: string; readonly steps: Step[] }[] = [
  {
    name: "a range over a string does not hold a longer one that goes on with NUL",
    steps: [
      { do: "insert", slot: 0, table: "a", fields: { x: "a\0" }, spoil: null },
      {
        do: "query",
        slot: 0,
        query: {
          table: "a",
          index: "by_x",
          range: [{ type: "Eq", field: "x", value: "a" }],
          order: "asc",
          operators: [],
        },
        rows: 100,
      },
    ],
  },
  {
    name: "an empty field name does not look like the end of an object",
    steps: [
      { do: "insert", slot: 0, table: "a", fields: { x: { "": null } }, spoil: null },
      { do: "insert", slot: 0, table: "a", fields: { x: {} }, spoil: null },
      {
        do: "query",
        slot: 0,
        query: {
          table: "a",
          index: "by_x",
          range: [{ type: "Eq", field: "x", value: {} }],
          order: "asc",
          operators: [],
        },
        rows: 100,
      },
    ],
  },
  {
    name: "who looked for a document of a table that did not exist yet loses to the one who makes both",
    steps: [
      { do: "insert", slot: 1, table: "loose", fields: {}, spoil: null },
      { do: "get", slot: 0, ref: { known: 0 }, table: null },
      { do: "insert", slot: 0, table: "a", fields: {}, spoil: null },
      { do: "commit", slots: [1, 0] },
    ],
  },
  {
    name: "documents of one function keep their order although the clock stepped back under another",
    steps: [
      { do: "insert", slot: 1, table: "a", fields: {}, spoil: null },
      { do: "tick", ms: -1001 },
      { do: "insert", slot: 0, table: "a", fields: {}, spoil: null },
      { do: "insert", slot: 1, table: "a", fields: {}, spoil: null },
    ],
  },
];

const emptyTally = (): Tally => ({ steps: 0, commits: 0, conflicts: 0, needless: 0, wakes: 0 });

describe("the engine beside a model made of arrays", () => {
  let test: TestDatabase | null = null;
  afterEach(async () => {
    await test?.close();
    test = null;
  });

  it.each(REGRESSIONS)("$name", async ({ steps }) => {
    test = await openTestDatabase();
    test = await runProgram(test, steps, emptyTally());
  });

  it("answers every program of several transactions as the model does", async () => {
    const tally = emptyTally();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(program(STEPS_MAX), async (steps) => {
        if (runs % PROGRAMS_PER_DATABASE === 0) {
          await test?.close();
          test = null;
        }
        runs += 1;
        test ??= await openTestDatabase();
        test = await runProgram(test, steps, tally);
      }),
      { numRuns: PROGRAMS },
    );
    // The programs did provoke conflicts and wakes, and most conflicts were real: intervals are not far too wide.
    expect(tally.conflicts).toBeGreaterThan(PROGRAMS / 50);
    expect(tally.needless).toBeLessThan(tally.conflicts / 2);
    expect(tally.wakes).toBeGreaterThan(PROGRAMS / 100);
  }, 300_000);
});
