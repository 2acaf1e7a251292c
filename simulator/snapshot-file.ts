import { readFile, rename, writeFile } from "node:fs/promises";
import type { Simulation } from "./simulation";
import { restoreSnapshot, takeSnapshot } from "./snapshot";

/** How long changes are gathered before they are written. */
const WRITE_AFTER_MS = 2_000;

/** A file that holds the world between two runs. */
export interface SnapshotFile {
  /** Writes what has changed since, and no more after that. */
  close(): Promise<void>;
}

/** Restores the world from a file, if there is one, and keeps the file up to date. Throws when it is no snapshot. */
export async function openSnapshotFile(simulation: Simulation, file: string): Promise<SnapshotFile> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text !== null) restoreText(simulation, file, text);
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(() => replaceFile(file, JSON.stringify(takeSnapshot(simulation))));
    return writing;
  };
  const stop = simulation.journal.listen((event) => {
    if (event.type !== "message" && event.type !== "state") return;
    timer ??= setTimeout(() => {
      write().catch((error: unknown) => console.error(`The snapshot ${file} could not be written:`, error));
    }, WRITE_AFTER_MS).unref();
  });
  return {
    close: () => {
      stop();
      return write();
    },
  };
}

function restoreText(simulation: Simulation, file: string, text: string): void {
  const configured = simulation.world.subscription;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not a snapshot: it is no JSON.`);
  }
  const restored = restoreSnapshot(simulation, body);
  if ("error" in restored) throw new Error(`${file} is not a snapshot: ${restored.error.message}`);
  if ("problem" in restored) throw new Error(`${file}: ${restored.problem}`);
  // An address that this run was started with is newer than the one of the run before.
  const { subscription } = simulation.world;
  if (configured !== null && configured.url !== subscription?.url) simulation.world.subscription = configured;
}

/** Readers of the file see the old content or the new, never a part. */
async function replaceFile(file: string, text: string): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, text, { mode: 0o600 });
  await rename(next, file);
}
