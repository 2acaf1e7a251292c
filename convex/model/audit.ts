import {
  AUDIT_PAYLOAD_FIELDS,
  type AuditPayloadField,
  auditHash,
  CHAIN_START,
  type ChainedLine,
  redactedParts,
} from "#shared/domain/audit-chain";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

/** What a writer tells; the place in the chain is given here. */
export interface AuditEntry {
  accountId?: Id<"accounts">;
  principal: string;
  action: string;
  outcome: string;
  subject?: string;
  target?: string;
  tool?: string;
  reason?: string;
  /** A keyed digest of the arguments. */
  argumentHash?: string;
  /** How long it took. */
  ms?: number;
  at: number;
}

/** Lines about one subject that one step redacts; nothing has more than a few. */
const REDACTED_LINES_MAX = 200;

/** The chain of an account, or of what concerns no account. */
export function chainOf(accountId: Id<"accounts"> | undefined): string {
  return accountId ?? "deployment";
}

/**
 * Appends one line to its account's chain, in the transaction of the thing that it is about.
 * docs/decisions/0012-audit-chain.md tells why it is built so.
 */
export async function recordAudit(ctx: MutationCtx, entry: AuditEntry): Promise<void> {
  const chain = chainOf(entry.accountId);
  const head = await findChain(ctx, chain);
  const last = head ?? CHAIN_START;
  // Seeded randomness is enough: the salt only keeps a redacted field from being guessed, and goes with it.
  const salt = crypto.randomUUID();
  const line = {
    ...entry,
    chain,
    seq: last.seq + 1,
    prevHash: last.hash,
    salt,
  };
  const hash = await auditHash(chain, line);
  await ctx.db.insert("auditLog", { ...line, hash });
  if (head !== null) {
    await ctx.db.patch(head._id, { seq: line.seq, hash, ...(isEmpty(head) && { oldestAt: entry.at }) });
    return;
  }
  await ctx.db.insert("auditChains", {
    chain,
    seq: line.seq,
    hash,
    anchorSeq: CHAIN_START.seq,
    anchorHash: CHAIN_START.hash,
    oldestAt: entry.at,
  });
}

/**
 * Takes out of the log what names a contact or message that is erased: lines about this subject or target lose their
 * payload, keep its digests, and stay in the chain. Returns whether there may be more such lines.
 */
export async function redactAudit(ctx: MutationCtx, accountId: Id<"accounts">, id: string): Promise<boolean> {
  const chain = chainOf(accountId);
  const bySubject = await ctx.db
    .query("auditLog")
    .withIndex("by_chain_subject", (q) => q.eq("chain", chain).eq("subject", id))
    .take(REDACTED_LINES_MAX);
  const byTarget = await ctx.db
    .query("auditLog")
    .withIndex("by_chain_target", (q) => q.eq("chain", chain).eq("target", id))
    .take(REDACTED_LINES_MAX);
  const lines = new Map([...bySubject, ...byTarget].map((line) => [line._id, line]));
  for (const line of lines.values()) await redactLine(ctx, line);
  return bySubject.length === REDACTED_LINES_MAX || byTarget.length === REDACTED_LINES_MAX;
}

const TAKEN_OUT: Readonly<Record<AuditPayloadField, undefined>> = {
  tool: undefined,
  argumentHash: undefined,
  subject: undefined,
  target: undefined,
  reason: undefined,
};

async function redactLine(ctx: MutationCtx, line: Doc<"auditLog">): Promise<void> {
  const redacted = await redactedParts(chained(line));
  await ctx.db.patch(line._id, { ...TAKEN_OUT, salt: undefined, redacted });
}

/**
 * Removes the oldest lines of a chain, as far as they are older than `before` (ms) and at most `linesMax`, and moves the
 * anchor to the last one removed. Returns whether anything was removed.
 */
export async function cutChain(
  ctx: MutationCtx,
  head: Doc<"auditChains">,
  before: number,
  linesMax: number,
): Promise<boolean> {
  const rows = await ctx.db
    .query("auditLog")
    .withIndex("by_chain_seq", (q) => q.eq("chain", head.chain))
    .take(linesMax + 1);
  const stays = rows.findIndex(({ at }) => at >= before);
  const gone = rows.slice(0, stays === -1 ? linesMax : Math.min(stays, linesMax));
  for (const line of gone) await ctx.db.delete(line._id);
  const last = gone.at(-1);
  await ctx.db.patch(head._id, {
    ...(last !== undefined && { anchorSeq: last.seq, anchorHash: last.hash }),
    oldestAt: rows[gone.length]?.at ?? Number.MAX_SAFE_INTEGER,
  });
  return gone.length > 0;
}

/** A stored line as the chain sees it. */
export function chained(line: Doc<"auditLog">): ChainedLine {
  const { redacted, ...rest } = line;
  if (redacted === undefined) return rest;
  const known: Partial<Record<AuditPayloadField, string>> = {};
  for (const field of AUDIT_PAYLOAD_FIELDS) {
    const digest = redacted[field];
    if (digest !== undefined) known[field] = digest;
  }
  return { ...rest, redacted: known };
}

/** The head and anchor of a chain; null when nothing was ever written to it. */
export async function findChain(ctx: QueryCtx, chain: string): Promise<Doc<"auditChains"> | null> {
  return await ctx.db
    .query("auditChains")
    .withIndex("by_chain", (q) => q.eq("chain", chain))
    .unique();
}

/** Whether retention has removed every line of the chain. */
function isEmpty({ seq, anchorSeq }: Doc<"auditChains">): boolean {
  return seq === anchorSeq;
}
