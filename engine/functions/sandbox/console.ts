import { inspect } from "./inspect";

/**
 * The console of a function. `write` receives a level of the wire format (DEBUG, INFO, LOG, WARN, ERROR) and the
 * arguments as one text; `nowMs` serves `console.time`.
 */
export function createConsole(write: (level: string, text: string) => void, nowMs: () => number): object {
  const line =
    (level: string) =>
    (...args: unknown[]): void =>
      write(level, args.map(inspect).join(" "));
  const log = line("LOG");
  const timers = new Map<string, number>();
  const counts = new Map<string, number>();
  const elapsed = (label: string): string | null => {
    const start = timers.get(label);
    return start === undefined ? null : `${label}: ${nowMs() - start}ms`;
  };
  return {
    log,
    debug: line("DEBUG"),
    info: line("INFO"),
    warn: line("WARN"),
    error: line("ERROR"),
    dir: (value: unknown) => log(value),
    table: (value: unknown) => log(value),
    group: (...args: unknown[]) => (args.length > 0 ? log(...args) : undefined),
    groupCollapsed: (...args: unknown[]) => (args.length > 0 ? log(...args) : undefined),
    groupEnd: () => undefined,
    trace: (...args: unknown[]) => write("LOG", ["Trace:", ...args.map(inspect)].join(" ")),
    assert: (condition: unknown, ...args: unknown[]) =>
      condition ? undefined : write("ERROR", ["Assertion failed", ...args.map(inspect)].join(" ")),
    count: (label: unknown = "default") => {
      const name = String(label);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      write("LOG", `${name}: ${count}`);
    },
    countReset: (label: unknown = "default") => {
      counts.delete(String(label));
    },
    time: (label: unknown = "default") => {
      timers.set(String(label), nowMs());
    },
    timeLog: (label: unknown = "default", ...args: unknown[]) => {
      const text = elapsed(String(label));
      if (text === null) write("WARN", `Timer '${String(label)}' does not exist`);
      else write("LOG", [text, ...args.map(inspect)].join(" "));
    },
    timeEnd: (label: unknown = "default") => {
      const text = elapsed(String(label));
      timers.delete(String(label));
      if (text === null) write("WARN", `Timer '${String(label)}' does not exist`);
      else write("INFO", text);
    },
  };
}
