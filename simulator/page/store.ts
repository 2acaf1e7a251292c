import type { DeliveryEntry, RequestEntry, SimulatorEvent } from "../journal";
import { call, type Message, type Person, type State } from "./api";
import { LogBook } from "./log-book";

/** How long "typing" is shown, as on a phone; a message ends it. */
const TYPING_MS = 25_000;
/** Several events come together; one look serves them all. */
const SHOW_AFTER_MS = 16;
const LOAD_AFTER_MS = 40;

type Connection = "connecting" | "open" | "lost";

/**
 * What the page knows: the world as the control API tells it, kept up to date by the stream of events. Parts of the
 * page read it when they are told to show themselves; only actions change it.
 */
export class Store {
  world: State;
  readonly log = new LogBook();
  connection: Connection = "connecting";
  /** Positions of the people in the world whose phones are open; the last one was opened last. */
  open: readonly number[] = [0];
  #messages = new Map<string, Message>();
  /** The messages by the phone that they belong to; made when it is asked for. */
  #chats: Map<string, Message[]> | null = null;
  /** Messages of the business that somebody has looked at. */
  readonly #seen = new Set<string>();
  readonly #typingUntil = new Map<string, number>();
  #loadedAt = Date.now();
  #loadPlanned = false;
  #showPlanned = false;
  readonly #listeners: (() => void)[] = [];

  constructor(world: State) {
    this.world = world;
    this.#takeWorld(world);
    for (const id of this.#messages.keys()) this.#seen.add(id);
  }

  /** Follows the simulator from now on. A lost connection comes back by itself, and then everything is read anew. */
  connect(): void {
    const events = new EventSource("/_sim/events");
    events.addEventListener("open", () => {
      this.connection = "open";
      void this.#loadAll();
    });
    events.addEventListener("message", (event: MessageEvent<string>) => this.#take(JSON.parse(event.data)));
    events.addEventListener("error", () => {
      this.connection = "lost";
      this.changed();
    });
  }

  /** Calls the listener soon after every change. */
  listen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Something has changed: the page shows itself again. */
  changed(): void {
    if (this.#showPlanned) return;
    this.#showPlanned = true;
    setTimeout(() => {
      this.#showPlanned = false;
      for (const listener of this.#listeners) listener();
    }, SHOW_AFTER_MS);
  }

  /** The time of the simulated world. */
  now(): number {
    const { now, frozen, speed } = this.world.clock;
    return frozen ? now : now + (Date.now() - this.#loadedAt) * speed;
  }

  person(position: number): Person | undefined {
    return this.world.customers[position];
  }

  /** Who has this phone, WhatsApp id or user id, or undefined for somebody who is not on WhatsApp. */
  personOf(peer: string): Person | undefined {
    const digits = peer.replace(/\D/g, "");
    return this.world.customers.find(
      ({ phone, waId, userId }) => userId === peer || waId === digits || phone === `+${digits}`,
    );
  }

  message(id: string | undefined): Message | undefined {
    return id === undefined ? undefined : this.#messages.get(id);
  }

  /** The chat of one person with the business, oldest first. */
  chat({ phone }: Person): Message[] {
    this.#chats ??= byPhone(this.#messages.values());
    return this.#chats.get(phone) ?? [];
  }

  isTyping({ phone }: Person): boolean {
    return (this.#typingUntil.get(phone) ?? 0) > Date.now();
  }

  unread(person: Person): number {
    return this.chat(person).filter((message) => isOnPhone(message) && !this.#seen.has(message.id)).length;
  }

  markSeen(person: Person): void {
    for (const message of this.chat(person)) if (isOnPhone(message)) this.#seen.add(message.id);
  }

  /** Shows this phone: in the place of the one that was opened last, or beside the others. */
  openPhone(position: number, where: "instead" | "beside"): void {
    if (this.open.includes(position)) {
      this.open = [...this.open.filter((one) => one !== position), position];
    } else {
      this.open = [...(where === "instead" ? this.open.slice(0, -1) : this.open), position];
    }
    this.changed();
  }

  closePhone(position: number): void {
    this.open = this.open.filter((one) => one !== position);
    this.changed();
  }

  /** Reads the world again. */
  async load(): Promise<void> {
    this.#takeWorld(await call<State>("state"));
    this.changed();
  }

  async #loadAll(): Promise<void> {
    const [world, { requests }, { deliveries }] = await Promise.all([
      call<State>("state"),
      call<{ requests: RequestEntry[] }>("requests"),
      call<{ deliveries: DeliveryEntry[] }>("deliveries"),
    ]);
    this.#takeWorld(world);
    this.log.replace(requests, deliveries);
    this.changed();
  }

  #takeWorld(world: State): void {
    this.world = world;
    this.#loadedAt = Date.now();
    this.#chats = null;
    this.#messages = new Map(world.messages.map((message) => [message.id, message]));
    const stillThere = this.open.filter((position) => position < world.customers.length);
    this.open = stillThere.length === 0 ? [0] : stillThere;
  }

  #take(event: SimulatorEvent): void {
    switch (event.type) {
      case "request":
        this.log.addCall(event.entry);
        if (this.world.faults.length > 0) this.#planLoad();
        break;
      case "delivery":
        this.log.addWebhook(event.entry);
        this.#planLoad();
        break;
      case "message": {
        const { message } = event;
        this.#messages.set(message.id, message);
        this.#chats = null;
        if (message.direction === "outbound") this.#typingUntil.delete(`+${message.peer}`);
        this.#planLoad();
        break;
      }
      case "typing":
        this.#typingUntil.set(`+${event.peer}`, Date.now() + TYPING_MS);
        setTimeout(() => this.changed(), TYPING_MS + SHOW_AFTER_MS);
        break;
      case "state":
        this.#planLoad();
        break;
      case "reset":
        this.log.era++;
        void this.#loadAll();
        break;
    }
    this.changed();
  }

  #planLoad(): void {
    if (this.#loadPlanned) return;
    this.#loadPlanned = true;
    // A large world takes longer to read; it is then read less often.
    const waitMs = LOAD_AFTER_MS + this.#messages.size / 5;
    setTimeout(() => {
      this.#loadPlanned = false;
      // The banner of a lost connection says why this may fail.
      this.load().catch(() => this.changed());
    }, waitMs);
  }
}

/** Whether a message of the business has arrived at the phone. */
export function isOnPhone({ direction, status }: Message): boolean {
  return direction === "outbound" && (status === "delivered" || status === "read" || status === "played");
}

function byPhone(messages: Iterable<Message>): Map<string, Message[]> {
  const chats = new Map<string, Message[]>();
  for (const message of messages) {
    const phone = `+${message.peer}`;
    const chat = chats.get(phone);
    if (chat === undefined) chats.set(phone, [message]);
    else chat.push(message);
  }
  return chats;
}
