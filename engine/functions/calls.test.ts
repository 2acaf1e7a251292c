import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, ANYONE, answerOf, callOf, Harness, REQUEST_ID } from "../../tests/support/functions-harness";
import { ManualClock } from "../../tests/support/manual-clock";
import { conflictPauseMs } from "./transactional-calls";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.deployed({ isolation: "reuse" });
});
afterAll(() => harness.discard());

const failureOf = async (path: string, args: object = {}, from = harness) => {
  const { outcome } = await from.functions.mutation(callOf(path, args as never));
  return outcome.ok ? null : outcome.failure;
};
const title = `[Request ID: ${REQUEST_ID}] Server Error`;

describe("arguments and results", () => {
  test("an argument of the wrong type is refused before the function runs", async () => {
    const failure = await failureOf("notes:add", { text: 1, rank: 1 });
    expect(failure?.message).toMatch(new RegExp(`^\\${title}\nArgumentValidationError: `));
    expect(failure?.message).toContain("v.string()");
  });

  test("a result that the validator does not allow is an error", async () => {
    await expect(harness.query("notes:badResult")).rejects.toThrow("ReturnsValidationError: ");
  });

  test("a value survives the way in and out as encoded JSON", async () => {
    const id = await harness.mutation("notes:add", { text: "encoded", rank: { $float: "AAAAAAAA8H8=" } });
    expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{32}$/);
  });
});

describe("who may call what", () => {
  test.each(["notes:secret", "notes.js:secret", "nothing:here", "notes:nothing"])(
    "%s does not exist for a client",
    async (path) => {
      const short = path.replace(".js", "");
      await expect(harness.query(path)).rejects.toThrow(
        `Could not find public function for '${short}'. Did you forget to run \`npx convex dev\` or \`npx convex deploy\`?`,
      );
    },
  );

  test("the administrator calls internal functions", async () => {
    expect(await harness.query("notes:secret", {}, ADMIN)).toBe("for functions only");
  });

  test("a function runs as what it is, and as nothing else", async () => {
    await expect(harness.query("notes:add", { text: "", rank: 0 })).rejects.toThrow(
      "Trying to execute notes.js:add as Query, but it is defined as Mutation.",
    );
    expect(harness.functions.kindOf("notes.js:add")).toBe("mutation");
    expect(harness.functions.kindOf("notes:nothing")).toBeNull();
  });

  test("a path that is none gets a sentence, not a crash", async () => {
    await expect(harness.query("../etc:passwd")).rejects.toThrow(
      '"../etc:passwd" is not the path of a function.',
    );
  });

  test("a query tells whether it asked who calls", async () => {
    const user = {
      kind: "user",
      attributes: { subject: "u", tokenIdentifier: "i|u" },
      expiresAtMs: 0,
    } as const;
    const asked = await harness.functions.query(callOf("world:whoami", {}, user));
    expect([answerOf(asked.outcome), asked.usedIdentity]).toEqual([user.attributes, true]);
    expect((await harness.functions.query(callOf("notes:list", {}, user))).usedIdentity).toBe(false);
  });

  test("a credential that could not be checked fails the function that asks for it, and no other", async () => {
    const unknown = { kind: "unknown", reason: "Could not parse the token." } as const;
    await expect(harness.query("world:whoami", {}, unknown)).rejects.toThrow("Could not parse the token.");
    expect(await harness.query("world:still", {}, unknown)).toBe("never asks what time it is");
  });
});

describe("errors", () => {
  test("name the line of the developer's file", async () => {
    const failure = await failureOf("world:fail", { how: "plain" });
    expect(failure?.message).toMatch(
      /^\[Request ID: 0123456789abcdef\] Server Error\nUncaught Error: boom\n {4}at handler \(\.\.\/convex\/world\.ts:\d+:\d+\)\n$/,
    );
    expect(failure?.data).toBeUndefined();
  });

  test("of type ConvexError carry their data", async () => {
    expect((await failureOf("world:fail", { how: "convex" }))?.data).toEqual({
      code: "no",
      count: { $integer: "AwAAAAAAAAA=" },
    });
  });

  test.each([
    ["loop", "Function execution timed out (maximum duration: 1s)"],
    ["microtasks", "Function execution timed out (maximum duration: 1s)"],
    ["never", "Returned promise will never resolve"],
    ["unheard", "Uncaught Error: nobody listens"],
  ])("a function that fails by %s is stopped and writes nothing", async (how, text) => {
    const others = process.listeners("unhandledRejection").slice(0, -1);
    // The test runner would take the rejection for one of the test's own.
    for (const other of others) process.removeListener("unhandledRejection", other);
    const before = await harness.query("jobs:labels");
    expect((await failureOf("world:fail", { how }))?.message).toContain(`${title}\n${text}`);
    expect(await harness.query("jobs:labels")).toEqual(before);
    for (const other of others) process.prependListener("unhandledRejection", other);
  });

  test("a runaway function fails alone: those beside it are answered", async () => {
    const runaway = failureOf("world:fail", { how: "loop" });
    const others = await Promise.all(Array.from({ length: 20 }, () => harness.query("world:still")));
    expect(new Set(others)).toEqual(new Set(["never asks what time it is"]));
    expect((await runaway)?.message).toContain("timed out");
  });

  test("an unknown system call fails in the words that the client library looks for", async () => {
    await expect(harness.query("world:unknownCall")).rejects.toThrow("Unknown async operation 1.0/nothing");
  });
});

describe("redacted errors", () => {
  let redacting: Harness;
  beforeAll(async () => {
    redacting = await Harness.deployed({ redactErrors: true });
  });
  afterAll(() => redacting.discard());

  test("say nothing but the request", async () => {
    for (const path of ["world:fail", "notes:add", "notes:secret"]) {
      expect((await failureOf(path, { how: "plain" }, redacting))?.message).toBe(title);
    }
  });

  test("keep the data of a ConvexError", async () => {
    const failure = await failureOf("world:fail", { how: "convex" }, redacting);
    expect(failure).toEqual({ message: title, data: { code: "no", count: { $integer: "AwAAAAAAAAA=" } } });
  });
});

describe("console lines", () => {
  test("have the wire format and an end", async () => {
    const { logLines } = await harness.functions.query(callOf("world:say"));
    expect(logLines.slice(0, 4)).toEqual([
      "[LOG] 'text' 42 { a: [ 1, 'b' ], n: null }",
      "[WARN] [Error: careful]",
      "[DEBUG] undefined true 10n",
      "[INFO] 0",
    ]);
    expect(logLines).toHaveLength(256);
    expect(logLines.at(-1)).toBe("[ERROR] Log overflow (maximum 256). Remaining log lines omitted.");
  });

  test("appear in the function log with the error that followed", async () => {
    await harness.functions.deploy.logs(0);
    const { newCursor } = await harness.functions.deploy.logs(0);
    const next = harness.functions.deploy.logs(newCursor);
    await failureOf("world:fail", { how: "plain" });
    const { entries } = await next;
    expect(entries).toMatchObject([
      {
        kind: "Completion",
        udfType: "Mutation",
        identifier: "world:fail",
        success: null,
        requestId: REQUEST_ID,
      },
    ]);
    expect(entries[0]).toMatchObject({
      error: expect.stringContaining("Uncaught Error: boom\n    at handler"),
    });
  });
});

describe("nested calls", () => {
  test("a nested mutation that fails undoes its own writes and no others", async () => {
    const result = (await harness.mutation("notes:surviveNested")) as { caught: unknown; seen: string[] };
    expect(result.caught).toEqual({ code: "refused", text: "undone" });
    expect(result.seen).toEqual(expect.arrayContaining(["before", "after"]));
    expect(result.seen).not.toContain("undone");
  });

  test("may lie eight deep, and no deeper", async () => {
    expect(await harness.query("notes:nest", { depth: 8 })).toBe(8);
    await expect(harness.query("notes:nest", { depth: 9 })).rejects.toThrow("8 levels deep");
  });

  test("writes that nobody waited for still happen", async () => {
    await harness.mutation("world:forget");
    const labels = (await harness.query("jobs:labels")) as string[];
    expect(labels.filter((label) => label === "forgotten")).toHaveLength(2);
  });
});

describe("mutations at once", () => {
  test("those that lose run again, and none is lost", async () => {
    await Promise.all(
      Array.from({ length: 4 }, () => harness.mutation("notes:increment", { name: "shared" })),
    );
    expect(await harness.query("notes:counter", { name: "shared" })).toBe(4);
  });

  test("two hundred on one row all get their turn", async () => {
    await Promise.all(
      Array.from({ length: 200 }, () => harness.mutation("notes:increment", { name: "hot" })),
    );
    expect(await harness.query("notes:counter", { name: "hot" })).toBe(200);
  });

  test("a slow one gets its turn while quick ones keep coming to its row", async () => {
    const clock = new ManualClock();
    const own = await Harness.deployed({ isolation: "reuse", clock });
    try {
      const slow = Array.from({ length: 20 }, () => own.mutation("notes:incrementSlowly", { name: "busy" }));
      let goesOn = true;
      // Each sender begins again as soon as it is answered, and what was learnt of the row's rivals runs out meanwhile.
      const quick = Array.from({ length: 12 }, async () => {
        let sent = 0;
        for (; goesOn; sent++) {
          await own.mutation("notes:increment", { name: "busy" });
          clock.advance(500);
        }
        return sent;
      });
      await Promise.all(slow);
      goesOn = false;
      const sent = (await Promise.all(quick)).reduce((sum, count) => sum + count, 0);
      expect(await own.query("notes:counter", { name: "busy" })).toBe(20 + sent);
    } finally {
      await own.discard();
    }
  });

  test("the pause before the next round doubles up to two seconds", () => {
    const clock = { ...harness.database.clock, randomBytes: () => Uint8Array.of(255) };
    const pauses = [0, 1, 2, 3, 4, 5, 6].map(
      (failures) => Math.round(conflictPauseMs(failures, clock) / 100) * 100,
    );
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  });
});

describe("a mutation that a client sends again", () => {
  const once = { sessionId: "11111111-2222-3333-4444-555555555555", requestId: 7 };
  const send = (from: Harness, name: string) =>
    from.functions.mutation(callOf("notes:increment", { name }), { once });

  test("is answered from the stored result, also after a restart, and at once", async () => {
    let own = await Harness.deployed();
    const first = await send(own, "once");
    const [second, third] = await Promise.all([send(own, "once"), send(own, "once")]);
    expect([second, third].map((run) => answerOf(run.outcome))).toEqual([1, 1]);
    expect(second.ts).not.toBeNull();
    expect(Number(second.ts)).toBeGreaterThanOrEqual(Number(first.ts));
    own = await own.reopen();
    expect(answerOf((await send(own, "once")).outcome)).toBe(1);
    expect(await own.query("notes:counter", { name: "once" })).toBe(1);
    await own.discard();
  });

  test("runs once even when both copies arrive together", async () => {
    const runs = await Promise.all([send(harness, "twins"), send(harness, "twins")]);
    expect(runs.map((run) => answerOf(run.outcome))).toEqual([1, 1]);
    expect(await harness.query("notes:counter", { name: "twins" })).toBe(1);
  });

  test("is answered however large the result was", async () => {
    const large = { sessionId: once.sessionId, requestId: 9 };
    const run = () => harness.functions.mutation(callOf("notes:big"), { once: large });
    const first = answerOf((await run()).outcome);
    expect(first).toHaveLength(600_002);
    expect(answerOf((await run()).outcome)).toBe(first);
  });

  test("is forgotten after two weeks", async () => {
    const clock = new ManualClock();
    const own = await Harness.deployed({ clock }, { "crons.ts": null });
    await own.functions.start();
    const count = async () => answerOf((await send(own, "forgotten")).outcome);
    expect([await count(), await count()]).toEqual([1, 1]);
    clock.advance(13 * 24 * 3_600_000);
    expect(await count()).toBe(1);
    clock.advance(25 * 3_600_000);
    await own.until(async () => (await count()) === 2);
    await own.discard();
  });

  test("runs again when it had failed", async () => {
    const failing = { sessionId: once.sessionId, requestId: 8 };
    const { outcome } = await harness.functions.mutation(callOf("world:fail", { how: "plain" }), {
      once: failing,
    });
    expect(outcome.ok).toBe(false);
    const again = await harness.functions.mutation(callOf("notes:increment", { name: "after" }), {
      once: failing,
    });
    expect(answerOf(again.outcome)).toBe(1);
  });
});

test("a page goes on where the last one ended", async () => {
  const own = await Harness.deployed();
  for (let rank = 0; rank < 5; rank++) await own.mutation("notes:add", { text: `n${rank}`, rank });
  type Page = { page: { text: string }[]; continueCursor: string; isDone: boolean };
  const page = async (cursor: string | null) =>
    (await own.query("notes:page", { paginationOpts: { numItems: 3, cursor } })) as Page;
  const first = await page(null);
  const second = await page(first.continueCursor);
  expect([...first.page, ...second.page].map((note) => note.text)).toEqual(["n0", "n1", "n2", "n3", "n4"]);
  expect(first.isDone).toBe(false);
  await own.discard();
});

test("a function of a component does not exist", async () => {
  const { outcome } = await harness.functions.query({
    ...callOf("notes:list", {}, ANYONE),
    component: "child",
  });
  expect(outcome.ok).toBe(false);
});
