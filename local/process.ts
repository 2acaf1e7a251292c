import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ROOT } from "./env";
import { LocalError } from "./local-error";

/** How long a child may take to end after SIGTERM: the engine drains for up to 10 s. */
const STOP_WAIT_MS = 15_000;

export type Child = {
  readonly name: string;
  readonly pid: number;
  /** Resolves with the first stdout or stderr line that `matches`; fails when the process ends before. */
  line(matches: RegExp): Promise<RegExpMatchArray>;
  /** Resolves once the process has ended. */
  readonly ended: Promise<Ending>;
  stop(): Promise<void>;
};

/** How a process ended: `ok` for exit code 0, `why` as a sentence's beginning ("engine ended (SIGKILL)"). */
export type Ending = { ok: boolean; why: string };

export type SpawnOptions = {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Hears each line of stdout and stderr; a child that says nothing useful is kept quiet by its caller. */
  onLine: (line: string) => void;
};

/** Starts a Node script of ours or of a package, with tsx where it is TypeScript. */
export const nodeArgs = (script: string, args: string[]): string[] =>
  script.endsWith(".ts") ? ["--import", "tsx", script, ...args] : [script, ...args];

/** A child process that is watched line by line and always ended by its own pid. */
export function startChild(options: SpawnOptions): Child {
  const child = spawn(options.command, options.args, {
    cwd: ROOT,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const recent: string[] = [];
  const waiting = new Set<(line: string) => void>();
  const hear = (line: string) => {
    recent.push(line);
    if (recent.length > RECENT_LINES_MAX) recent.shift();
    options.onLine(line);
    for (const listener of waiting) listener(line);
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", hear);

  const ended = new Promise<Ending>((resolve) => {
    child.once("error", (error) =>
      resolve({ ok: false, why: `${options.name} could not be started: ${error.message}` }),
    );
    child.once("close", (code, signal) =>
      resolve({ ok: code === 0, why: `${options.name} ended (${signal ?? `exit code ${code}`})` }),
    );
  });

  return {
    name: options.name,
    pid: child.pid ?? 0,
    ended,
    line(matches) {
      return new Promise((resolve, reject) => {
        const listener = (line: string) => {
          const match = line.match(matches);
          if (!match) return;
          waiting.delete(listener);
          resolve(match);
        };
        waiting.add(listener);
        for (const line of recent) listener(line);
        void ended.then(({ why }) =>
          reject(new LocalError(`${why}: ${recent.slice(-5).join(" | ") || "it printed nothing"}`)),
        );
      });
    },
    stop: () => stopChild(child, ended),
  };
}

/** Lines kept for the message when a child dies early. */
const RECENT_LINES_MAX = 40;

async function stopChild(child: ChildProcess, ended: Promise<Ending>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WAIT_MS);
  await ended;
  clearTimeout(timer);
}
