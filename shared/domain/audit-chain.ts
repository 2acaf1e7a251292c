import { plainBytes, toHex } from "../bytes";

/**
 * A chain of audit lines: each carries the hash of the one before it, so that a line that was changed, taken out or
 * moved is found by whoever walks the chain. The hash covers a digest of each field and not the field itself: what
 * erasure takes out of a line leaves its digest behind, and the chain still holds.
 */

/** Fields that may be redacted later, because they can name a customer or what was said. In this order for ever. */
export const AUDIT_PAYLOAD_FIELDS = ["tool", "argumentHash", "subject", "target", "reason"] as const;
export type AuditPayloadField = (typeof AUDIT_PAYLOAD_FIELDS)[number];

/** A line as the chain sees it. */
export interface ChainedLine {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly at: number;
  readonly principal: string;
  readonly action: string;
  readonly outcome: string;
  readonly ms?: number | undefined;
  readonly tool?: string | undefined;
  readonly argumentHash?: string | undefined;
  readonly subject?: string | undefined;
  readonly target?: string | undefined;
  readonly reason?: string | undefined;
  /**
   * Mixed into the digests of the fields that may be redacted, so that a redacted one cannot be guessed from its
   * digest. Goes with the redaction.
   */
  readonly salt?: string | undefined;
  /** What is left of fields that were redacted. */
  readonly redacted?: Readonly<Partial<Record<AuditPayloadField, string>>> | undefined;
}

/** Where a chain begins: the hash that its first line follows. A chain cut by retention begins at the last line cut. */
export interface ChainAnchor {
  readonly seq: number;
  readonly hash: string;
}

/** The anchor of a chain from which nothing was ever removed. */
export const CHAIN_START: ChainAnchor = { seq: 0, hash: "0".repeat(64) };

export type ChainProblem =
  /** The line's own contents do not give its hash. */
  | "changed"
  /** The line does not follow the one before it: something was taken out, put in or moved. */
  | "out_of_order"
  /** Lines are missing at the end, or there are more than were written. */
  | "wrong_end";

/** Version of the canonical form; a later form gets another number and old lines keep theirs. */
const FORM = "pons-audit-1";

/** The hash of a line in a chain. `chain` names the chain, so that a line cannot be moved to another one. */
export async function auditHash(chain: string, line: Omit<ChainedLine, "hash">): Promise<string> {
  const digests = [];
  for (const field of AUDIT_PAYLOAD_FIELDS) digests.push(await fieldDigest(line, field));
  const { seq, prevHash, at, principal, action, outcome, ms } = line;
  return await sha256([FORM, chain, seq, prevHash, at, principal, action, outcome, ms ?? null, ...digests]);
}

/** What stays of a field when it is redacted; null for a field that the line never had. */
export async function fieldDigest(
  line: Omit<ChainedLine, "hash">,
  field: AuditPayloadField,
): Promise<string | null> {
  const kept = line.redacted?.[field];
  if (kept !== undefined) return kept;
  const value = line[field];
  return value === undefined ? null : await sha256([line.salt ?? "", field, value]);
}

/** The parts of a line that redaction changes: payload fields give way to their digests, and the salt goes. */
export async function redactedParts(
  line: Omit<ChainedLine, "hash">,
): Promise<Partial<Record<AuditPayloadField, string>>> {
  const redacted: Partial<Record<AuditPayloadField, string>> = {};
  for (const field of AUDIT_PAYLOAD_FIELDS) {
    const digest = await fieldDigest(line, field);
    if (digest !== null) redacted[field] = digest;
  }
  return redacted;
}

/** Checks lines that follow an anchor, in order. Gives the anchor for the next lines, or the first broken place. */
export async function checkChain(
  chain: string,
  anchor: ChainAnchor,
  lines: readonly ChainedLine[],
): Promise<{ ok: true; anchor: ChainAnchor } | { ok: false; seq: number; problem: ChainProblem }> {
  let last = anchor;
  for (const line of lines) {
    if (line.seq !== last.seq + 1 || line.prevHash !== last.hash) {
      return { ok: false, seq: last.seq + 1, problem: "out_of_order" };
    }
    if ((await auditHash(chain, line)) !== line.hash) return { ok: false, seq: line.seq, problem: "changed" };
    last = { seq: line.seq, hash: line.hash };
  }
  return { ok: true, anchor: last };
}

async function sha256(parts: readonly (string | number | null)[]): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", plainBytes(JSON.stringify(parts))));
}
