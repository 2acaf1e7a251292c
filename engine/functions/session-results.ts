import type { Clock } from "../clock";
import { readChunks, removeChunks, writeChunks } from "../deploy/chunks";
import { isJsonObject } from "../json";
import type { Database, JsonObject, SystemRow, Transaction } from "../types";
import { COMMIT_TS, holdsCommitTs, resolveCommitTs } from "../values/commit-ts";
import { int64Of } from "../values/encoded";
import { SESSION_KEPT_MS, SESSION_PRUNE_BATCH } from "./limits";

/** Names one request of one client session: asked again, it must not run again. */
export type Once = { sessionId: string; requestId: number };

export type StoredResult = { value: string; logLines: string[] };

/** Results up to here stay in their row; a row is a document, which has an end at 1 MiB. */
const INLINE_LENGTH_MAX = 200_000;

/**
 * The result of an earlier run of the same request, from the snapshot of `transaction`. Looking makes the place where
 * it would be part of the read set: of two runs at once, one loses and finds the result of the other.
 */
export function findResult(transaction: Transaction, once: Once): StoredResult | null {
  const [row] = transaction.system.list("_session_requests", "by_session_and_request", {
    equals: [once.sessionId, once.requestId],
    limit: 1,
  });
  if (row === undefined) return null;
  const inline = row["value"];
  let value = typeof inline === "string" ? inline : readChunks(transaction, row._id);
  const lines = row["logLines"];
  const { commitTs } = row;
  // Only a result with placeholders has it: they stand for the commit that stored the row.
  if (isJsonObject(commitTs)) value = resolveCommitTs(value, int64Of(commitTs));
  return { value, logLines: Array.isArray(lines) ? lines.map(String) : [] };
}

/** Stores a result with the writes that it stands for: both become durable, or neither. */
export function storeResult(transaction: Transaction, once: Once, result: StoredResult): void {
  const { sessionId, requestId } = once;
  const fits = result.value.length <= INLINE_LENGTH_MAX;
  const logLines = fits ? result.logLines : [];
  const common: JsonObject = { sessionId, requestId, tsMs: transaction.nowMs, logLines };
  if (holdsCommitTs(result.value)) common["commitTs"] = COMMIT_TS;
  const id = transaction.system.insert(
    "_session_requests",
    fits ? { ...common, value: result.value } : common,
  );
  if (!fits) writeChunks(transaction, id, result.value);
}

/** Forgets results that no client will ask for any more. Answers whether there may be more of them. */
export async function pruneResults(database: Database, clock: Clock): Promise<boolean> {
  const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs(), unlimited: true });
  const rows: SystemRow[] = transaction.system.list("_session_requests", "by_ts", {
    upTo: clock.nowMs() - SESSION_KEPT_MS,
    limit: SESSION_PRUNE_BATCH,
  });
  for (const row of rows) {
    removeChunks(transaction, row._id);
    transaction.system.delete(row._id);
  }
  await database.commit(transaction);
  return rows.length === SESSION_PRUNE_BATCH;
}
