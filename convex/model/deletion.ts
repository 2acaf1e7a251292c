import type { Doc, Id, TableNames } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { chainOf } from "./audit";
import { eraseBodies } from "./bodyErasure";
import { rowsOfConversation } from "./erasure";
import { fail } from "./errors";
import { requestJob, type StepResult } from "./jobs";
import { eraseMessage, eraseSend } from "./messageErasure";
import { releaseFile } from "./storedFiles";

/**
 * Deletes an account with everything in it, files included. Keys go first, so that nothing new comes in; memberships
 * and the account's own row go last, so that its people see the progress. What others own too, such as a raw body that
 * also speaks of another number, loses its text and keeps its digest.
 */

const ROWS_MAX = 200;
/** A message takes about 20 reads and writes of the 4,096 that a transaction may do. */
const MESSAGES_MAX = 40;
const CONVERSATIONS_MAX = 10;

/** Asks for the deletion of an account and switches it off at once. Throws `not_found`. */
export async function requestDeletion(
  ctx: MutationCtx,
  { accountId, requestedBy }: { accountId: Id<"accounts">; requestedBy: string },
  now: number,
): Promise<Id<"jobs">> {
  const account = await ctx.db.get(accountId);
  if (account === null) fail("not_found");
  await ctx.db.patch(accountId, { state: "disabled" });
  return await requestJob(ctx, { accountId, kind: "deletion", requestedBy }, now);
}

type Rows = { _id: Id<TableNames> }[];
type Step = (ctx: MutationCtx, accountId: Id<"accounts">, job: Doc<"jobs">) => Promise<Rows>;

/** Tables whose rows are found by their account alone, each with the next rows to remove. */
const TABLES = {
  accountInvites: (ctx, accountId) =>
    ctx.db
      .query("accountInvites")
      .withIndex("by_account_expiry", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  accountHealth: (ctx, accountId) =>
    ctx.db
      .query("accountHealth")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  apiKeys: (ctx, accountId) =>
    ctx.db
      .query("apiKeys")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  messages: async (ctx, accountId) => {
    const messages = await ctx.db
      .query("messages")
      .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId))
      .take(MESSAGES_MAX);
    for (const message of messages) await eraseMessage(ctx, message);
    return messages;
  },
  messageStatuses: (ctx, accountId) =>
    ctx.db
      .query("messageStatuses")
      .withIndex("by_account_wamid_status", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  reactions: (ctx, accountId) =>
    ctx.db
      .query("reactions")
      .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  messageEdits: (ctx, accountId) =>
    ctx.db
      .query("messageEdits")
      .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  callEvents: (ctx, accountId) =>
    ctx.db
      .query("callEvents")
      .withIndex("by_account_call", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  numberPauses: (ctx, accountId) =>
    ctx.db
      .query("numberPauses")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  sendRequests: (ctx, accountId) =>
    ctx.db
      .query("sendRequests")
      .withIndex("by_principal_request", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  flaggedReads: (ctx, accountId) =>
    ctx.db
      .query("flaggedReads")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  sendConfirmations: (ctx, accountId) =>
    ctx.db
      .query("sendConfirmations")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  conversations: async (ctx, accountId) => {
    const conversations = await ctx.db
      .query("conversations")
      .withIndex("by_account_contact", (q) => q.eq("accountId", accountId))
      .take(CONVERSATIONS_MAX);
    for (const { _id } of conversations) {
      const removed = await emptyConversation(ctx, _id);
      if (removed) return removed;
      await ctx.db.delete(_id);
    }
    return conversations;
  },
  handoffs: (ctx, accountId) =>
    ctx.db
      .query("handoffs")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  consentEntries: (ctx, accountId) =>
    ctx.db
      .query("consentEntries")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  consentStates: (ctx, accountId) =>
    ctx.db
      .query("consentStates")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  suppressions: (ctx, accountId) =>
    ctx.db
      .query("suppressions")
      .withIndex("by_account_identity", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  contactIdentities: (ctx, accountId) =>
    ctx.db
      .query("contactIdentities")
      .withIndex("by_account_kind_value", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  contactDuplicates: (ctx, accountId) =>
    ctx.db
      .query("contactDuplicates")
      .withIndex("by_pair", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  contacts: (ctx, accountId) =>
    ctx.db
      .query("contacts")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  webhookEvents: (ctx, accountId) =>
    ctx.db
      .query("webhookEvents")
      .withIndex("by_account_seq", (q) => q.eq("accountId", accountId))
      .take(MESSAGES_MAX),
  accountSequences: (ctx, accountId) =>
    ctx.db
      .query("accountSequences")
      .withIndex("by_account_conversation", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  templates: (ctx, accountId) =>
    ctx.db
      .query("templates")
      .withIndex("by_account_name_language", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  templateSyncs: (ctx, accountId) =>
    ctx.db
      .query("templateSyncs")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  uploads: async (ctx, accountId) => {
    const uploads = await ctx.db
      .query("uploads")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX);
    for (const { storageId } of uploads) if (storageId !== undefined) await releaseFile(ctx, storageId);
    return uploads;
  },
  jobs: async (ctx, accountId, job) => {
    const jobs = await ctx.db
      .query("jobs")
      .withIndex("by_account_state", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX);
    const others = jobs.filter(({ _id }) => _id !== job._id);
    for (const { files = [] } of others) for (const { storageId } of files) await releaseFile(ctx, storageId);
    return others;
  },
  webhookItems: (ctx, accountId) =>
    ctx.db
      .query("webhookItems")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  /** Whatever file is left although nobody names it. */
  storedFiles: async (ctx, accountId) => {
    const rows = await ctx.db
      .query("storedFiles")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX);
    for (const { storageId } of rows) {
      if ((await ctx.db.system.get(storageId)) !== null) await ctx.storage.delete(storageId);
    }
    return rows;
  },
  auditLog: (ctx, accountId) =>
    ctx.db
      .query("auditLog")
      .withIndex("by_chain_seq", (q) => q.eq("chain", chainOf(accountId)))
      .take(ROWS_MAX),
  auditChains: (ctx, accountId) =>
    ctx.db
      .query("auditChains")
      .withIndex("by_chain", (q) => q.eq("chain", chainOf(accountId)))
      .take(ROWS_MAX),
  accountRules: (ctx, accountId) =>
    ctx.db
      .query("accountRules")
      .withIndex("by_account", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
  accountMembers: (ctx, accountId) =>
    ctx.db
      .query("accountMembers")
      .withIndex("by_account_user", (q) => q.eq("accountId", accountId))
      .take(ROWS_MAX),
} as const satisfies Record<string, Step>;

type TableStep = keyof typeof TABLES;

/** The tables that a deletion walks itself, in order; a test compares them with the schema. */
export const DELETED_TABLES = Object.keys(TABLES).filter(isTableStep);

/** Tables whose rows go with another row: with their message, their conversation, their body or the account itself. */
export const DELETED_WITH_ANOTHER: readonly TableNames[] = [
  "accounts",
  "conversationSeen",
  "mediaJobs",
  "outbox",
  "readMarks",
  "webhookBodies",
];

/** Does the next part of a deletion. */
export async function deletionStep(ctx: MutationCtx, job: Doc<"jobs">): Promise<StepResult> {
  const { accountId, step } = job;
  const account = await ctx.db.get(accountId);
  if (step === "begin") return { state: "more", step: "bodies", rows: 0 };
  if (step === "bodies") {
    const [first = "account"] = DELETED_TABLES;
    return await eraseBodies(ctx, job, accountId, await namesInBodies(ctx, account), first);
  }
  if (step === "account") {
    if (account !== null) await ctx.db.delete(accountId);
    return { state: "over", rows: 1 };
  }
  if (!isTableStep(step)) throw new Error(`A deletion has no step "${step}".`);
  const rows: Rows = await TABLES[step](ctx, accountId, job);
  for (const { _id } of rows) if ((await ctx.db.get(_id)) !== null) await ctx.db.delete(_id);
  if (rows.length > 0) return { state: "more", step, rows: rows.length };
  return { state: "more", step: DELETED_TABLES[DELETED_TABLES.indexOf(step) + 1] ?? "account", rows: 0 };
}

/** What raw bodies call the account. Several numbers may share a WhatsApp Business account; then its id is theirs too. */
async function namesInBodies(ctx: MutationCtx, account: Doc<"accounts"> | null): Promise<string[]> {
  if (account === null) return [];
  const { phoneNumberId, wabaId } = account;
  const sharing = await ctx.db
    .query("accounts")
    .withIndex("by_waba_id", (q) => q.eq("wabaId", wabaId))
    .take(2);
  return sharing.length > 1 ? [phoneNumberId] : [phoneNumberId, wabaId];
}

function isTableStep(step: string): step is TableStep {
  return Object.hasOwn(TABLES, step);
}

/** Removes what hangs on a conversation, in batches; null when nothing is left. */
async function emptyConversation(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
): Promise<Rows | null> {
  const sends = await ctx.db
    .query("outbox")
    .withIndex("by_lane", (q) => q.eq("conversationId", conversationId))
    .take(MESSAGES_MAX);
  for (const send of sends) await eraseSend(ctx, send);
  const rows = await rowsOfConversation(ctx, conversationId);
  for (const { _id } of rows) await ctx.db.delete(_id);
  return sends.length === MESSAGES_MAX || rows.length >= ROWS_MAX ? [...sends, ...rows] : null;
}
