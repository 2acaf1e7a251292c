import { randomUUID } from "node:crypto";
import type { VirtualClock } from "../clock";
import type { FaultEffect } from "../fault-effects";
import type { Faults } from "../faults";
import type { DeliveryEntry, Journal } from "../journal";
import type { Tuning } from "../tuning";
import type { Subscription, World } from "../world";
import { anyCallback, callbackAt, callbacksFor } from "./callbacks";
import { asciiJson, envelope, type WebhookEvent } from "./payloads";
import { type SignatureMode, signatureHeaders } from "./signature";
import { cutOff, spoilEvent } from "./spoil";
import { CallbackTransport } from "./transport";

/** Meta: largest webhook. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Waits before each repetition, by the virtual clock; the last one repeats until a week has passed. */
const RETRY_DELAYS_MS = [0, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000];
const RETRY_UNTIL_MS = 7 * 24 * 60 * 60 * 1000;
/** Webhooks that wait for a repetition at a time, and their bytes; beyond it new ones are given up after one attempt. */
const RETRIES_WAITING_MAX = 10_000;
const RETRIES_WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** How long a webhook that is to be overtaken waits for another one to do so. */
const REORDER_WAIT_MS = 2_000;
/** How long the fault `batch` gathers webhooks into one POST. */
const BATCH_WAIT_MS = 250;

interface SenderParts {
  readonly appSecret: string;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly world: () => World;
  readonly tuning: () => Tuning;
  /** Aborts what is under way when the simulator stops. */
  readonly closing: AbortSignal;
}

/** One webhook on its way: bytes, where to, and how. */
interface Outgoing {
  readonly callback: Subscription;
  readonly body: Buffer;
  readonly mode: SignatureMode;
}

/** Delivers webhooks as Meta does: signed, concurrent, repeated until they are answered with 200. */
export class WebhookSender {
  readonly #parts: SenderParts;
  readonly #transport = new CallbackTransport();
  /** Handshakes under way, so that a burst makes one and not one each. */
  readonly #handshakes = new WeakMap<Subscription, Promise<string | null>>();
  /** Counts the resets; whatever was on its way in an earlier era is not repeated. */
  #era = 0;
  #overtaken: (() => void)[] = [];
  #batch: WebhookEvent[] = [];
  #waiting = { count: 0, bytes: 0 };

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  reset(): void {
    this.#era++;
    this.#overtaken = [];
    this.#batch = [];
    this.#waiting = { count: 0, bytes: 0 };
  }

  close(): void {
    this.reset();
    this.#transport.close();
  }

  /**
   * Sends one event to whoever is subscribed. Resolves with the first attempts once they are answered; an event that
   * is gathered with others, or that a fault drops, delays or holds back, resolves at once with nothing.
   */
  async send(event: WebhookEvent): Promise<DeliveryEntry[]> {
    const { faults, clock } = this.#parts;
    const effects = faults.take({ place: "webhook", to: event.peer, type: event.type, field: event.field });
    if (effects.length === 0) return this.#sendOrGather(event);
    const kinds = new Set(effects.map((effect) => effect.kind));
    if (kinds.has("drop")) return [];
    const spoiled = spoilEvent(event, effects);
    if (kinds.has("batch")) return this.#gather(spoiled, BATCH_WAIT_MS);
    const isAlone = kinds.has("split") || kinds.has("duplicate") || kinds.has("malformed");
    const sendAll = async () => {
      if (!isAlone && modeOf(effects) === "valid") return this.#sendOrGather(spoiled);
      const copies = effects.reduce(
        (sum, effect) => sum + (effect.kind === "duplicate" ? effect.times : 0),
        1,
      );
      const sent = await Promise.all(
        Array.from({ length: copies }, () =>
          this.#sendEvents([spoiled], modeOf(effects), kinds.has("malformed")),
        ),
      );
      return sent.flat();
    };
    const delayMs = faults.delayMs(effects);
    if (kinds.has("reorder")) return this.#holdBack(sendAll);
    if (delayMs > 0) {
      clock.after(delayMs, async () => void (await sendAll()));
      return [];
    }
    const deliveries = await sendAll();
    this.#releaseOvertaken();
    return deliveries;
  }

  /** Sends these very bytes once to the app's callback, without repetition; null when nothing is subscribed. */
  async sendRaw(body: string, mode: SignatureMode): Promise<DeliveryEntry | null> {
    const callback = anyCallback(this.#parts.world());
    return callback === null ? null : this.#attempt({ callback, body: Buffer.from(body, "utf8"), mode }, 1);
  }

  /** Sends a webhook of the log again, once and newly signed, to where it went; null when the log no longer has it. */
  async resend(n: number): Promise<DeliveryEntry | null> {
    const entry = this.#parts.journal.deliveries.find((delivery) => delivery.n === n);
    if (entry === undefined) return null;
    const known = callbackAt(this.#parts.world(), entry.url);
    const callback = known ?? { url: entry.url, verifyToken: "", verified: true };
    return this.#attempt({ callback, body: Buffer.from(entry.body, "utf8"), mode: "valid" }, 1, n);
  }

  /** Meta's handshake: the callback must give the challenge back. Says what went wrong, or null. */
  handshake(callback: Subscription): Promise<string | null> {
    const running = this.#handshakes.get(callback) ?? this.#handshake(callback);
    this.#handshakes.set(callback, running);
    return running.finally(() => this.#handshakes.delete(callback));
  }

  async #handshake(callback: Subscription): Promise<string | null> {
    const isWrong = this.#parts.faults.take({ place: "handshake" }).length > 0;
    const challenge = String(Number.parseInt(randomUUID().slice(0, 8), 16));
    const url = new URL(callback.url);
    url.searchParams.set("hub.mode", "subscribe");
    url.searchParams.set("hub.challenge", challenge);
    url.searchParams.set("hub.verify_token", isWrong ? `not-${callback.verifyToken}` : callback.verifyToken);
    const answer = await this.#transport.call(url, { method: "GET", ...this.#limits() });
    if ("error" in answer) return `The callback could not be reached (${answer.error}).`;
    if (answer.status !== 200) return `The callback answered the handshake with HTTP ${answer.status}.`;
    if (answer.text.trim() !== challenge) return "The callback did not give the challenge back.";
    callback.verified = true;
    return null;
  }

  async #sendOrGather(event: WebhookEvent): Promise<DeliveryEntry[]> {
    const { batchMs } = this.#parts.tuning();
    if (batchMs > 0) return this.#gather(event, batchMs);
    const sent = await this.#sendEvents([event], "valid");
    this.#releaseOvertaken();
    return sent;
  }

  #gather(event: WebhookEvent, waitMs: number): DeliveryEntry[] {
    this.#batch.push(event);
    if (this.#batch.length >= this.#parts.tuning().batchMax) void this.#flush();
    else if (this.#batch.length === 1) this.#parts.clock.after(waitMs, () => this.#flush());
    return [];
  }

  async #flush(): Promise<void> {
    const events = this.#batch;
    this.#batch = [];
    await this.#sendEvents(events, "valid");
    this.#releaseOvertaken();
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

  /** Sends events together, as far as callback and size allow. */
  async #sendEvents(
    events: readonly WebhookEvent[],
    mode: SignatureMode,
    isMalformed = false,
  ): Promise<DeliveryEntry[]> {
    const { clock, world } = this.#parts;
    const groups = new Map<Subscription, WebhookEvent[]>();
    for (const event of events) {
      for (const callback of callbacksFor(world(), event)) {
        groups.set(callback, [...(groups.get(callback) ?? []), event]);
      }
    }
    const sendings = [...groups].flatMap(([callback, group]) =>
      this.#bodies(group).map((body) => {
        if (body.length > BODY_BYTES_MAX) return this.#tooLarge(callback, body);
        const outgoing = { callback, body: isMalformed ? cutOff(body) : body, mode };
        return this.#attemptUntilAnswered(outgoing, 1, clock.now());
      }),
    );
    return Promise.all(sendings);
  }

  /** The bodies for these events: one, or several when one would be larger than Meta sends. */
  #bodies(events: readonly WebhookEvent[]): Buffer[] {
    const { clock, tuning } = this.#parts;
    const text = asciiJson(envelope(events, clock.now()), tuning().escapeSlashes);
    const isTooLarge = text.length > BODY_BYTES_MAX && events.length > 1;
    if (!isTooLarge) return [Buffer.from(text, "latin1")];
    const half = Math.ceil(events.length / 2);
    return [...this.#bodies(events.slice(0, half)), ...this.#bodies(events.slice(half))];
  }

  #tooLarge(callback: Subscription, body: Buffer): DeliveryEntry {
    return this.#parts.journal.addDelivery({
      at: this.#parts.clock.now(),
      url: callback.url,
      body: body.toString("latin1", 0, 1_000),
      status: null,
      ms: 0,
      attempt: 0,
      error: `not sent: ${body.length} bytes are more than ${BODY_BYTES_MAX}`,
    });
  }

  /** Makes one attempt and, unless it was answered with 200, plans the next. Resolves after this one. */
  async #attemptUntilAnswered(
    outgoing: Outgoing,
    attempt: number,
    startedAt: number,
  ): Promise<DeliveryEntry> {
    const era = this.#era;
    const entry = await this.#attempt(outgoing, attempt);
    if (entry.status === 200 || era !== this.#era) return entry;
    const delayMs = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? 0;
    const { clock } = this.#parts;
    const isInTime = clock.now() + delayMs - startedAt <= RETRY_UNTIL_MS;
    if (!isInTime || !this.#reserve(outgoing.body)) return entry;
    clock.after(delayMs, async () => {
      this.#release(outgoing.body);
      await this.#attemptUntilAnswered(outgoing, attempt + 1, startedAt);
    });
    return entry;
  }

  #reserve({ length }: Buffer): boolean {
    const { count, bytes } = this.#waiting;
    if (count >= RETRIES_WAITING_MAX || bytes + length > RETRIES_WAITING_BYTES_MAX) return false;
    this.#waiting = { count: count + 1, bytes: bytes + length };
    return true;
  }

  #release({ length }: Buffer): void {
    this.#waiting = { count: this.#waiting.count - 1, bytes: this.#waiting.bytes - length };
  }

  async #attempt(outgoing: Outgoing, attempt: number, resendOf?: number): Promise<DeliveryEntry> {
    const era = this.#era;
    const started = performance.now();
    const result = await this.#post(outgoing);
    const entry = {
      at: this.#parts.clock.now(),
      url: outgoing.callback.url,
      body: outgoing.body.toString("utf8"),
      ms: Math.round(performance.now() - started),
      attempt,
      ...result,
      ...(resendOf !== undefined && { resendOf }),
    };
    return era === this.#era ? this.#parts.journal.addDelivery(entry) : { n: 0, ...entry };
  }

  async #post({ callback, body, mode }: Outgoing): Promise<{ status: number | null; error?: string }> {
    // A callback that was not up when it was configured gets its handshake before the first delivery.
    const problem = callback.verified ? null : await this.handshake(callback);
    if (problem !== null) return { status: null, error: problem };
    const answer = await this.#transport.call(new URL(callback.url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-length": String(body.length),
        "user-agent": "facebookexternalua",
        ...signatureHeaders(callback.secret ?? this.#parts.appSecret, body, mode),
      },
      body,
      ...this.#limits(),
    });
    return "error" in answer ? { status: null, error: answer.error } : { status: answer.status };
  }

  #limits() {
    return { timeoutMs: this.#parts.tuning().answerTimeoutMs, closing: this.#parts.closing };
  }
}

function modeOf(effects: readonly FaultEffect[]): SignatureMode {
  const effect = effects.find(({ kind }) => kind === "bad_signature");
  return effect?.kind === "bad_signature" ? effect.mode : "valid";
}
