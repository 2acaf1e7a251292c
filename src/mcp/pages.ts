import { defined } from "#shared/defined";
import { isRefusal, type Refusal } from "#shared/errors";
import type { Caller } from "../server/caller";
import { openCursor, sealCursor } from "./cursors";
import { fits } from "./results";

/**
 * Reads a page and, while it is too large for one result, a smaller one. Asking again with fewer rows keeps the
 * backend's cursor right, which cutting rows off would not. `truncated` tells that fewer rows came than asked for.
 */
export async function fittingPage<Answer extends object>(
  limit: number,
  read: (limit: number) => Promise<Answer>,
): Promise<Answer & { truncated?: true }> {
  for (let rows = limit; ; rows = Math.floor(rows / 2)) {
    const answer = await read(rows);
    if (isRefusal(answer)) return answer;
    // One row always fits: each of its texts has a limit.
    if (rows <= 1 || fits(answer)) return rows < limit ? { ...answer, truncated: true } : answer;
  }
}

/** A list of a caller, the cursor that the client has of it, and the rows it asks for. */
type Asked = { list: string; caller: Caller; limit: number; cursor: string | undefined };

/**
 * A page of a list that goes on by `next_cursor`: reads from the client's cursor and gives it the next one, both sealed
 * for this caller and list. `next` is the backend's cursor, null at the end. Throws `invalid_request` for a cursor that
 * is not of this list.
 */
export async function sealedPage<Answer extends object>(
  { list, caller: { principal }, limit, cursor }: Asked,
  read: (place: {
    limit: number;
    cursor?: string;
  }) => Promise<{ next: string | null; answer: Answer } | Refusal>,
) {
  const scope = { list, principal };
  const after = defined({ cursor: cursor === undefined ? undefined : openCursor(scope, cursor) });
  return await fittingPage(limit, async (rows) => {
    const page = await read({ limit: rows, ...after });
    if (isRefusal(page)) return page;
    const { next, answer } = page;
    return { ...answer, ...defined({ next_cursor: next === null ? undefined : sealCursor(scope, next) }) };
  });
}
