import type { Clock } from "../clock";
import { LOG_LINE_LENGTH_MAX, LOG_LINES_MAX } from "./limits";

export type LogLine = { level: string; text: string; timestampMs: number; truncated: boolean };

/** The console lines of one call, those of nested calls included, within Convex's limits. */
export class LogLines {
  readonly #lines: LogLine[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  add(level: string, text: string): void {
    if (this.#lines.length >= LOG_LINES_MAX) return;
    if (this.#lines.length === LOG_LINES_MAX - 1) {
      this.#push("ERROR", `Log overflow (maximum ${LOG_LINES_MAX}). Remaining log lines omitted.`);
      return;
    }
    this.#push(level, text);
  }

  /** A line of the backend itself, which does not count against the function's own. */
  warn(text: string): void {
    this.#push("WARN", text);
  }

  #push(level: string, text: string): void {
    this.#lines.push({
      level,
      text: text.slice(0, LOG_LINE_LENGTH_MAX),
      timestampMs: this.#clock.nowMs(),
      truncated: text.length > LOG_LINE_LENGTH_MAX,
    });
  }

  /** Wire format of a line: `[LOG] 'text' 42`. */
  toWire(): string[] {
    return this.#lines.map(
      (line) => `[${line.level}] ${line.text}${line.truncated ? " (truncated due to length)" : ""}`,
    );
  }
}
