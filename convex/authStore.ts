import { v } from "convex/values";
import { internalMutation, serviceMutation, serviceQuery } from "./functions";
import { vCondition, vFields, vSort } from "./model/authConditions";
import {
  countRows,
  createRow,
  deleteRows,
  findRows,
  incrementRow,
  isAdmitted,
  pruneRows,
  updateRows,
  vModel,
} from "./model/authStore";

/**
 * The store of Better Auth, which runs in the Next server: one function per operation of its adapter. Each mutation
 * is one serializable transaction, which is what makes the single-use and counting operations safe under races.
 */
const where = v.array(vCondition);

export const find = serviceQuery({
  args: {
    model: vModel,
    where,
    sortBy: v.optional(vSort),
    limit: v.optional(v.number()),
    offset: v.optional(v.number()),
  },
  returns: v.array(vFields),
  handler: async (ctx, args) => await findRows(ctx, args),
});

export const count = serviceQuery({
  args: { model: vModel, where },
  returns: v.number(),
  handler: async (ctx, args) => await countRows(ctx, args.model, args.where),
});

export const create = serviceMutation({
  args: { model: vModel, data: vFields },
  returns: vFields,
  handler: async (ctx, args) => await createRow(ctx, args.model, args.data),
});

/** Changes one row at most; the first that matches. */
export const updateOne = serviceMutation({
  args: { model: vModel, where, set: vFields },
  returns: v.union(v.null(), vFields),
  handler: async (ctx, args) => (await updateRows(ctx, { ...args, max: 1 }))[0] ?? null,
});

export const updateMany = serviceMutation({
  args: { model: vModel, where, set: vFields },
  returns: v.number(),
  handler: async (ctx, args) => (await updateRows(ctx, args)).length,
});

export const deleteMany = serviceMutation({
  args: { model: vModel, where },
  returns: v.number(),
  handler: async (ctx, args) => (await deleteRows(ctx, args)).length,
});

/** Deletes one row and gives it to exactly one of several callers; the others get null. */
export const consumeOne = serviceMutation({
  args: { model: vModel, where },
  returns: v.union(v.null(), vFields),
  handler: async (ctx, args) => (await deleteRows(ctx, { ...args, max: 1 }))[0] ?? null,
});

export const incrementOne = serviceMutation({
  args: { model: vModel, where, increment: v.record(v.string(), v.number()), set: vFields },
  returns: v.union(v.null(), vFields),
  handler: async (ctx, args) => await incrementRow(ctx, args),
});

/** Whether a person may have a session: the owner of the instance, or a member of at least one account. */
export const admitted = serviceQuery({
  args: { userId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, args) => await isAdmitted(ctx, args.userId),
});

/** Counters of sign-in attempts have windows of seconds; a day later they mean nothing. */
const COUNTER_KEPT_MS = 24 * 60 * 60 * 1000;

/** Run by a cron; removes what has ended. Answers the number of rows removed. */
export const prune = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => {
    const now = Date.now();
    return await pruneRows(ctx, now, now - COUNTER_KEPT_MS);
  },
});
