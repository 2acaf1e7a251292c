import { createHash } from "node:crypto";
import { z } from "zod";
import { resumeTemplates } from "./business/templates";
import { resumeStatuses } from "./handset/resume";
import type { Simulation } from "./simulation";
import type { World } from "./world";

/** Raised whenever the world changes its shape: a snapshot of another version is refused, not guessed at. */
const VERSION = 2;

const snapshotBody = z.strictObject({
  version: z.literal(VERSION),
  seed: z.string().min(1),
  /** How many ids of each kind have been given out. */
  ids: z.record(z.string(), z.int().min(1)),
  clock: z.strictObject({ aheadMs: z.number(), frozenAt: z.number().nullable() }),
  world: z.record(z.string(), z.unknown()),
  digest: z.string().length(64),
});
type Snapshot = z.infer<typeof snapshotBody>;

/**
 * The whole world as one JSON document: people, messages, files, tokens, templates and the clock, but neither logs nor
 * faults. It is meant to be given back as it is, which its digest proves.
 */
export function takeSnapshot(simulation: Simulation): Snapshot {
  const content = {
    version: VERSION,
    seed: simulation.seed,
    ids: simulation.ids.counts(),
    clock: simulation.clock.position(),
    world: z.record(z.string(), z.unknown()).parse(encode({ ...simulation.world })),
  } as const;
  return { ...content, digest: digestOf(content) };
}

/** Goes back to a snapshot. What was planned goes on from now: statuses, reviews, pauses. Says what is wrong instead. */
export function restoreSnapshot(
  simulation: Simulation,
  body: unknown,
):
  | { readonly ok: true }
  | { readonly error: z.ZodError }
  | { readonly path: string; readonly problem: string } {
  const parsed = snapshotBody.safeParse(body);
  if (!parsed.success) return { error: parsed.error };
  const { digest, ...content } = parsed.data;
  if (digest !== digestOf(content)) {
    return { path: "digest", problem: "This is not a snapshot as it was taken: give it back unchanged." };
  }
  simulation.reset(content.seed);
  simulation.clock.moveTo(content.clock);
  simulation.ids.continueFrom(content.ids);
  simulation.world = readWorld(content.world);
  resumeStatuses(simulation);
  resumeTemplates(simulation);
  simulation.journal.emit({ type: "state" });
  return { ok: true };
}

/** The digest says that these are the bytes of a world that this version has written. */
function readWorld(encoded: Snapshot["world"]): World {
  return decode(encoded) as World;
}

function digestOf(content: Omit<Snapshot, "digest">): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/** JSON for values that JSON does not have. An object that looks like such a mark is marked itself. */
function encode(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("base64") };
  if (value instanceof Map) return { $map: [...value].map(([key, inner]) => [key, encode(inner)]) };
  if (value instanceof Set) return { $set: [...value].map(encode) };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const plain = Object.fromEntries(entries.map(([key, inner]) => [key, encode(inner)]));
  return entries.some(([key]) => key.startsWith("$")) ? { $object: plain } : plain;
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const object: Readonly<Record<string, unknown>> = { ...value };
  if (typeof object["$bytes"] === "string") return Buffer.from(object["$bytes"], "base64");
  if (Array.isArray(object["$map"])) {
    return new Map(object["$map"].map(([key, inner]: [unknown, unknown]) => [key, decode(inner)]));
  }
  if (Array.isArray(object["$set"])) return new Set(object["$set"].map(decode));
  const marked = object["$object"];
  return decodeEntries(typeof marked === "object" && marked !== null ? { ...marked } : object);
}

function decodeEntries(object: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, decode(inner)]));
}
