import { type Infer, v } from "convex/values";
import { DAY_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { exportFile } from "../tables/jobs";
import { chainOf } from "./audit";
import { fail } from "./errors";
import { moveJob, requestJob } from "./jobs";
import { holdFile, releaseFile } from "./storedFiles";

/**
 * An account as files of JSON lines, one kind of row per file, oldest first. The files of messages are not copied: a
 * manifest names them, and they are fetched by message id under the reader's own rights. Secrets are in none of these tables.
 */

/** Rows that one page reads; a message has at most some 70 KiB, so a page stays below the 16 MiB of a transaction. */
const PAGE_ROWS_MAX = 200;
/** How long the files of an export can be fetched. */
const EXPORT_KEPT_MS = 7 * DAY_MS;
/** Exports whose time is over that one run removes. */
const EXPIRED_MAX = 20;

const KINDS = [
  "contacts",
  "conversations",
  "messages",
  "media",
  "consent",
  "handoffs",
  "events",
  "audit",
] as const;
type Kind = (typeof KINDS)[number];

export const exportPage = v.object({
  kind: v.string(),
  lines: v.array(v.string()),
  /** Where the next page of the same file begins; null at the end of the kind. */
  cursor: v.union(v.string(), v.null()),
});

export const exportPart = v.object({
  /** Absent when there was nothing to write. */
  file: v.optional(exportFile),
  cursor: v.union(v.string(), v.null()),
});

/** Asks for an export; while one is under way, the same job is answered. */
export async function requestExport(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  requestedBy: string,
  now: number,
): Promise<Id<"jobs">> {
  return await requestJob(ctx, { accountId, kind: "export", requestedBy }, now);
}

/** The next rows of an export, as lines of JSON. Null when this call is a lost twin of the one that works. */
export async function readExportPage(
  ctx: QueryCtx,
  args: { jobId: Id<"jobs">; ticket: number; cursor?: string },
): Promise<Infer<typeof exportPage> | null> {
  const job = await ctx.db.get(args.jobId);
  if (job === null || job.state !== "running" || job.ticket !== args.ticket) return null;
  const kind = kindOf(job);
  const page = await readKind(ctx, kind, job.accountId, args.cursor ?? job.cursor ?? null);
  return {
    kind,
    lines: page.rows.map((row) => JSON.stringify(row)),
    cursor: page.isDone ? null : page.cursor,
  };
}

/**
 * Takes a file that the worker has stored and moves the job on. Returns false when the call is a lost twin; the worker
 * then removes its file.
 */
export async function settleExport(
  ctx: MutationCtx,
  args: { jobId: Id<"jobs">; ticket: number; part: Infer<typeof exportPart> },
  now: number,
): Promise<boolean> {
  const job = await ctx.db.get(args.jobId);
  if (job === null || job.state !== "running" || job.ticket !== args.ticket) return false;
  const { file, cursor } = args.part;
  if (file !== undefined) await holdFile(ctx, file.storageId, job.accountId);
  const files = [...(job.files ?? []), ...(file === undefined ? [] : [file])];
  const more = { files, expiresAt: now + EXPORT_KEPT_MS };
  const rows = file?.rows ?? 0;
  const next = cursor === null ? KINDS[KINDS.indexOf(kindOf(job)) + 1] : kindOf(job);
  if (next === undefined) await moveJob(ctx, job, { state: "over", rows }, now, more);
  else {
    const place = cursor === null ? {} : { cursor };
    await moveJob(ctx, job, { state: "more", step: next, rows, ...place }, now, more);
  }
  return true;
}

/** Links to the files of an export of the account; they end with the export. Throws `not_found`. */
export async function exportLinks(ctx: QueryCtx, accountId: Id<"accounts">, jobId: Id<"jobs">) {
  const job = await ctx.db.get(jobId);
  if (job === null || job.accountId !== accountId || job.kind !== "export") fail("not_found");
  if (job.state !== "done") return [];
  const links = await Promise.all(
    (job.files ?? []).map(async ({ name, storageId, bytes, rows }) => {
      const url = await ctx.storage.getUrl(storageId);
      return url === null ? [] : [{ name, bytes, rows, url }];
    }),
  );
  return links.flat();
}

/** Removes the files of exports whose time is over. Returns whether there may be more. */
export async function removeExports(ctx: MutationCtx, now: number): Promise<boolean> {
  // A missing field sorts before every number, so the lower bound leaves out the jobs that have no files.
  const expired = await ctx.db
    .query("jobs")
    .withIndex("by_expires_at", (q) => q.gt("expiresAt", 0).lt("expiresAt", now))
    .take(EXPIRED_MAX);
  for (const { _id, files = [] } of expired) {
    for (const { storageId } of files) await releaseFile(ctx, storageId);
    await ctx.db.patch(_id, { files: [], expiresAt: undefined });
  }
  return expired.length === EXPIRED_MAX;
}

function kindOf({ step }: Doc<"jobs">): Kind {
  return KINDS.find((kind) => kind === step) ?? KINDS[0];
}

interface Page {
  rows: object[];
  cursor: string;
  isDone: boolean;
}

async function readKind(
  ctx: QueryCtx,
  kind: Kind,
  accountId: Id<"accounts">,
  cursor: string | null,
): Promise<Page> {
  const options = { cursor, numItems: PAGE_ROWS_MAX };
  switch (kind) {
    case "contacts":
      return pageOf(
        await ctx.db
          .query("contacts")
          .withIndex("by_account", (q) => q.eq("accountId", accountId))
          .paginate(options),
      );
    case "conversations":
      return pageOf(
        await ctx.db
          .query("conversations")
          .withIndex("by_account_contact", (q) => q.eq("accountId", accountId))
          .paginate(options),
      );
    case "messages":
      return pageOf(await messagesPage(ctx, accountId, options));
    case "media": {
      const page = await messagesPage(ctx, accountId, options);
      return pageOf({ ...page, page: page.page.flatMap(manifestLine) });
    }
    case "consent":
      return pageOf(
        await ctx.db
          .query("consentEntries")
          .withIndex("by_account", (q) => q.eq("accountId", accountId))
          .paginate(options),
      );
    case "handoffs":
      return pageOf(
        await ctx.db
          .query("handoffs")
          .withIndex("by_account", (q) => q.eq("accountId", accountId))
          .paginate(options),
      );
    case "events": {
      const page = await ctx.db
        .query("webhookEvents")
        .withIndex("by_account_seq", (q) => q.eq("accountId", accountId))
        .paginate({ cursor, numItems: EVENT_ROWS_MAX });
      return pageOf({ ...page, page: page.page.map(({ body }): object => JSON.parse(body)) });
    }
    case "audit": {
      const page = await ctx.db
        .query("auditLog")
        .withIndex("by_chain_seq", (q) => q.eq("chain", chainOf(accountId)))
        .paginate(options);
      return pageOf(page);
    }
    default:
      return kind satisfies never;
  }
}

/** Envelopes have up to 256 KiB each, of the 16 MiB that a transaction may read. */
const EVENT_ROWS_MAX = 40;

function messagesPage(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  options: { cursor: string | null; numItems: number },
) {
  return ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId))
    .paginate(options);
}

function manifestLine({ _id, wamid, type, media }: Doc<"messages">): object[] {
  if (media === undefined) return [];
  const { state, mime, filename, bytes } = media;
  return [{ messageId: _id, wamid, type, state, mime, filename, bytes }];
}

function pageOf(result: { page: object[]; continueCursor: string; isDone: boolean }): Page {
  return { rows: result.page, cursor: result.continueCursor, isDone: result.isDone };
}
