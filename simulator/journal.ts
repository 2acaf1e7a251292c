import { EventEmitter } from "node:events";
import { Ring } from "./ring";
import type { StoredMessage } from "./world";

/** So many entries of each kind are kept, and so many characters of them; a test that needs more reads as it goes. */
const ENTRIES_MAX = 10_000;
const CHARACTERS_MAX = 64 * 1024 * 1024;
/** What an entry takes beside its texts, roughly. */
const ENTRY_CHARACTERS = 500;

/** One Graph call. `status` and `response` are null when no answer was sent (a fault dropped it). */
export interface RequestEntry {
  readonly n: number;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly status: number | null;
  readonly response: unknown;
  /** How long the simulator took for it, in real time and without the delay of a fault. */
  readonly ms: number;
}

/** One attempt to deliver a webhook. `status` is null when no answer came; `error` says why. */
export interface DeliveryEntry {
  readonly n: number;
  readonly at: number;
  readonly url: string;
  readonly body: string;
  readonly status: number | null;
  readonly ms: number;
  /** 1 for the first; 0 when nothing was sent because it is too large. */
  readonly attempt: number;
  readonly error?: string;
  /** The number of the delivery whose bytes these are, when somebody asked to send them again. */
  readonly resendOf?: number;
}

/** What the page shows live. */
export type SimulatorEvent =
  | { readonly type: "request"; readonly entry: RequestEntry }
  | { readonly type: "delivery"; readonly entry: DeliveryEntry }
  | { readonly type: "message"; readonly message: StoredMessage }
  | { readonly type: "typing"; readonly peer: string }
  | { readonly type: "state" }
  /** Everything is as at the start, logs included. */
  | { readonly type: "reset" };

/** What has happened so far, numbered, and a way to hear what happens next. */
export class Journal {
  readonly #requests = new Ring<RequestEntry>(ENTRIES_MAX, CHARACTERS_MAX, sizeOfRequest);
  readonly #deliveries = new Ring<DeliveryEntry>(
    ENTRIES_MAX,
    CHARACTERS_MAX,
    ({ body }) => body.length + ENTRY_CHARACTERS,
  );
  #requestCount = 0;
  #deliveryCount = 0;
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  get requests(): readonly RequestEntry[] {
    return this.#requests.list();
  }

  get deliveries(): readonly DeliveryEntry[] {
    return this.#deliveries.list();
  }

  addRequest(entry: Omit<RequestEntry, "n">): void {
    const numbered = { n: ++this.#requestCount, ...entry };
    this.#requests.push(numbered);
    this.emit({ type: "request", entry: numbered });
  }

  addDelivery(entry: Omit<DeliveryEntry, "n">): DeliveryEntry {
    const numbered = { n: ++this.#deliveryCount, ...entry };
    this.#deliveries.push(numbered);
    this.emit({ type: "delivery", entry: numbered });
    return numbered;
  }

  clear(): void {
    this.#requests.clear();
    this.#deliveries.clear();
    this.#requestCount = 0;
    this.#deliveryCount = 0;
  }

  emit(event: SimulatorEvent): void {
    this.#emitter.emit("event", event);
  }

  /** Calls the listener for every later event; returns how to stop. */
  listen(listener: (event: SimulatorEvent) => void): () => void {
    this.#emitter.on("event", listener);
    return () => this.#emitter.off("event", listener);
  }
}

/** Bodies of requests are objects; their longest texts are what takes memory. */
function sizeOfRequest({ path, body, response }: RequestEntry): number {
  return ENTRY_CHARACTERS + path.length + textLength(body) + textLength(response);
}

/** The characters of all texts in a value, however deep. */
function textLength(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce<number>((sum, inner) => sum + textLength(inner), 0);
}
