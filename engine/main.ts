import { runBackupCommand } from "./backup/command";
import { parseCommandLine, parseDataFlag, USAGE, UsageError } from "./command-line";
import { startEngine } from "./engine";
import { EngineError } from "./errors";
import { describeVerdict, verifyDirectory } from "./verify";

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof EngineError;
  const text = error instanceof Error ? (isExpected ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

async function main(args: string[]): Promise<void> {
  const [verb, ...rest] = args;
  if (verb === "verify") {
    await verify(rest);
    return;
  }
  if (verb === "backup" || verb === "restore") {
    await runBackupCommand(verb, rest, {
      print: (line) => process.stdout.write(`${line}\n`),
      say: (line) => process.stderr.write(`${line}\n`),
    });
    return;
  }
  const options = parseCommandLine(args, (line) => process.stdout.write(`${line}\n`), process.env);
  if (options === "help") {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const engine = await startEngine(options);
  stopOnSignal(() => engine.close());
  process.stdout.write(
    [
      `API and sync protocol  ${engine.cloudUrl}`,
      `HTTP actions           ${engine.siteUrl}`,
      `Data                   ${options.dataDir}`,
      "Stop it with Ctrl+C or SIGTERM.",
      `ready ${engine.cloudUrl}`,
      "",
    ].join("\n"),
  );
}

/** `verify`: looks through a data directory and says what it found; the exit code tells a script. */
async function verify(args: string[]): Promise<void> {
  const verdict = await verifyDirectory(parseDataFlag(args));
  process.stdout.write(`${describeVerdict(verdict)}\n`);
  process.exitCode = verdict.problems.length === 0 ? 0 : 1;
}

/** The first signal ends cleanly; a second one, while that takes long, at once. */
function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false;
  const stop = () => {
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
