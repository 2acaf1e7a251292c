import { developerError } from "../errors";

/** A document of 1 MiB by Convex's formula, with every byte escaped as JSON needs it at worst, and some room. */
const LINE_CHARS_MAX = 16 * 1024 * 1024;

/**
 * Decodes bytes as UTF-8, piece by piece. Throws a developer error `NotUtf8` for anything else; a mark at the very
 * beginning (BOM) is left out.
 */
export async function* decodeUtf8(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw developerError("NotUtf8", "Import wasn't valid UTF8.");
    }
  };
  for await (const bytes of source) {
    yield decode(bytes);
  }
  yield decode();
}

/** The lines of a text, without their ends; an empty last one is left out. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of decodeUtf8(source)) {
    const lines = text.split("\n");
    lines[0] = rest + (lines[0] ?? "");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) {
      throw developerError("LineTooLong", `A line has more than ${LINE_CHARS_MAX} characters.`);
    }
    for (const line of lines) {
      yield line.endsWith("\r") ? line.slice(0, -1) : line;
    }
  }
  if (rest !== "") {
    yield rest;
  }
}
