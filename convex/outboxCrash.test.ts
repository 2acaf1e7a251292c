import { afterEach, describe, expect, it } from "vitest";
import { UNKNOWN_HOLD_MS } from "#shared/domain/limits";
import { MINUTE_MS } from "#shared/time";
import {
  closeApp,
  graphError,
  networkError,
  START,
  status,
  statusWebhook,
} from "../tests/support/convex-app";
import { type OpenConversation, openConversation } from "../tests/support/convex-conversation";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { dispatch } from "./model/dispatch";

/**
 * The boundaries at which a worker can die, times what the network can do to its request, times whether the whole
 * process dies with it and loses what was scheduled. The worker runs the very code of `outbox.deliver`, step by step.
 */
const STEPS = ["enqueued", "claimed", "marked", "posted", "settled"] as const;
type Step = (typeof STEPS)[number];

const NETWORK = [
  "accepts",
  "accepts, and the answer is lost",
  "accepts, and answers 500",
  "refuses for good",
  "refuses for its rate",
  "is not reached",
] as const;
type Network = (typeof NETWORK)[number];

/** How a send ends when nobody dies: the state, and how often Graph hears of it. */
const UNDISTURBED: Record<Network, { state: string; calls: number }> = {
  accepts: { state: "accepted", calls: 1 },
  "accepts, and the answer is lost": { state: "unknown", calls: 1 },
  "accepts, and answers 500": { state: "unknown", calls: 1 },
  "refuses for good": { state: "rejected", calls: 1 },
  "refuses for its rate": { state: "accepted", calls: 2 },
  "is not reached": { state: "accepted", calls: 2 },
};

/** How a send ends whose worker died after this step. */
function expected(step: Step, network: Network): { state: string; calls: number } {
  if (step === "marked") return { state: "unknown", calls: 0 };
  if (step === "posted") return { state: "unknown", calls: 1 };
  return UNDISTURBED[network];
}

const CASES = STEPS.flatMap((step) =>
  NETWORK.flatMap((network) =>
    ["the worker", "the process"].map((dies) => ({ step, network, dies, ...expected(step, network) })),
  ),
);

class Crash extends Error {}

let talk: OpenConversation;
afterEach(closeApp);

/** The first answer of Graph is the disturbed one; `taken` counts what Graph has really taken. */
function disturb(network: Network): { taken: number } {
  const ledger = { taken: 0 };
  const { graph } = talk.app;
  const accept: typeof graph.accept = (request) => {
    ledger.taken++;
    return graph.accept(request);
  };
  const after = (answer: typeof graph.accept): typeof graph.accept => {
    return (request) => {
      ledger.taken++;
      return answer(request);
    };
  };
  const first = {
    accepts: accept,
    "accepts, and the answer is lost": after(networkError("ECONNRESET")),
    "accepts, and answers 500": after(() => new Response("<html>Sorry", { status: 500 })),
    "refuses for good": graphError(131026),
    "refuses for its rate": graphError(130429, 429),
    "is not reached": networkError("ECONNREFUSED"),
  }[network];
  graph.answerNext(first, accept, accept);
  return ledger;
}

/** One delivery as `outbox.deliver` makes it, which dies after `step`. */
async function deliverUntil(step: Step, outboxId: Id<"outbox">): Promise<void> {
  const { backend } = talk.app;
  const claimToken = "worker";
  if (step === "enqueued") return;
  const job = await backend.mutation(internal.outbox.claim, { outboxId, claimToken });
  if (job === null) throw new Error("The claim was refused.");
  if (step === "claimed") return;
  const mark = async () => {
    const mine = await backend.mutation(internal.outbox.markDispatching, { outboxId, claimToken });
    if (step === "marked") throw new Crash();
    return mine;
  };
  const report = await dispatch(outboxId, job, null, mark);
  if (step === "posted" || report === null) return;
  await backend.mutation(internal.outbox.settle, { outboxId, claimToken, report });
}

/** Time goes on, with everything that a deployment does by itself. */
async function goOn(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await talk.app.advance(MINUTE_MS);
    await talk.app.backend.mutation(internal.outbox.sweep, {});
    await talk.app.advance();
  }
}

async function row() {
  const [found] = await talk.app.rows("outbox");
  if (found === undefined) throw new Error("Nothing was enqueued.");
  return found;
}

describe("a send whose worker dies", () => {
  it.each(CASES)(
    "after it was $step, when Graph $network and $dies dies, ends $state after $calls call(s)",
    async ({ step, network, dies, state, calls }) => {
      talk = await openConversation();
      const ledger = disturb(network);
      await talk.send("Once");
      // The delivery that was scheduled is the one that is played here.
      await talk.app.cancelScheduled();
      const { _id } = await row();
      await deliverUntil(step, _id).catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
      if (dies === "the process") await talk.app.cancelScheduled();
      await goOn();
      expect((await row()).state).toBe(state);
      expect(talk.app.graph.sends).toHaveLength(calls);
      expect(ledger.taken).toBeLessThanOrEqual(1);
      const [message] = await talk.outbound();
      // Failed is only said of what Graph provably does not have.
      if (message?.status === "failed") expect(ledger.taken).toBe(0);
      const again = { biz_opaque_callback_data: `p1:${_id}:1` };
      if (ledger.taken === 0) return;
      await talk.app.deliver(statusWebhook([status("delivered", "wamid.SEEN", START, again)]));
      expect((await row()).state).toBe("accepted");
      expect((await talk.outbound())[0]?.status).not.toBe("failed");
    },
  );
});

describe("the lane behind a send whose worker dies", () => {
  it.each(["the worker", "the process"])("goes on after %s died, in order", async (dies) => {
    talk = await openConversation();
    await talk.send("first");
    await talk.send("second");
    await talk.send("third");
    await talk.app.cancelScheduled();
    await deliverUntil("marked", (await row())._id).catch(() => null);
    if (dies === "the process") await talk.app.cancelScheduled();
    await goOn();
    expect(talk.sentTexts()).toEqual(["second", "third"]);
    expect(UNKNOWN_HOLD_MS).toBeLessThan(MINUTE_MS);
  });
});

describe("fifty equal calls at the same moment", () => {
  it("are one message, one Graph call and fifty equal answers", async () => {
    talk = await openConversation();
    const { id } = await talk.app.addKey(talk.accountId);
    const calls = Array.from({ length: 50 }, () => talk.sendByKey(id, { clientRequestId: "order-7" }));
    const answers = await Promise.all(calls);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ outcome: "pending" });
    await talk.app.advance();
    expect(await talk.outbound()).toHaveLength(1);
    expect(talk.app.graph.sends).toHaveLength(1);
    expect(await talk.sendByKey(id, { clientRequestId: "order-7" })).toEqual(answers[0]);
  });
});
