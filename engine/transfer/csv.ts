import { developerError } from "../errors";
import type { JsonObject } from "../types";
import { setField } from "../values/encoded";
import { decodeUtf8 } from "./lines";

/** A cell cannot be longer than a document. */
const CELL_CHARS_MAX = 1024 * 1024;
/** What a float looks like in most languages; anything else stays the text that it is. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads CSV (RFC 4180) with a header line: each further line as an object. A cell is a number where it looks like one,
 * else a string. Throws developer errors that name the row, counted from 1 below the header.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject> {
  let header: string[] | null = null;
  let row = 0;
  for await (const cells of records(source)) {
    if (header === null) {
      header = cells.map((cell) => cell.trim());
      const wrong = header.find((name, index) => name === "" || header?.indexOf(name) !== index);
      if (wrong !== undefined) {
        throw developerError("CsvInvalidHeader", `CSV header "${wrong}" is empty or appears twice.`);
      }
      continue;
    }
    row += 1;
    if (cells.length !== header.length) {
      throw developerError(
        "CsvRowMissingFields",
        `CSV row ${row} doesn't have all of the fields in the header`,
      );
    }
    const document: JsonObject = {};
    for (const [index, name] of header.entries()) {
      const cell = cells[index] ?? "";
      setField(document, name, NUMBER.test(cell) ? Number(cell) : cell);
    }
    yield document;
  }
  if (header === null) {
    throw developerError("CsvMissingHeaders", "CSV file doesn't have headers");
  }
}

/** Cells of each record. Line ends inside quotes belong to the cell; lines with nothing on them are passed over. */
async function* records(source: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  let cells: string[] = [];
  let cell = "";
  let state: "start" | "plain" | "quoted" | "quoteInQuoted" = "start";
  let line = 1;
  const endCell = () => {
    cells.push(cell);
    cell = "";
    state = "start";
  };
  for await (const text of decodeUtf8(source)) {
    for (const char of text) {
      if (char === "\n") {
        line += 1;
      }
      if (state === "quoted") {
        if (char === '"') {
          state = "quoteInQuoted";
        } else {
          cell += char;
        }
      } else if (char === '"' && state === "quoteInQuoted") {
        cell += char;
        state = "quoted";
      } else if (char === '"' && state === "start") {
        state = "quoted";
      } else if (char === ",") {
        endCell();
      } else if (char === "\n") {
        const isBlank = cells.length === 0 && cell === "" && state !== "quoteInQuoted";
        endCell();
        if (!isBlank) {
          yield cells;
        }
        cells = [];
      } else if (char !== "\r") {
        if (state === "quoteInQuoted") {
          throw developerError(
            "CsvInvalidRow",
            `Line ${line} of the CSV file has a character after a closing quote.`,
          );
        }
        cell += char;
        state = "plain";
      }
      if (cell.length > CELL_CHARS_MAX) {
        throw developerError(
          "CsvInvalidRow",
          `A cell that ends on or after line ${line} of the CSV file is too long.`,
        );
      }
    }
  }
  if (state === "quoted") {
    throw developerError("CsvInvalidRow", "The CSV file ends inside a quoted cell.");
  }
  if (cells.length > 0 || cell !== "" || state === "quoteInQuoted") {
    cells.push(cell);
    yield cells;
  }
}
