import { createHmac, randomUUID } from "node:crypto";
import type { VirtualClock } from "../clock";
import type { Faults } from "../faults";
import type { DeliveryEntry, Journal } from "../journal";
import type { Subscription, World } from "../world";
import { asciiJson, envelope, type WebhookEvent } from "./payloads";

/** Meta gives up on an answer after this time. Real time: the receiver is real. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Waits before each repetition, by the virtual clock; the last one repeats until a week has passed. */
const RETRY_DELAYS_MS = [0, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000];
const RETRY_UNTIL_MS = 7 * 24 * 60 * 60 * 1000;

/** How long a webhook that is to be overtaken waits for another one to do so. */
const REORDER_WAIT_MS = 2_000;
/** How long webhooks are gathered into one POST. */
const BATCH_WAIT_MS = 250;

export type SignatureMode = "valid" | "invalid" | "missing" | "old";

/** The secret before the app secret was replaced; signatures of the mode `old` are made with it. */
export const OLD_APP_SECRET = "sim-old-app-secret";

interface SenderParts {
  readonly appSecret: string;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly world: () => World;
  /** Aborts what is under way when the simulator stops. */
  readonly closing: AbortSignal;
}

/** Delivers webhooks as Meta does: signed, concurrent, repeated until they are answered with 200. */
export class WebhookSender {
  readonly #parts: SenderParts;
  /** Counts the resets; whatever was on its way in an earlier era is not repeated. */
  #era = 0;
  #overtaken: (() => void)[] = [];
  #batch: WebhookEvent[] = [];

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  reset(): void {
    this.#era++;
    this.#overtaken = [];
    this.#batch = [];
  }

  /**
   * Sends one event to whoever is subscribed. Resolves with the first attempts once they are answered; an event that
   * a fault drops, delays or holds back resolves at once with nothing.
   */
  async send(event: WebhookEvent): Promise<DeliveryEntry[]> {
    const effects = this.#parts.faults.take({ place: "webhook", to: event.peer, type: event.type });
    const kinds = new Set(effects.map((effect) => effect.kind));
    if (kinds.has("drop")) return [];
    if (kinds.has("batch")) return this.#gather(event);
    const copies = effects.reduce((sum, effect) => sum + (effect.kind === "duplicate" ? effect.times : 0), 1);
    const mode = kinds.has("bad_signature") ? "invalid" : "valid";
    const sendAll = async () => {
      const sent = await Promise.all(Array.from({ length: copies }, () => this.#sendEvents([event], mode)));
      return sent.flat();
    };
    const delayMs = effects.reduce((sum, effect) => sum + (effect.kind === "delay" ? effect.ms : 0), 0);
    if (kinds.has("reorder")) return this.#holdBack(sendAll);
    if (delayMs > 0) {
      this.#parts.clock.after(delayMs, async () => void (await sendAll()));
      return [];
    }
    const deliveries = await sendAll();
    this.#releaseOvertaken();
    return deliveries;
  }

  /** Sends these very bytes once to the app's callback, without repetition; null when nothing is subscribed. */
  async sendRaw(body: string, mode: SignatureMode): Promise<DeliveryEntry | null> {
    const world = this.#parts.world();
    const subscription = world.subscription ?? world.wabas.find((waba) => waba.override)?.override ?? null;
    return subscription === null ? null : this.#attempt(subscription, Buffer.from(body, "utf8"), mode, 1);
  }

  /** Meta's handshake: the callback must give the challenge back. Says what went wrong, or null. */
  async handshake(subscription: Subscription): Promise<string | null> {
    const challenge = String(Number.parseInt(randomUUID().slice(0, 8), 16));
    const url = new URL(subscription.url);
    url.searchParams.set("hub.mode", "subscribe");
    url.searchParams.set("hub.challenge", challenge);
    url.searchParams.set("hub.verify_token", subscription.verifyToken);
    try {
      const response = await fetch(url, { redirect: "manual", signal: this.#signal() });
      const answer = await response.text();
      if (response.status !== 200) return `The callback answered the handshake with HTTP ${response.status}.`;
      if (answer.trim() !== challenge) return "The callback did not give the challenge back.";
    } catch (error) {
      return `The callback could not be reached (${reasonOf(error)}).`;
    }
    subscription.verified = true;
    return null;
  }

  #gather(event: WebhookEvent): DeliveryEntry[] {
    this.#batch.push(event);
    if (this.#batch.length === 1) {
      this.#parts.clock.after(BATCH_WAIT_MS, async () => {
        const events = this.#batch;
        this.#batch = [];
        await this.#sendEvents(events, "valid");
      });
    }
    return [];
  }

  #holdBack(send: () => Promise<DeliveryEntry[]>): DeliveryEntry[] {
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      void send();
    };
    this.#overtaken.push(release);
    this.#parts.clock.after(REORDER_WAIT_MS, release);
    return [];
  }

  #releaseOvertaken(): void {
    for (const release of this.#overtaken.splice(0)) release();
  }

  async #sendEvents(events: readonly WebhookEvent[], mode: SignatureMode): Promise<DeliveryEntry[]> {
    const world = this.#parts.world();
    const listened = events.filter((event) =>
      world.wabas.some((waba) => waba.id === event.wabaId && waba.subscribed),
    );
    const first = listened[0];
    if (first === undefined) return [];
    const subscription = world.wabas.find((waba) => waba.id === first.wabaId)?.override ?? world.subscription;
    if (subscription === null) return [];
    const body = Buffer.from(asciiJson(envelope(listened)), "latin1");
    return [await this.#attemptUntilAnswered(subscription, body, mode, 1, this.#parts.clock.now())];
  }

  /** Makes one attempt and, unless it was answered with 200, plans the next. Resolves after this one. */
  async #attemptUntilAnswered(
    subscription: Subscription,
    body: Buffer,
    mode: SignatureMode,
    attempt: number,
    startedAt: number,
  ): Promise<DeliveryEntry> {
    const era = this.#era;
    const entry = await this.#attempt(subscription, body, mode, attempt);
    if (entry.status === 200 || era !== this.#era) return entry;
    const delayMs = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? 0;
    const { clock } = this.#parts;
    if (clock.now() + delayMs - startedAt <= RETRY_UNTIL_MS) {
      clock.after(delayMs, async () => {
        await this.#attemptUntilAnswered(subscription, body, mode, attempt + 1, startedAt);
      });
    }
    return entry;
  }

  async #attempt(
    subscription: Subscription,
    body: Buffer,
    mode: SignatureMode,
    attempt: number,
  ): Promise<DeliveryEntry> {
    const era = this.#era;
    const started = performance.now();
    const result = await this.#post(subscription, body, mode);
    const entry = {
      at: this.#parts.clock.now(),
      url: subscription.url,
      body: body.toString("utf8"),
      ms: Math.round(performance.now() - started),
      attempt,
      ...result,
    };
    return era === this.#era ? this.#parts.journal.addDelivery(entry) : { n: 0, ...entry };
  }

  #signal(): AbortSignal {
    return AbortSignal.any([AbortSignal.timeout(ANSWER_TIMEOUT_MS), this.#parts.closing]);
  }

  async #post(
    subscription: Subscription,
    body: Buffer,
    mode: SignatureMode,
  ): Promise<{ status: number | null; error?: string }> {
    // A callback that was not up when it was configured gets its handshake before the first delivery.
    const problem = subscription.verified ? null : await this.handshake(subscription);
    if (problem !== null) return { status: null, error: problem };
    try {
      const response = await fetch(subscription.url, {
        method: "POST",
        redirect: "manual",
        signal: this.#signal(),
        headers: {
          "content-type": "application/json",
          "user-agent": "facebookexternalua",
          ...signatureHeaders(this.#parts.appSecret, body, mode),
        },
        body: new Uint8Array(body),
      });
      await response.arrayBuffer();
      return { status: response.status };
    } catch (error) {
      return { status: null, error: reasonOf(error) };
    }
  }
}

function signatureHeaders(appSecret: string, body: Buffer, mode: SignatureMode): Record<string, string> {
  if (mode === "missing") return {};
  const secret = { valid: appSecret, old: OLD_APP_SECRET, invalid: `not-${appSecret}` }[mode];
  const hex = (algorithm: string) => createHmac(algorithm, secret).update(body).digest("hex");
  return { "x-hub-signature-256": `sha256=${hex("sha256")}`, "x-hub-signature": `sha1=${hex("sha1")}` };
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return "unknown";
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}
