import { developerError } from "../errors";
import type { JsonValue, Timestamp } from "../types";
import { encodeInt64 } from "./encoded";

/**
 * `db.vars.commitTs` in encoded JSON text: the timestamp of a commit that has not happened yet. Inside of a string the
 * quotes are escaped, so these characters are the placeholder and nothing else.
 */
const PLACEHOLDER = '{"$commitTs":null}';

export const holdsCommitTs = (text: string): boolean => text.includes(PLACEHOLDER);

/** `text` with the nanoseconds of the commit, as an int64, where the placeholder was. */
export const resolveCommitTs = (text: string, ts: Timestamp): string =>
  holdsCommitTs(text) ? text.replaceAll(PLACEHOLDER, JSON.stringify(encodeInt64(ts))) : text;

/** What a row keeps to learn its own commit: resolved like every other placeholder. */
export const COMMIT_TS: JsonValue = { $commitTs: null };

/** Throws "developer" where encoded JSON leaves the transaction that could resolve its placeholders. */
export function refuseCommitTs(text: string, what: string): void {
  if (!holdsCommitTs(text)) return;
  throw developerError(
    "CommitTsNotAllowed",
    `${what} cannot hold \`db.vars.commitTs\`: the commit timestamp is only known in documents and in the result of the mutation that commits.`,
  );
}
