/**
 * The id that an arrow key reaches from `current` in a list, staying within its ends. Coming from nowhere (or from a
 * row that has left the list), either direction starts at the top.
 */
export function moveCursor<Id extends string>(
  ids: readonly Id[],
  current: Id | undefined,
  step: 1 | -1,
): Id | undefined {
  const index = current === undefined ? -1 : ids.indexOf(current);
  if (index === -1) return ids[0];
  return ids[Math.min(Math.max(index + step, 0), ids.length - 1)];
}
