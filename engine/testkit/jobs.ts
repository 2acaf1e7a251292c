import { setTimeout as realTimeout } from "node:timers";
import { parseFunctionPath } from "../functions/path";
import { isJsonObject } from "../json";
import { runJob } from "../scheduler/job-runner";
import { type Job, listJobs } from "../scheduler/jobs";
import { beginLook, type SchedulerParts } from "../scheduler/parts";
import type { LiveRelease } from "./live-release";
import { runEngineCode } from "./syscalls";

/** More than a test schedules. */
const PENDING_MAX = 100_000;
/**
 * Turns of the event loop that a timer of the real clock gets to fire. One that has not fired by then waits for a time
 * that no fake clock brings nearer.
 */
const IDLE_TURNS_MAX = 20;

/**
 * Scheduled functions under the test's own timers: each waits on a `setTimeout` of the test, which may be a fake one,
 * and runs as the engine runs its jobs.
 */
export class TestJobs {
  readonly #parts: SchedulerParts;
  readonly #release: LiveRelease;
  readonly #known = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #timers = 0;

  constructor(parts: SchedulerParts, release: LiveRelease) {
    this.#parts = parts;
    this.#release = release;
    parts.database.onCommit(({ tables }) => {
      if (tables.has(":_jobs")) this.#setTimers();
    });
  }

  /** Waits for the functions whose timers have fired. */
  async finishInProgress(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /**
   * Advances timers and waits until nothing is scheduled any more.
   *
   * @param roundsMax how often; functions that schedule themselves never come to an end
   */
  async finishAll(advanceTimers: () => void, roundsMax: number): Promise<void> {
    const timers = globalThis.setTimeout;
    const advance = (): void => {
      if (globalThis.setTimeout !== timers) {
        throw new Error(
          "finishAllScheduledFunctions: the test replaced its timers before all functions had ended.",
        );
      }
      advanceTimers();
    };
    let idleTurns = 0;
    for (let round = 0; round < roundsMax; round++) {
      advance();
      if (this.#running.size > 0) {
        idleTurns = 0;
        await this.#finishWhile(advance);
        continue;
      }
      if (this.#timers === 0 || idleTurns >= IDLE_TURNS_MAX) return;
      idleTurns++;
      await realTurn();
    }
    throw new Error(
      `finishAllScheduledFunctions: too many iterations (${roundsMax}). Functions that schedule each other forever never finish; otherwise raise maxIterations.`,
    );
  }

  /** Waits for what runs, and keeps the timers going that it may wait for. */
  async #finishWhile(advance: () => void): Promise<void> {
    let ended = false;
    const end = this.finishInProgress().finally(() => {
      ended = true;
    });
    while (!ended) {
      await Promise.race([end, realTurn()]);
      if (!ended) advance();
    }
    await end;
  }

  #setTimers(): void {
    for (const job of listJobs(beginLook(this.#parts), "pending", { limit: PENDING_MAX })) {
      if (this.#known.has(job.ref.id)) continue;
      this.#known.add(job.ref.id);
      this.#timers++;
      const delayMs = Math.max(0, job.dueMs - this.#parts.clock.nowMs());
      // The test's own setTimeout, not that of the function which is being answered.
      runEngineCode(() => setTimeout(() => this.#start(job), delayMs));
    }
  }

  #start(job: Job): void {
    this.#timers--;
    const run = this.#run(job).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #run(job: Job): Promise<void> {
    await this.#release.load({ component: job.component, path: parseFunctionPath(job.path) });
    await runJob(this.#parts, job);
    const row = beginLook(this.#parts).system.get(job.ref.id, job.ref.component);
    const state = row?.["state"];
    if (isJsonObject(state) && state["kind"] === "failed") {
      this.#parts.log(
        `The scheduled function ${job.path.replace(".js:", ":")} failed: ${String(state["error"])}`,
      );
    }
  }
}

const realTurn = (): Promise<void> =>
  new Promise((resolve) => {
    realTimeout(resolve, 0);
  });
