import { setTimeout as delay } from "node:timers/promises";
import type { FunctionReturnType } from "convex/server";
import { isRefusal, type Refusal } from "#shared/errors";
import { SECOND_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { BackendUnavailable, queryAs } from "../server/convex";
import type { Identity } from "../server/identity";

export type SendOutcome = Exclude<FunctionReturnType<typeof api.mcp.sendOutcome>, Refusal>;

/** A send that was taken: the message that it made, or for a reaction the one that it points at. */
type Taken = { messageId: Id<"messages">; sendId: Id<"outbox"> };

/** Most sends are settled within a second; an agent that waits longer has better things to do. */
const WAIT_MAX_MS = 8 * SECOND_MS;

const FIRST_PAUSE_MS = 40;
const PAUSE_MAX_MS = SECOND_MS;
const PAUSE_GROWTH = 1.6;

/**
 * Asks for the outcome of a send until it is known, the time is over or the client gives up. From here on the
 * message is on its way, so nothing that goes wrong may look like a failure: the answer is then "pending".
 */
export async function awaitOutcome(
  identity: Identity,
  { messageId, sendId }: Taken,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const deadline = Date.now() + WAIT_MAX_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWTH, PAUSE_MAX_MS)) {
    const outcome = await readOutcome(identity, sendId);
    if (outcome !== null && outcome.outcome !== "pending") return outcome;
    if (signal.aborted || Date.now() + pauseMs > deadline)
      return { outcome: "pending", message_id: messageId };
    await delay(pauseMs);
  }
}

async function readOutcome(identity: Identity, sendId: Id<"outbox">): Promise<SendOutcome | null> {
  try {
    const outcome = await queryAs(identity, api.mcp.sendOutcome, { sendId });
    return isRefusal(outcome) ? null : outcome;
  } catch (error) {
    if (error instanceof BackendUnavailable) return null;
    throw error;
  }
}
