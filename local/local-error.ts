/** A failure that a person can mend: its message is the one sentence that a command prints before it exits with 1. */
export class LocalError extends Error {
  override readonly name = "LocalError";
}

/**
 * Runs a command's main function. A LocalError becomes one sentence on stderr, anything else shows its stack,
 * because then the defect is ours.
 */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(
      error instanceof LocalError
        ? `${error.message}\n`
        : `${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
