import { isRefusal } from "#shared/errors";
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
