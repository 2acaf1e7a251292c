import { randomUUID } from "node:crypto";
import { BackendUnavailable } from "./app-error";

/** Forms of secrets that must not reach a log, wherever in a text they stand. */
const SECRET_FORMS: readonly RegExp[] = [
  /EAA[A-Za-z0-9]{20,}/g,
  /pons_(?:live|test|rt)_[0-9A-Za-z]+/g,
  /(?<=Bearer\s)\S+/gi,
  /eyJ[\w-]+\.[\w-]+\.[\w-]+/g,
];

/** Stack traces longer than this add nothing that helps. */
const DETAIL_CHARS_MAX = 4_000;

/** The text with everything that looks like a secret replaced by a placeholder. */
export function redact(text: string): string {
  return SECRET_FORMS.reduce((rest, form) => rest.replaceAll(form, "[redacted]"), text);
}

/**
 * Writes one line of JSON about an unexpected error to standard error and gives back the id under which an operator
 * finds it. The id is all that whoever asked gets to see. `traceId` is the W3C trace of the request, if it had one.
 */
export function logError(where: string, error: unknown, traceId?: string): string {
  const id = randomUUID();
  const detail = error instanceof Error ? describe(error) : String(error);
  const line = {
    at: new Date().toISOString(),
    level: "error",
    id,
    where,
    ...(traceId !== undefined && { traceId }),
    detail: detail.slice(0, DETAIL_CHARS_MAX),
  };
  process.stderr.write(`${redact(JSON.stringify(line))}\n`);
  return id;
}

/** An outage is told by its reason in one line; for everything else the stack says where it happened. */
function describe(error: Error): string {
  if (error instanceof BackendUnavailable) return `${error.name}: ${error.reason}`;
  return error.stack ?? error.message;
}
