/** Bytes `start` to `end`, both included; "unsatisfiable" is a 416; null means the whole file. */
export type ByteRange = { start: number; end: number } | "unsatisfiable" | null;

/**
 * Reads a Range header for a file of `size` bytes (RFC 9110, 14.1). Several ranges, other units and broken headers
 * count as none, as the RFC allows.
 */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) {
    return null;
  }
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) {
    return null;
  }
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start >= size ? "unsatisfiable" : { start, end };
}
