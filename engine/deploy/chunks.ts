import type { Transaction } from "../types";

/** Characters of a chunk: well below the 1 MiB of a document, whatever they are. */
const CHUNK_LENGTH = 250_000;
/** More than any text that is stored has; a deployment of 32 MiB has some 180. */
const CHUNKS_MAX = 10_000;

/** Stores a long text in pieces under `owner`, the id of the row that it belongs to. */
export function writeChunks(transaction: Transaction, owner: string, text: string): void {
  let start = 0;
  for (let n = 0; start < text.length; n++) {
    let end = Math.min(start + CHUNK_LENGTH, text.length);
    // Half a surrogate pair is not a storable string.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    transaction.system.insert("_chunks", { owner, n, text: text.slice(start, end) });
    start = end;
  }
}

const rowsOf = (transaction: Transaction, owner: string) =>
  transaction.system.list("_chunks", "by_owner_and_n", { equals: [owner], limit: CHUNKS_MAX });

/** The text that `writeChunks` stored; "" where there is none. */
export const readChunks = (transaction: Transaction, owner: string): string =>
  rowsOf(transaction, owner)
    .map((row) => (typeof row["text"] === "string" ? row["text"] : ""))
    .join("");

export function removeChunks(transaction: Transaction, owner: string): void {
  for (const row of rowsOf(transaction, owner)) transaction.system.delete(row._id);
}
