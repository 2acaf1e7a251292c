import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type McpWorld, openMcpWorld } from "../../tests/support/mcp-world";
import { toolArguments } from "../../tests/support/tool-arguments";
import { TOOLS } from "./tools";

/** Sequences of calls that are tried, those that run beside each other, and the calls of one. */
const SEQUENCES = 1_000;
const AT_ONCE = 50;
const CALLS_MAX = 3;

const READING = TOOLS.filter(({ annotations }) => annotations.readOnlyHint).map(({ name }) => name);
const CHANGING = TOOLS.filter(({ annotations }) => !annotations.readOnlyHint).map(({ name }) => name);

let world: McpWorld;
/** Ways in which a connection can be one that only reads: the key, or what the connection gave up of it. */
let doors: { key: string; query: string }[];

beforeAll(async () => {
  world = await openMcpWorld();
  const everything = await world.keyWith(["read", "write", "send"]);
  const inbound = await world.keyWith(["read", "write", "send"]);
  await world.change(inbound.id, { direction: "inbound" });
  doors = [
    { key: (await world.keyWith(["read"])).key, query: "" },
    { key: everything.key, query: "?read_only=true" },
    { key: everything.key, query: `?tools=${READING}` },
    { key: inbound.key, query: "" },
  ];
}, 60_000);
afterAll(async () => await world.close());

/** A call of a tool, or of whatever else a client may ask for. What changes something is called most. */
const someTool = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...CHANGING) },
  { weight: 2, arbitrary: fc.constantFrom(...READING) },
  { weight: 1, arbitrary: fc.constantFrom("prompts/get", "resources/list", "no_such_tool") },
);
const someCall = fc.record({
  tool: someTool,
  about: fc.constantFrom("customer", "handedOver", "stranger"),
  from: fc.constantFrom("own", "foreign", undefined),
  door: fc.nat(3),
});

async function make({
  tool,
  about,
  from,
  door,
}: typeof someCall extends fc.Arbitrary<infer Call> ? Call : never) {
  const { key, query } = doors[door] ?? { key: "", query: "" };
  if (tool.includes("/")) {
    await world.ask(key, tool, { name: "draft_reply", arguments: { contact: "x" } }, query);
    return;
  }
  // Nobody else is handed over, so that all others could be written to at any time.
  const subject = tool === "handoff_to_human" ? world.handedOver : world[about];
  const args = tool === "no_such_tool" ? {} : toolArguments(tool, subject);
  await world.call(key, tool, { ...args, ...(from !== undefined && { from: world.numbers[from] }) }, query);
}

/** A key that may send, to show that nothing but the kind of connection kept the others from it. */
async function sendsAtAll(): Promise<void> {
  const before = await world.sends();
  const { key } = await world.keyWith(["send"]);
  await world.call(key, "send_text", toolArguments("send_text", world.customer));
  expect(await world.sends()).toEqual({ left: before.left + 1, queued: before.queued + 1 });
}

describe("a connection that only reads", () => {
  it("never causes a send, in whatever order whichever tools are called", async () => {
    await sendsAtAll();
    const before = await world.sends();
    let calls = 0;
    const sequence = fc.array(someCall, { minLength: 1, maxLength: CALLS_MAX });
    const together = fc.array(sequence, { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(
      fc.asyncProperty(together, async (sequences) => {
        await Promise.all(
          sequences.map(async (made) => {
            for (const call of made) await make(call);
            calls += made.length;
          }),
        );
      }),
      { numRuns: SEQUENCES / AT_ONCE },
    );
    expect(calls).toBeGreaterThan(1.5 * SEQUENCES);
    expect(await world.sends()).toEqual(before);
    await sendsAtAll();
  }, 300_000);
});
