import { z } from "zod";
import { EngineError } from "../errors";

/** The last entry of a backup: what a backup without it lacks is its end. */
export const MANIFEST = "manifest.json";
export const FILES_FOLDER = "files/";
export const ADMIN_KEY_FILE = "admin-key";

/** Readers refuse a number above their own. */
const FORMAT_VERSION = 1;

const manifestJson = z.object({
  format: z.literal("convex-engine-backup"),
  version: z.number().int(),
  createdAt: z.iso.datetime(),
  entries: z.array(
    z.object({
      name: z.string(),
      size: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export type ManifestEntry = z.infer<typeof manifestJson>["entries"][number];

/** The text of a manifest; hashes are hex. */
export const writeManifest = (entries: readonly ManifestEntry[], nowMs: number): string => {
  const createdAt = new Date(nowMs).toISOString();
  return `${JSON.stringify({ format: "convex-engine-backup", version: FORMAT_VERSION, createdAt, entries }, null, 1)}\n`;
};

/** Throws EngineError `NotABackup` or `BackupTooNew` with a sentence for the person at the shell. */
export function readManifest(text: string, file: string): z.infer<typeof manifestJson> {
  let parsed: ReturnType<typeof manifestJson.safeParse>;
  try {
    parsed = manifestJson.safeParse(JSON.parse(text));
  } catch (error) {
    throw notABackup(file, `its ${MANIFEST} is no JSON`, error);
  }
  if (!parsed.success) {
    throw notABackup(file, `its ${MANIFEST} does not say what it holds`, parsed.error);
  }
  if (parsed.data.version > FORMAT_VERSION) {
    throw new EngineError(
      "developer",
      "BackupTooNew",
      `The backup ${file} was made by a newer version of the engine: update first.`,
    );
  }
  return parsed.data;
}

export const notABackup = (file: string, reason: string, cause?: unknown): EngineError =>
  new EngineError(
    "developer",
    "NotABackup",
    `The file ${file} is not a whole backup of an engine: ${reason}.`,
    {
      cause,
    },
  );
