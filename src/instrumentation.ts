/**
 * Runs once when the server starts. A missing or broken variable then ends it with a sentence for each, instead of
 * failing some request later on.
 */
export async function register(): Promise<void> {
  if (process.env["NEXT_RUNTIME"] !== "nodejs") return;
  const { endOnBrokenEnv } = await import("./server/startup");
  endOnBrokenEnv();
}
