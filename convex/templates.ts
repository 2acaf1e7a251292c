import { v } from "convex/values";
import { templatePages } from "#shared/whatsapp/client-templates";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, memberMutation, memberQuery } from "./functions";
import { graphClient } from "./model/graph";
import { openAccountSecret } from "./model/secrets";
import { listTemplates, templateFilter, templateView } from "./model/templateReads";
import {
  APPLY_ROWS_MAX,
  applyTemplateRows,
  askForTemplateSync,
  claimTemplateSync,
  finishTemplateSync,
  readSyncState,
  sweepTemplateSyncs,
  templateSyncJob,
  templateSyncReport,
} from "./model/templateSync";
import { refusalView } from "./model/views";

/** Templates of one number by name, filtered; or the best matches of `query`. */
export const list = memberQuery({
  permission: "inbox.read",
  args: {
    accountId: v.id("accounts"),
    ...templateFilter,
    limit: v.optional(v.number()),
    cursor: v.optional(v.string()),
  },
  returns: v.object({ templates: v.array(templateView), nextCursor: v.union(v.string(), v.null()) }),
  handler: async (ctx, args) => await listTemplates(ctx, ctx.account._id, args),
});

/** When the list was last read from Meta, and whether that is going on. */
export const syncState = memberQuery({
  permission: "inbox.read",
  args: { accountId: v.id("accounts") },
  returns: v.object({
    running: v.boolean(),
    syncedAt: v.optional(v.number()),
    /** Why the last run failed, as a code. */
    reason: v.optional(v.string()),
  }),
  handler: async (ctx) => await readSyncState(ctx, ctx.account._id),
});

/** Reads the list from Meta now. Null when it was started. */
export const requestSync = memberMutation({
  permission: "inbox.write",
  args: { accountId: v.id("accounts") },
  returns: v.union(v.null(), refusalView),
  handler: async (ctx) => await askForTemplateSync(ctx, ctx.account._id, Date.now()),
});

/** One run: claim, bring the list page by page, finish. Decides nothing itself. */
export const sync = internalAction({
  args: { accountId: v.id("accounts") },
  returns: v.null(),
  handler: async (ctx, { accountId }): Promise<null> => {
    const token = crypto.randomUUID();
    const job = await ctx.runMutation(internal.templates.claimSync, { accountId, token });
    if (job === null) return null;
    const finish = async (report: typeof templateSyncReport.type) => {
      while (await ctx.runMutation(internal.templates.finishSync, { accountId, token, report }));
      return null;
    };
    const accessToken = await openAccountSecret(job, "accessToken", job.accessTokenSealed);
    if (accessToken === null) return await finish({ outcome: "failed", reason: "token_unreadable" });
    let readAt = Date.now();
    let whole = false;
    for await (const page of templatePages(graphClient(accessToken), job.wabaId)) {
      if (!page.ok) return await finish({ outcome: "failed", reason: page.reason });
      const rows = page.value.templates.map(({ row }) => JSON.stringify(row));
      for (let at = 0; at < rows.length; at += APPLY_ROWS_MAX) {
        const batch = { accountId, token, rows: rows.slice(at, at + APPLY_ROWS_MAX), readAt };
        if (!(await ctx.runMutation(internal.templates.applyRows, batch))) return null;
      }
      whole = page.value.rest === "whole";
      readAt = Date.now();
    }
    return await finish({ outcome: "read", whole });
  },
});

export const claimSync = internalMutation({
  args: { accountId: v.id("accounts"), token: v.string() },
  returns: v.union(templateSyncJob, v.null()),
  handler: async (ctx, args) => await claimTemplateSync(ctx, args.accountId, args.token, Date.now()),
});

export const applyRows = internalMutation({
  args: { accountId: v.id("accounts"), token: v.string(), rows: v.array(v.string()), readAt: v.number() },
  returns: v.boolean(),
  handler: async (ctx, args) => await applyTemplateRows(ctx, args, Date.now()),
});

/** Returns true while there is more to remove. */
export const finishSync = internalMutation({
  args: { accountId: v.id("accounts"), token: v.string(), report: templateSyncReport },
  returns: v.boolean(),
  handler: async (ctx, args) => await finishTemplateSync(ctx, args, Date.now()),
});

/** Cron: starts runs that are due. */
export const sweep = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await sweepTemplateSyncs(ctx, Date.now());
    return null;
  },
});
