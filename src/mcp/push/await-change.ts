import { setTimeout as delay } from "node:timers/promises";
import { SECOND_MS } from "#shared/time";
import type { Caller } from "../../server/caller";
import { type EndReason, listen, type Place } from "./watch";

/** Where the backend refuses to be listened to, looking again at this pace is what is left. */
const LOOK_AGAIN_MS = SECOND_MS;

/**
 * Resolves as soon as a message of the account came or changed after the place, at the latest after `waitMs`, and
 * when the signal is aborted. It may resolve for nothing, so whoever waits looks and waits again. Throws nothing: what
 * ended the subscription shows itself in that look.
 */
export async function awaitChange(
  caller: Caller,
  place: Place,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const why = await firstNotice(caller, place, waitMs, signal);
  if (why !== "failed") return;
  // An aborted pause is over, which is all that it was for.
  await delay(Math.min(LOOK_AGAIN_MS, waitMs), undefined, { signal }).catch(() => undefined);
}

type Notice = EndReason | "happened" | "time" | "aborted";

/** What is heard first, with everything that was set up for hearing it taken down again. */
async function firstNotice(
  caller: Caller,
  place: Place,
  waitMs: number,
  signal: AbortSignal,
): Promise<Notice> {
  const cleanUp: (() => void)[] = [];
  try {
    return await new Promise<Notice>((resolve) => {
      const timer = setTimeout(() => resolve("time"), waitMs);
      const aborted = () => resolve("aborted");
      signal.addEventListener("abort", aborted);
      const listening = listen(caller, {
        rights: null,
        onChange: (_account, { seq, type }) => {
          if (seq > place.seq && type.startsWith("message.")) resolve("happened");
        },
        onGap: () => resolve("happened"),
        onEnd: resolve,
      });
      cleanUp.push(
        () => clearTimeout(timer),
        () => signal.removeEventListener("abort", aborted),
        listening.stop,
      );
      listening.follow(place);
    });
  } finally {
    for (const undo of cleanUp) undo();
  }
}
