import { v } from "convex/values";
import { defined } from "#shared/defined";
import { type JobEvent, nextJobState } from "#shared/domain/job-state";
import { can, type Permission, type Role } from "#shared/domain/roles";
import { MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { jobKind, jobState } from "../tables/jobs";
import { recordAudit } from "./audit";
import { fail } from "./errors";

/**
 * The runner of long work. One job of an account runs at a time, in the order in which they were asked for. The state
 * follows `shared/domain/job-state`; a step is one transaction, so a job survives the loss of its runner at any point:
 * the sweeper starts it again where it stood.
 */

/** A step takes seconds; after this the runner is believed lost. Also the lease of an action that writes a file. */
export const STEP_LEASE_MS = 2 * MINUTE_MS;
/** Restarts without a step done in between, after which a person has to look. */
const STALLS_MAX = 10;
/** Jobs that one run of the sweeper starts, and that a list shows. */
const SWEEP_ROWS_MAX = 50;
const LIST_ROWS_MAX = 50;

/** What one step of a kind reports: where the work stands now, or that it is over. */
export type StepResult =
  | { state: "more"; step: string; cursor?: string; rows: number; waitMs?: number }
  | { state: "over"; rows: number };

export const jobView = v.object({
  _id: v.id("jobs"),
  kind: jobKind,
  state: jobState,
  step: v.string(),
  done: v.number(),
  requestedBy: v.string(),
  requestedAt: v.number(),
  finishedAt: v.optional(v.number()),
  failure: v.optional(v.string()),
  contactId: v.optional(v.id("contacts")),
  expiresAt: v.optional(v.number()),
  files: v.optional(v.array(v.object({ name: v.string(), bytes: v.number(), rows: v.number() }))),
});

type NewJob = Pick<Doc<"jobs">, "accountId" | "kind" | "requestedBy"> &
  Partial<Pick<Doc<"jobs">, "contactId" | "conversationId" | "identifiers" | "intoId">>;

/** Asks for a job. The same job that is not over yet is answered instead of a second one. */
export async function requestJob(ctx: MutationCtx, job: NewJob, now: number): Promise<Id<"jobs">> {
  const twin = await openTwin(ctx, job);
  if (twin !== undefined) return twin._id;
  const jobId = await ctx.db.insert("jobs", {
    ...job,
    state: "queued",
    step: "begin",
    ticket: 0,
    dueAt: now,
    stalls: 0,
    done: 0,
    requestedAt: now,
  });
  await audit(ctx, job.accountId, job.requestedBy, `${job.kind}.request`, "queued", now, job.contactId);
  await ctx.scheduler.runAfter(0, internal.jobs.work, { jobId, ticket: 0 });
  return jobId;
}

/** The job that does the same and is not over yet. */
async function openTwin(ctx: QueryCtx, job: NewJob): Promise<Doc<"jobs"> | undefined> {
  for (const state of ["queued", "running"] as const) {
    const open = await ctx.db
      .query("jobs")
      .withIndex("by_account_state", (q) => q.eq("accountId", job.accountId).eq("state", state))
      .take(LIST_ROWS_MAX);
    const same = open.find(({ kind, contactId }) => kind === job.kind && contactId === job.contactId);
    if (same !== undefined) return same;
  }
  return undefined;
}

/** Writes down what a step did, and schedules the next one or ends the job. */
export async function moveJob(
  ctx: MutationCtx,
  job: Doc<"jobs">,
  result: StepResult,
  now: number,
  more: Partial<Pick<Doc<"jobs">, "files" | "expiresAt">> = {},
): Promise<void> {
  const done = job.done + result.rows;
  if (result.state === "over") {
    await ctx.db.patch(job._id, { ...more, done, step: "over", cursor: undefined });
    await endJob(ctx, job, "finish", now);
    return;
  }
  const ticket = job.ticket + 1;
  const { step, cursor, waitMs = 0 } = result;
  await ctx.db.patch(job._id, {
    ...more,
    step,
    cursor,
    ticket,
    done,
    stalls: 0,
    dueAt: now + STEP_LEASE_MS,
  });
  await ctx.scheduler.runAfter(waitMs, internal.jobs.work, { jobId: job._id, ticket });
}

/** Stops a job of the account. What it has done stays done. Throws `not_found`; one that is over stays as it is. */
export async function cancelJob(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  jobId: Id<"jobs">,
  now: number,
): Promise<void> {
  const job = await ctx.db.get(jobId);
  if (job === null || job.accountId !== accountId) fail("not_found");
  // Half an account is worse than none: a deletion that has begun goes to its end.
  if (job.kind === "deletion" && job.state === "running")
    fail("conflict", { say: "The deletion has begun." });
  // The names have moved with the decision already; what was said must follow.
  if (job.kind === "merge") fail("conflict", { say: "Two contacts that were joined stay one." });
  await endJob(ctx, job, "cancel", now);
}

/** Who may ask again for work that failed: those who may ask for it at all. Of an export a new one is made. */
const RETRY_PERMISSION = {
  merge: "inbox.write",
  erasure: "data.erase",
  deletion: "account.remove",
} as const satisfies Partial<Record<Doc<"jobs">["kind"], Permission>>;

/**
 * A person lets a job go on that failed, where it stood. One that is under way or done stays as it is. Throws
 * `not_found`, also for a job of another account, `forbidden` when the person may not ask for such work, and `conflict`
 * when it cannot go on.
 */
export async function retryJob(
  ctx: MutationCtx,
  by: { accountId: Id<"accounts">; userId: string; role: Role },
  jobId: Id<"jobs">,
  now: number,
): Promise<void> {
  const job = await ctx.db.get(jobId);
  if (job === null || job.accountId !== by.accountId) fail("not_found");
  if (job.kind === "export") fail("conflict", { say: "Ask for a new export instead." });
  if (!can(by.role, RETRY_PERMISSION[job.kind])) fail("forbidden");
  if (job.state === "cancelled") fail("conflict", { say: "It was cancelled: ask for it anew." });
  const state = nextJobState(job.state, "retry");
  if (state === null) return;
  if ((await openTwin(ctx, job)) !== undefined) fail("conflict", { say: "The same work is under way." });
  const ticket = job.ticket + 1;
  await ctx.db.patch(jobId, {
    ...{ state, ticket, stalls: 0, dueAt: now },
    ...{ failure: undefined, finishedAt: undefined },
  });
  await audit(ctx, by.accountId, `user:${by.userId}`, `${job.kind}.retry`, state, now, job.contactId);
  await ctx.scheduler.runAfter(0, internal.jobs.work, { jobId, ticket });
}

/** Jobs of an account, newest first. */
export async function listJobs(ctx: QueryCtx, accountId: Id<"accounts">) {
  const rows = await ctx.db
    .query("jobs")
    .withIndex("by_account_state", (q) => q.eq("accountId", accountId))
    .take(LIST_ROWS_MAX);
  return rows.sort((a, b) => b.requestedAt - a.requestedAt).map(viewJob);
}

/** A job as doors show it. */
export function viewJob(job: Doc<"jobs">): typeof jobView.type {
  const { _id, kind, state, step, done, requestedBy, requestedAt, finishedAt, failure, contactId } = job;
  const files = job.files?.map(({ name, bytes, rows }) => ({ name, bytes, rows }));
  return {
    _id,
    kind,
    state,
    step,
    done,
    requestedBy,
    requestedAt,
    ...defined({ finishedAt, failure, contactId, files, expiresAt: job.expiresAt }),
  };
}

/** Starts jobs whose runner was lost; one that does not get on in many attempts has failed. */
export async function sweepJobs(ctx: MutationCtx, now: number): Promise<void> {
  for (const state of ["running", "queued"] as const) {
    const due = await ctx.db
      .query("jobs")
      .withIndex("by_state_due", (q) => q.eq("state", state).lte("dueAt", now))
      .take(SWEEP_ROWS_MAX);
    for (const job of due) {
      if (state === "running" && job.stalls >= STALLS_MAX) {
        await ctx.db.patch(job._id, { failure: "no_progress" });
        await endJob(ctx, job, "fail", now);
        continue;
      }
      const ticket = job.ticket + 1;
      const stalls = state === "running" ? job.stalls + 1 : job.stalls;
      await ctx.db.patch(job._id, { ticket, stalls, dueAt: now + STEP_LEASE_MS });
      await ctx.scheduler.runAfter(0, internal.jobs.work, { jobId: job._id, ticket });
    }
  }
}

/** The job as running, if it is its turn (no other job of the account may run); else null. */
export async function startJob(ctx: MutationCtx, job: Doc<"jobs">): Promise<Doc<"jobs"> | null> {
  if (job.state === "running") return job;
  const state = nextJobState(job.state, "start");
  if (state === null) return null;
  const running = await ctx.db
    .query("jobs")
    .withIndex("by_account_state", (q) => q.eq("accountId", job.accountId).eq("state", "running"))
    .first();
  const first = await firstQueued(ctx, job.accountId);
  if (running !== null || first?._id !== job._id) return null;
  await ctx.db.patch(job._id, { state });
  return { ...job, state };
}

async function endJob(ctx: MutationCtx, job: Doc<"jobs">, event: JobEvent, now: number): Promise<void> {
  const current = (await ctx.db.get(job._id)) ?? job;
  const state = nextJobState(current.state, event);
  if (state === null) return;
  await ctx.db.patch(job._id, {
    ...{ state, finishedAt: now, ticket: current.ticket + 1 },
    // One that failed needs them to go on.
    ...(state !== "failed" && { identifiers: undefined }),
  });
  // The account's own chain goes with the account; the end of its deletion is told in the deployment's.
  const about = job.kind === "deletion" && state === "done" ? undefined : job.accountId;
  await audit(ctx, about, job.requestedBy, `${job.kind}.end`, state, now, job.contactId ?? job.accountId);
  const next = await firstQueued(ctx, job.accountId);
  if (next !== null) {
    await ctx.scheduler.runAfter(0, internal.jobs.work, { jobId: next._id, ticket: next.ticket });
  }
}

async function firstQueued(ctx: QueryCtx, accountId: Id<"accounts">): Promise<Doc<"jobs"> | null> {
  return await ctx.db
    .query("jobs")
    .withIndex("by_account_state", (q) => q.eq("accountId", accountId).eq("state", "queued"))
    .first();
}

async function audit(
  ctx: MutationCtx,
  accountId: Id<"accounts"> | undefined,
  principal: string,
  action: string,
  outcome: string,
  at: number,
  subject: string | undefined,
): Promise<void> {
  await recordAudit(ctx, { principal, action, outcome, at, ...defined({ accountId, subject }) });
}
