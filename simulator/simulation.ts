import { setMaxListeners } from "node:events";
import { VirtualClock } from "./clock";
import { Faults } from "./faults";
import { RateLimits } from "./handset/rate-limits";
import type { StatusPlan } from "./handset/status-plans";
import { Journal } from "./journal";
import type { SimulatorSettings } from "./options";
import { applyProfile, type Profile } from "./profiles";
import { SeededIds } from "./seeded-ids";
import { startState } from "./start-state";
import type { Tuning } from "./tuning";
import { WEBHOOK_FIELDS } from "./webhooks/fields";
import { WebhookSender } from "./webhooks/sender";
import type { Customer, StoredMessage, World } from "./world";

/** Messages that the world remembers; a longer run forgets the oldest, so that its memory stays flat. */
const MESSAGES_MAX = 10_000;

/** Everything that is simulated, in one place. Routes read and change it; nothing else holds state. */
export class Simulation {
  readonly settings: SimulatorSettings;
  readonly clock = new VirtualClock();
  readonly journal = new Journal();
  readonly faults = new Faults(() => this.ids.chance());
  readonly sender: WebhookSender;
  /** Where this simulator is reached, for the links that it hands out; known once it listens. */
  baseUrl = "";
  seed: string;
  ids: SeededIds;
  world: World;
  tuning: Tuning;
  /** Statuses that are still to come, by the id of their message. */
  readonly plans = new Map<string, StatusPlan>();
  readonly rateLimits = new RateLimits();
  readonly #closing = new AbortController();

  constructor(settings: SimulatorSettings) {
    // Every webhook on its way listens for the end.
    setMaxListeners(0, this.#closing.signal);
    this.settings = settings;
    this.seed = settings.seed;
    this.ids = new SeededIds(this.seed);
    this.world = this.#freshWorld();
    this.tuning = settings.tuning;
    this.sender = new WebhookSender({
      appSecret: settings.appSecret,
      clock: this.clock,
      faults: this.faults,
      journal: this.journal,
      world: () => this.world,
      tuning: () => this.tuning,
      closing: this.#closing.signal,
    });
  }

  /** Back to the start state of a profile. The same seed gives the same ids; without one the current seed stays. */
  reset(seed: string = this.seed, profile: Profile = "demo"): void {
    this.seed = seed;
    this.ids = new SeededIds(seed);
    this.clock.reset();
    this.faults.clear();
    this.journal.clear();
    this.sender.reset();
    this.tuning = this.settings.tuning;
    this.plans.clear();
    this.rateLimits.clear();
    this.world = this.#freshWorld();
    applyProfile(this, profile);
    this.journal.emit({ type: "reset" });
    this.journal.emit({ type: "state" });
  }

  /** Stores a message, or its new status, and shows it. */
  putMessage(message: StoredMessage): void {
    const { messages } = this.world;
    messages.set(message.id, message);
    // A map keeps the order in which its keys came: the first is the oldest.
    const [oldest] = messages.keys();
    if (messages.size > MESSAGES_MAX && oldest !== undefined) messages.delete(oldest);
    this.journal.emit({ type: "message", message });
  }

  addCustomer(customer: Customer): void {
    this.world.customers.push(customer);
    this.journal.emit({ type: "state" });
  }

  /** Aborts when the simulator stops. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends everything that is planned or under way. */
  close(): void {
    this.clock.reset();
    this.#closing.abort();
    this.sender.close();
  }

  #freshWorld(): World {
    const { webhookUrl, verifyToken } = this.settings;
    return startState(
      this.ids,
      webhookUrl === null ? null : { url: webhookUrl, verifyToken, verified: false, fields: WEBHOOK_FIELDS },
    );
  }
}
