import { z } from "zod";

/** Meta: "Batching": at most so many updates in one webhook. */
const BATCH_UPDATES_MAX = 1_000;
/** Meta gives up on an answer after this time. Real time: the receiver is real. */
const ANSWER_TIMEOUT_MS = 20_000;

/** How the simulated Meta behaves where the real one varies; `POST /_sim/settings` changes it, a reset undoes that. */
export interface Tuning {
  /** Updates for one callback are gathered for so long, by the virtual clock; 0 sends each by itself at once. */
  readonly batchMs: number;
  readonly batchMax: number;
  /** Writes `\/` for every slash of a webhook, which is JSON as well. */
  readonly escapeSlashes: boolean;
  readonly answerTimeoutMs: number;
  /** Whether the pair limit and the messages per second of a number are kept. */
  readonly rateLimits: boolean;
  /** Whether a closed window fails the message later, as Meta mostly does, or refuses the call. */
  readonly closedWindow: "later" | "at_once";
  /** Whether files that are sent by link are fetched; without it every link counts as good. */
  readonly fetchLinks: boolean;
}

export const DEFAULT_TUNING: Tuning = {
  batchMs: 0,
  batchMax: BATCH_UPDATES_MAX,
  escapeSlashes: false,
  answerTimeoutMs: ANSWER_TIMEOUT_MS,
  rateLimits: true,
  closedWindow: "later",
  fetchLinks: true,
};

export const tuningBody = z.strictObject({
  batchMs: z.int().min(0).max(60_000).optional(),
  batchMax: z.int().min(1).max(BATCH_UPDATES_MAX).optional(),
  escapeSlashes: z.boolean().optional(),
  answerTimeoutMs: z.int().min(1).max(ANSWER_TIMEOUT_MS).optional(),
  rateLimits: z.boolean().optional(),
  closedWindow: z.enum(["later", "at_once"]).optional(),
  fetchLinks: z.boolean().optional(),
});

/** The settings with what was given changed. */
export function tuned(tuning: Tuning, change: z.infer<typeof tuningBody>): Tuning {
  return {
    batchMs: change.batchMs ?? tuning.batchMs,
    batchMax: change.batchMax ?? tuning.batchMax,
    escapeSlashes: change.escapeSlashes ?? tuning.escapeSlashes,
    answerTimeoutMs: change.answerTimeoutMs ?? tuning.answerTimeoutMs,
    rateLimits: change.rateLimits ?? tuning.rateLimits,
    closedWindow: change.closedWindow ?? tuning.closedWindow,
    fetchLinks: change.fetchLinks ?? tuning.fetchLinks,
  };
}
