import { z } from "zod";
import { EngineError } from "../errors";
import type { Failure, JsonValue } from "../types";
import { MODULE_SCHEME, type Program } from "./program";
import type { ThrownJson } from "./sandbox/port";

/** An error of a function, as the developer reads it. Not yet fit for a client: see `toFailure`. */
export type FunctionError = {
  /** `Uncaught Error: boom`, `ArgumentValidationError: ...`. */
  message: string;
  /** `    at handler (../convex/messages.ts:3:9)`, one per line. */
  frames: string[];
  /** Encoded JSON of a ConvexError's data. */
  data?: JsonValue;
};

/** Convex cuts messages of functions here. */
const MESSAGE_LENGTH_MAX = 65_536;

export const plainError = (message: string): FunctionError => ({ message, frames: [] });

/** Message and stack as one text, with the line break at the end that Convex writes. */
export const errorText = (error: FunctionError): string => `${[error.message, ...error.frames].join("\n")}\n`;

/** What a client may see. With `redact` only the request id is left of the text; data of a ConvexError always stays. */
export function toFailure(error: FunctionError, requestId: string, redact: boolean): Failure {
  const title = `[Request ID: ${requestId}] Server Error`;
  return {
    message: redact ? title : `${title}\n${errorText(error)}`,
    ...(error.data !== undefined && { data: error.data }),
  };
}

/** What a calling function receives when a function that it called failed: `{message, data?}` of `convex/server`. */
const toNested = (error: FunctionError): string =>
  JSON.stringify({
    message: errorText(error).trimEnd(),
    ...(error.data !== undefined && { data: error.data }),
  });

export const plainErrorPayload = (message: string): string => toNested(plainError(message));

/** Thrown on the way from a failed function to the one that called it. */
export class NestedFailure extends Error {
  constructor(readonly error: FunctionError) {
    super(error.message);
  }
}

/** Payload of a failed system call for `convex/server`. Failures of the engine itself are thrown on. */
export function failedCall(error: unknown): string {
  if (error instanceof NestedFailure) return toNested(error.error);
  if (error instanceof z.ZodError) {
    return toNested(plainError(`Invalid arguments of a system call: ${z.prettifyError(error)}`));
  }
  return toNested(ofEngineError(error));
}

/** An error of the engine that the developer can mend becomes a function error; any other is thrown on. */
export function ofEngineError(error: unknown): FunctionError {
  if (error instanceof EngineError && error.kind === "developer") return plainError(error.message);
  throw error;
}

/** A value thrown in a realm or worker, with its stack led back to the developer's files. */
export function ofThrown(thrown: ThrownJson, program: Program): FunctionError {
  const error: FunctionError = {
    message: thrown.message.slice(0, MESSAGE_LENGTH_MAX),
    frames: mapFrames(thrown, program),
  };
  if (thrown.data !== undefined) error.data = JSON.parse(thrown.data);
  return error;
}

const FRAME = /^ {4}at (?:(.*) \()?convex:\/(.+?):(\d+):(\d+)\)?$/;

/** Frames of `convex/server` at either end of a stack tell a developer nothing. */
const isOurs = (frame: string): boolean => frame.includes("convex/src/server/impl");

function mapFrames(thrown: ThrownJson, program: Program): string[] {
  // The message may have line breaks of its own, with frames of a nested call among them.
  const text = thrown.message.replace(/^Uncaught /, "");
  const stack = thrown.stack.startsWith(text) ? thrown.stack.slice(text.length) : thrown.stack;
  const frames: string[] = [];
  for (const line of stack.split("\n")) {
    const match = FRAME.exec(line);
    if (match === null) continue;
    const [, name, path = "", row = "0", column = "0"] = match;
    const place = program.originalPlace(path, Number(row), Number(column));
    const where =
      place === null
        ? `${MODULE_SCHEME}${path}:${row}:${column}`
        : `${place.file}:${place.line}:${place.column}`;
    const frame = name === undefined ? `    at ${where}` : `    at ${name} (${where})`;
    if (frames.length === 0 && isOurs(frame)) continue;
    frames.push(frame);
  }
  while (isOurs(frames.at(-1) ?? "")) frames.pop();
  return frames;
}
