import { createCronLoop, forgetInterrupted } from "./crons";
import { createJobLoop, failInterrupted, pruneFinished } from "./job-runner";
import type { SchedulerParts } from "./parts";

/** Finished calls are looked through this often. */
const PRUNE_EVERY_MS = 3_600_000;

export type Scheduler = {
  /** Settles what a crash left behind, then starts what is due. */
  start(): Promise<void>;
  /** Starts nothing more, and waits for what runs. */
  stop(): Promise<void>;
};

/** Scheduled calls and crons. Everything they know is in the database; commits wake them. */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const jobs = createJobLoop(parts);
  const crons = createCronLoop(parts);
  let unsubscribe: () => void = () => undefined;
  let cancelPrune: () => void = () => undefined;

  const prune = (): void => {
    cancelPrune = parts.clock.setTimer(PRUNE_EVERY_MS, () => {
      pruneFinished(parts).catch((error: unknown) =>
        parts.log(`finished calls were not removed: ${String(error)}`),
      );
      prune();
    });
  };

  return {
    async start() {
      const failed = await failInterrupted(parts);
      if (failed > 0) parts.log(`${failed} scheduled action(s) were interrupted and count as failed`);
      const names = await forgetInterrupted(parts);
      if (names.length > 0) parts.log(`interrupted crons: ${names.join(", ")}`);
      unsubscribe = parts.database.onCommit(({ tables }) => {
        if (tables.has(":_jobs")) jobs.wake();
        if (tables.has(":_crons")) crons.wake();
      });
      jobs.start();
      crons.start();
      prune();
    },
    async stop() {
      unsubscribe();
      cancelPrune();
      await Promise.all([jobs.stop(), crons.stop()]);
    },
  };
}
