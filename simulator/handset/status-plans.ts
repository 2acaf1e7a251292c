import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import { type StatusError, statusEvent } from "../webhooks/payloads";
import { findCustomer, type SentStatus, type StoredMessage } from "../world";

/** How far a message is; a later report of an earlier stage is still sent, but the message does not go back. */
const RANKS: Record<StoredMessage["status"], number> = {
  accepted: 0,
  received: 0,
  sent: 1,
  failed: 2,
  delivered: 3,
  read: 4,
  played: 5,
};

/** One status that a message will have. */
export interface PlannedStatus {
  /** After the acceptance, by the virtual clock. */
  readonly delayMs: number;
  readonly status: SentStatus;
  readonly error?: StatusError;
  /** Found out when its time has come; with a reason the message fails instead, and nothing more follows. */
  readonly check?: () => Promise<StatusError | null>;
  /** What else happens at this moment, once the webhook has been answered. */
  readonly onReported?: () => void;
}

/** The statuses of one message that are still to come. */
export interface StatusPlan {
  readonly steps: readonly PlannedStatus[];
  /** How many of the steps have begun. */
  begun: number;
  /** A check has failed: the steps that are left do not happen. */
  hasFailed: boolean;
  /** The steps that have begun, one after the other. */
  chain: Promise<unknown>;
}

/** Reports one status of a message of the business, now. */
export async function reportStatus(
  simulation: Simulation,
  message: StoredMessage,
  status: SentStatus,
  error?: StatusError,
): Promise<DeliveryEntry[]> {
  // After a reset there may be a new message of the same id; the old one is no longer of this world.
  const isOfThisWorld = simulation.world.messages.get(message.id) === message;
  const number = simulation.world.numbers.find((candidate) => candidate.id === message.numberId);
  if (!isOfThisWorld || number === undefined) return [];
  if (RANKS[status] > RANKS[message.status]) {
    message.status = status;
    if (error !== undefined) message.error = { code: error.code, title: error.title };
    simulation.putMessage(message);
  }
  const customer = findCustomer(simulation.world, message.peer);
  return simulation.sender.send(
    statusEvent(number, customer, message, status, simulation.clock.now(), error),
  );
}

/**
 * Plans the statuses of one message, in the place of what was planned for it before. Each is sent only after the one
 * before has been answered or has failed, so that a busy machine does not shuffle them; shuffling is what the fault
 * rules are for.
 */
export function plan(simulation: Simulation, message: StoredMessage, steps: readonly PlannedStatus[]): void {
  const planned: StatusPlan = { steps, begun: 0, hasFailed: false, chain: Promise.resolve() };
  if (steps.length === 0) simulation.plans.delete(message.id);
  else simulation.plans.set(message.id, planned);
  for (const [index, { delayMs }] of steps.entries()) {
    simulation.clock.after(delayMs, () => advance(simulation, message, planned, index));
  }
}

/** What is still to come for a message. */
export function plannedSteps(simulation: Simulation, message: StoredMessage): readonly PlannedStatus[] {
  return simulation.plans.get(message.id)?.steps ?? [];
}

/** The first planned status happens now. Resolves when its webhook was answered. */
export async function hurryFirstStatus(simulation: Simulation, message: StoredMessage): Promise<void> {
  const planned = simulation.plans.get(message.id);
  if (planned !== undefined) await advance(simulation, message, planned, 0);
}

/** Reports every step up to this one that was not reported yet. */
async function advance(
  simulation: Simulation,
  message: StoredMessage,
  planned: StatusPlan,
  index: number,
): Promise<void> {
  if (simulation.plans.get(message.id) !== planned) return;
  while (planned.begun <= index) {
    const step = planned.steps[planned.begun++];
    if (step === undefined) break;
    planned.chain = planned.chain.then(async () => {
      if (planned.hasFailed) return;
      const failure = (await step.check?.()) ?? null;
      if (failure !== null) {
        planned.hasFailed = true;
        await reportStatus(simulation, message, "failed", failure);
        return;
      }
      await reportStatus(simulation, message, step.status, step.error);
      step.onReported?.();
    });
  }
  if (planned.begun >= planned.steps.length) simulation.plans.delete(message.id);
  await planned.chain;
}
