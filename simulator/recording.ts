import { createWriteStream } from "node:fs";
import { z } from "zod";
import type { Simulation } from "./simulation";

/** One line of a recording: a Graph call with its answer, or a webhook with its answer. */
export const deliveredLine = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("request") }),
  z.looseObject({
    type: z.literal("delivery"),
    entry: z.looseObject({ body: z.string(), attempt: z.int().min(0) }),
  }),
]);

/** A file to which every call and every webhook is added as it happens. */
export interface Recording {
  /** Writes what is left, and no more after that. Rejects when the file could not be written. */
  close(): Promise<void>;
}

/** Begins to record into a file, which is created or continued. Rejects when it cannot be opened. */
export async function openRecording(simulation: Simulation, file: string): Promise<Recording> {
  const stream = createWriteStream(file, { flags: "a" });
  await new Promise<void>((resolve, reject) => {
    stream.once("open", () => resolve());
    stream.once("error", reject);
  });
  let failure: Error | null = null;
  stream.on("error", (error) => {
    failure ??= error;
  });
  const stop = simulation.journal.listen((event) => {
    if (event.type !== "request" && event.type !== "delivery") return;
    stream.write(`${JSON.stringify({ type: event.type, entry: event.entry })}\n`);
  });
  return {
    close: async () => {
      stop();
      await new Promise<void>((resolve) => stream.end(() => resolve()));
      if (failure !== null) throw failure;
    },
  };
}
