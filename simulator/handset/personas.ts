import { makeEvents } from "../events/kinds";
import type { Simulation } from "../simulation";
import { type Customer, findCustomer, type StoredMessage } from "../world";
import { receiveInbound } from "./inbound";
import { parseInbound } from "./inbound-schema";
import { type Move, movesOf, type ScriptName } from "./scripts";

/** How often one persona acts: two machines that answer each other would never end. */
const TURNS_MAX = 200;

/** Gives a person a script, and lets it begin. */
export function attachPersona(
  simulation: Simulation,
  customer: Customer,
  persona: { readonly script: ScriptName; readonly latencyMs: number; readonly choice: string | null },
  numberId: string,
): void {
  customer.persona = { ...persona, turns: 0 };
  simulation.journal.emit({ type: "state" });
  act(simulation, customer, numberId, null);
}

/** A message has reached a phone: whoever has a script answers by it. */
export function answerByScript(simulation: Simulation, message: StoredMessage): void {
  const customer = findCustomer(simulation.world, message.peer);
  if (customer !== undefined && !customer.blocksUs) act(simulation, customer, message.numberId, message);
}

function act(
  simulation: Simulation,
  customer: Customer,
  numberId: string,
  message: StoredMessage | null,
): void {
  const { persona } = customer;
  if (persona === null || persona.turns >= TURNS_MAX) return;
  const turn = persona.turns;
  // The start is not counted, so that the first answer of every script is its turn 0.
  if (message !== null) persona.turns++;
  const digest = (n: number) => simulation.ids.digest(`persona\n${customer.phone}\n${turn}\n${n}`);
  const moves = movesOf(persona.script, {
    message,
    turn,
    pick: (n) => Number.parseInt(digest(n).slice(0, 8), 16) % n,
    choice: persona.choice ?? null,
  });
  makeMoves(simulation, customer, numberId, moves, persona.latencyMs, []);
}

/** One move after the other, each after the person's latency. */
function makeMoves(
  simulation: Simulation,
  customer: Customer,
  numberId: string,
  [move, ...others]: readonly Move[],
  latencyMs: number,
  sent: readonly string[],
): void {
  if (move === undefined) return;
  simulation.clock.after(latencyMs, async () => {
    const id = await makeMove(simulation, customer, numberId, move(sent));
    makeMoves(simulation, customer, numberId, others, latencyMs, id === null ? sent : [...sent, id]);
  });
}

async function makeMove(
  simulation: Simulation,
  customer: Customer,
  numberId: string,
  body: Readonly<Record<string, unknown>>,
): Promise<string | null> {
  if ("field" in body) {
    const events = makeEvents(simulation, { customer: customer.phone, number: numberId, ...body });
    if ("error" in events || "problem" in events) return null;
    for (const event of events.ok) await simulation.sender.send(event);
    return null;
  }
  const parsed = parseInbound({ from: customer.phone, to: numberId, ...body });
  if ("error" in parsed) throw new TypeError(`A script wrote a wrong message: ${parsed.error.message}`);
  const result = await receiveInbound(simulation, parsed);
  return "messageId" in result ? result.messageId : null;
}
