import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery, memberMutation, memberQuery } from "./functions";
import {
  exportLinks,
  exportPage,
  exportPart,
  readExportPage,
  requestExport,
  settleExport,
} from "./model/exports";

/** Size at which a file is closed and the next one begun; an action holds it in memory, of which it has 64 MB. */
const FILE_CHARACTERS_MAX = 8_000_000;

const ofStep = { jobId: v.id("jobs"), ticket: v.number() };

/** Writes the account's contacts, messages, consent and logs into files. The job tells how far it is. */
export const start = memberMutation({
  permission: "data.export",
  args: { accountId: v.id("accounts") },
  returns: v.id("jobs"),
  handler: async (ctx) => await requestExport(ctx, ctx.account._id, `user:${ctx.userId}`, Date.now()),
});

/** Links to the files of an export that is done; they work for a week. */
export const links = memberQuery({
  permission: "data.export",
  args: { accountId: v.id("accounts"), jobId: v.id("jobs") },
  returns: v.array(v.object({ name: v.string(), bytes: v.number(), rows: v.number(), url: v.string() })),
  handler: async (ctx, args) => await exportLinks(ctx, ctx.account._id, args.jobId),
});

/** Writes one file of an export. Decides nothing: it reads pages until the file is full, stores it and reports. */
export const write = internalAction({
  args: ofStep,
  returns: v.null(),
  handler: async (ctx, args) => {
    const lines: string[] = [];
    let characters = 0;
    let cursor: string | null = null;
    let kind = "";
    do {
      const place: { cursor?: string } = cursor === null ? {} : { cursor };
      const page: typeof exportPage.type | null = await ctx.runQuery(internal.exports.page, {
        ...args,
        ...place,
      });
      if (page === null) return null;
      lines.push(...page.lines);
      characters += page.lines.reduce((sum, line) => sum + line.length, 0);
      ({ kind, cursor } = page);
    } while (cursor !== null && characters < FILE_CHARACTERS_MAX);
    if (lines.length === 0) {
      await ctx.runMutation(internal.exports.settle, { ...args, part: { cursor } });
      return null;
    }
    const blob = new Blob([`${lines.join("\n")}\n`], { type: "application/jsonl" });
    const storageId = await ctx.storage.store(blob);
    const name = `${kind}-${args.ticket}.jsonl`;
    const file = { name, storageId, bytes: blob.size, rows: lines.length };
    const counted = await ctx.runMutation(internal.exports.settle, { ...args, part: { file, cursor } });
    if (!counted) await ctx.storage.delete(storageId);
    return null;
  },
});

export const page = internalQuery({
  args: { ...ofStep, cursor: v.optional(v.string()) },
  returns: v.union(exportPage, v.null()),
  handler: async (ctx, args) => await readExportPage(ctx, args),
});

/** Returns whether the file counts; one that does not is the worker's to remove. */
export const settle = internalMutation({
  args: { ...ofStep, part: exportPart },
  returns: v.boolean(),
  handler: async (ctx, args) => await settleExport(ctx, args, Date.now()),
});
