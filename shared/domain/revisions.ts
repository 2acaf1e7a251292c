/** Who wrote a message, and who alone may change it. */
export type Side = "customer" | "business";

/** One change of a message: its content replaced, or the message taken back. `original` is the content before any. */
export interface Revision {
  readonly wamid: string;
  readonly kind: "original" | "edit" | "revoke";
  readonly from: Side;
  /** By Meta's clock (ms). */
  readonly timestamp: number;
}

/**
 * The edit that counts: the latest by the message's own author; of two in the same second the one with the greater
 * id. So any order of arrival gives the same answer.
 */
export function latestEdit<R extends Revision>(author: Side, revisions: readonly R[]): R | undefined {
  return revisions
    .filter(({ kind, from }) => kind === "edit" && from === author)
    .reduce<R | undefined>(
      (latest, edit) => (latest === undefined || isLater(edit, latest) ? edit : latest),
      undefined,
    );
}

/** When the author took the message back; a second revocation changes nothing. */
export function revokedAt(author: Side, revisions: readonly Revision[]): number | undefined {
  const times = revisions.flatMap(({ kind, from, timestamp }) =>
    kind === "revoke" && from === author ? [timestamp] : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

function isLater(a: Revision, b: Revision): boolean {
  return a.timestamp === b.timestamp ? a.wamid > b.wamid : a.timestamp > b.timestamp;
}
