/** A place in a list ordered by two numbers. Our own form, because a cursor of an agent may be anything. */
export interface Place {
  readonly first: number;
  readonly second: number;
}

const CURSOR_FORM = /^(\d{1,16}(?:\.\d{1,8})?)_(\d{1,16}(?:\.\d{1,8})?)$/;

export function formatCursor({ first, second }: Place): string {
  return `${first}_${second}`;
}

/** The place that a cursor names, or null when the text is no cursor of ours. */
export function parseCursor(text: string): Place | null {
  const [, first, second] = CURSOR_FORM.exec(text) ?? [];
  return first === undefined || second === undefined
    ? null
    : { first: Number(first), second: Number(second) };
}
