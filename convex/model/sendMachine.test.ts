import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  nextSendState,
  SEND_EVENTS,
  SEND_STATES,
  type SendEvent,
  type SendState,
} from "#shared/domain/send-state";
import { type App, closeApp, openApp, START, status, statusWebhook } from "../../tests/support/convex-app";
import { api, internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { SendReport } from "./sendMachine";

const TOKEN = "worker-1";
const LEASE_END = START + 35_000;

let app: App;
beforeEach(() => {
  app = openApp();
});
afterEach(closeApp);

/** A send that has come to this state in its first attempt; nothing is scheduled for it. */
async function sendIn(state: SendState): Promise<Id<"outbox">> {
  const accountId = await app.addAccount();
  await app.join(accountId, "ana");
  await app.receive("Hello", { at: START });
  const [conversation] = await app.rows("conversations");
  const conversationId = conversation?._id as Id<"conversations">;
  const draft = { accountId, conversationId, text: "Hi", clientRequestId: "r1" };
  await app.user("ana").mutation(api.messages.sendText, draft);
  await app.cancelScheduled();
  const [row] = await app.rows("outbox");
  const outboxId = row?._id as Id<"outbox">;
  const waiting = state === "queued" || state === "claimed" || state === "dispatching" || state === "unknown";
  await app.backend.run(async (ctx) => {
    const dueAt = state === "queued" ? START : LEASE_END;
    await ctx.db.patch(outboxId, { state, open: waiting, attempt: 1, claimToken: TOKEN, dueAt });
  });
  return outboxId;
}

/** Each event by the very function that brings it. */
const BRINGS: Record<SendEvent, (outboxId: Id<"outbox">) => Promise<unknown>> = {
  claim: (outboxId) => app.backend.mutation(internal.outbox.claim, { outboxId, claimToken: "worker-2" }),
  dispatch: (outboxId) =>
    app.backend.mutation(internal.outbox.markDispatching, { outboxId, claimToken: TOKEN }),
  cancel: settle({ event: "cancel", code: "misconfigured" }),
  accepted: settle({ event: "accepted", wamid: "wamid.A" }),
  rejected: settle({ event: "rejected", code: "invalid_message", reason: "graph_100" }),
  rateLimited: settle({ event: "rateLimited", code: "whatsapp_rate_limited", reason: "graph_130429" }),
  notSent: settle({ event: "notSent", reason: "econnrefused" }),
  unknown: settle({ event: "unknown", reason: "timeout" }),
  leaseExpired: async () => {
    await app.advance(35_001);
    await app.backend.mutation(internal.outbox.sweep, {});
  },
  statusArrived: (outboxId) =>
    app.deliver(
      statusWebhook([status("sent", "wamid.A", START, { biz_opaque_callback_data: `p1:${outboxId}:1` })]),
    ),
  markSent: markSentByMember,
};

/** A member's decision; refused with an error where the table has no cell. */
async function markSentByMember() {
  const message = (await app.rows("messages")).find(({ direction }) => direction === "outbound");
  if (message === undefined) throw new Error("Nothing was sent.");
  const { accountId, _id: messageId } = message;
  const marking = app.user("ana").mutation(api.messages.markSent, { accountId, messageId });
  await marking.catch((error: unknown) => expect(String(error)).toContain("conflict"));
}

function settle(report: SendReport) {
  return (outboxId: Id<"outbox">) =>
    app.backend.mutation(internal.outbox.settle, { outboxId, claimToken: TOKEN, report });
}

const CELLS = SEND_STATES.flatMap((state) =>
  SEND_EVENTS.map((event) => ({ state, event, expected: nextSendState(state, event) ?? state })),
);

const SHOWN = {
  queued: "queued",
  claimed: "sending",
  dispatching: "sending",
  accepted: "sent",
  markedSent: "sent",
  rejected: "failed",
  cancelled: "failed",
  unknown: "unknown",
} as const satisfies Record<SendState, Doc<"messages">["status"]>;

describe("every state meets every event", () => {
  it.each(CELLS)("$state + $event = $expected", async ({ state, event, expected }) => {
    const outboxId = await sendIn(state);
    await BRINGS[event](outboxId);
    const [row] = await app.rows("outbox");
    expect(row?.state).toBe(expected);
    const changed = expected !== state;
    const message = (await app.rows("messages")).find(({ direction }) => direction === "outbound");
    if (changed) expect(message?.status).toBe(SHOWN[expected]);
    const mayContinue = expected === "queued" || expected === "claimed" || expected === "dispatching";
    if (changed && expected !== "unknown") expect(row?.open).toBe(mayContinue);
    expect(app.graph.sends).toEqual([]);
  });

  it("does nothing for a report of a worker that lost its claim, in any state", async () => {
    for (const state of SEND_STATES) {
      closeApp();
      app = openApp();
      const outboxId = await sendIn(state);
      for (const report of [
        { event: "accepted", wamid: "wamid.X" },
        { event: "cancel", code: "internal" },
        { event: "unknown", reason: "timeout" },
      ] satisfies SendReport[]) {
        await app.backend.mutation(internal.outbox.settle, { outboxId, claimToken: "stale", report });
      }
      expect((await app.rows("outbox"))[0]?.state).toBe(state);
    }
  });
});
