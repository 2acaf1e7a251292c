import { EnvError, serverEnv } from "./env";

/** Ends the process with exit code 1 and one sentence per broken variable, or does nothing. */
export function endOnBrokenEnv(): void {
  try {
    serverEnv();
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
