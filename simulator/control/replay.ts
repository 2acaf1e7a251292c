import type { z } from "zod";
import { json, parseJson, type Reply } from "../http";
import type { DeliveryEntry } from "../journal";
import { deliveredLine } from "../recording";
import type { Simulation } from "../simulation";
import { problem, summary } from "./answers";
import type { replayBody } from "./schemas";

/** Webhooks that one call sends again; they go one after the other. */
const REPLAY_MAX = 10_000;

/**
 * `POST /_sim/replay`: the same bytes once more, newly signed, one after the other. Repeated attempts of one webhook
 * are played once. Answers with how each was answered, and how often each status came.
 */
export async function replayDeliveries(
  simulation: Simulation,
  { from, to, recording, shuffle }: z.infer<typeof replayBody>,
): Promise<Reply> {
  const found =
    recording === undefined ? ofLog(simulation, from ?? 1, to ?? Infinity) : ofRecording(recording);
  if ("line" in found) return problem(400, `recording.${found.line}`, "This line is not of a recording.");
  if (found.bodies.length === 0) return problem(404, "from", "There is nothing to send again.");
  if (found.bodies.length > REPLAY_MAX) return problem(400, "to", `At most ${REPLAY_MAX} at a time.`);
  const deliveries = await playBodies(
    simulation,
    shuffle ? shuffled(found.bodies, () => simulation.ids.chance()) : found.bodies,
  );
  if (deliveries === null) return problem(409, "", "Nothing is subscribed.");
  const statuses: Record<string, number> = {};
  for (const { status } of deliveries) {
    const key = String(status ?? "none");
    statuses[key] = (statuses[key] ?? 0) + 1;
  }
  return json(200, { replayed: deliveries.length, statuses, deliveries: deliveries.map(summary) });
}

/** Sends bodies to the first app's callback; null when there is none. */
export async function playBodies(
  simulation: Simulation,
  bodies: readonly string[],
): Promise<DeliveryEntry[] | null> {
  const deliveries: DeliveryEntry[] = [];
  for (const body of bodies) {
    const delivery = await simulation.sender.sendRaw(body, "valid");
    if (delivery === null) return null;
    deliveries.push(delivery);
  }
  return deliveries;
}

function ofLog({ journal }: Simulation, from: number, to: number): { bodies: string[] } {
  const chosen = journal.deliveries.filter(({ n, attempt }) => n >= from && n <= to && attempt === 1);
  return { bodies: chosen.map(({ body }) => body) };
}

/** The first attempts among the lines of a recording; or the number of the first line that is none. */
export function ofRecording(text: string): { readonly bodies: string[] } | { readonly line: number } {
  const bodies: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const parsed = deliveredLine.safeParse(parseJson(Buffer.from(line)));
    if (!parsed.success) return { line: index + 1 };
    if (parsed.data.type === "delivery" && parsed.data.entry.attempt === 1)
      bodies.push(parsed.data.entry.body);
  }
  return { bodies };
}

function shuffled<T>(items: readonly T[], chance: () => number): T[] {
  return items
    .map((item) => ({ item, position: chance() }))
    .sort((a, b) => a.position - b.position)
    .map(({ item }) => item);
}
