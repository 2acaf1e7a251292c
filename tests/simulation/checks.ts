import type { Meta } from "./meta";
import type { Store, StoredMessage } from "./store";

/** Words of an outbound message from the one that says least to the one that says most. */
const PROGRESS = ["sent", "delivered", "read", "played"];

/** Meta's code of a free-form message outside the 24-hour window. */
const WINDOW_CLOSED_CODE = 131047;

/** Stands in every text that a week sends, and in nothing else. */
export const SENT_TEXT_PART = "of the week";

/** What must be true after every step of a week, whatever has happened. */
export class Checks {
  readonly #meta: Meta;
  readonly #store: Store;
  readonly #accounts: ReadonlyMap<string, string>;
  readonly #acknowledged = new Map<string, string>();
  readonly #progress = new Map<string, number>();
  #deliveriesSeen = 0;

  /** @param accounts account id by phone number id */
  constructor(meta: Meta, store: Store, accounts: ReadonlyMap<string, string>) {
    this.#meta = meta;
    this.#store = store;
    this.#accounts = accounts;
  }

  /** How many customers' messages were acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** Throws with what is wrong. */
  async run(): Promise<void> {
    const { seen, ids } = await this.#meta.acknowledged(this.#deliveriesSeen);
    this.#deliveriesSeen = seen;
    for (const [wamid, phoneNumberId] of ids) this.#acknowledged.set(wamid, phoneNumberId);
    const messages = await this.#store.messages();
    this.#nothingLost(messages);
    this.#nothingTwice(messages);
    this.#noStatusBackwards(messages);
    await this.#nothingOutsideTheWindow(messages);
    await this.#noFalseOutcome(messages);
  }

  /** Every acknowledged message of a customer is stored, in the account of the number it was written to. */
  #nothingLost(messages: StoredMessage[]): void {
    const byWamid = new Map(messages.map((message) => [message.wamid, message]));
    for (const [wamid, phoneNumberId] of this.#acknowledged) {
      const stored = byWamid.get(wamid);
      if (stored === undefined) throw new Error(`lost inbound: ${wamid} was acknowledged and is not stored`);
      if (stored.accountId !== this.#accounts.get(phoneNumberId))
        throw new Error(`cross tenant: ${wamid} is stored in the wrong account`);
    }
  }

  #nothingTwice(messages: StoredMessage[]): void {
    const seen = new Set<string>();
    for (const { wamid, accountId } of messages) {
      if (wamid === undefined) continue;
      const key = `${accountId} ${wamid}`;
      if (seen.has(key)) throw new Error(`stored twice: ${wamid}`);
      seen.add(key);
    }
  }

  #noStatusBackwards(messages: StoredMessage[]): void {
    for (const { _id, direction, status } of messages) {
      if (direction === "inbound") continue;
      const before = this.#progress.get(_id) ?? -1;
      const now = PROGRESS.indexOf(status);
      // A message that was delivered stays so; one that was only sent may still fail at Meta.
      const lost =
        before >= PROGRESS.indexOf("delivered")
          ? now < before
          : before >= 0 && now < 0 && status !== "failed";
      if (lost) throw new Error(`status backwards: ${_id} went from ${PROGRESS[before]} to ${status}`);
      if (now > before) this.#progress.set(_id, now);
    }
  }

  async #nothingOutsideTheWindow(messages: StoredMessage[]): Promise<void> {
    const ours = new Set(messages.flatMap(({ wamid }) => (wamid === undefined ? [] : [wamid])));
    const refused = (await this.#store.statuses()).find(
      ({ wamid, error }) => error?.code === WINDOW_CLOSED_CODE && ours.has(wamid),
    );
    if (refused !== undefined) throw new Error(`send outside the window: ${refused.wamid}`);
  }

  /** No message left twice, none that is said to have failed was taken, each that is said to be sent was. */
  async #noFalseOutcome(messages: StoredMessage[]): Promise<void> {
    const times = await this.#meta.taken(SENT_TEXT_PART);
    const stateOf = new Map((await this.#store.sends()).map(({ messageId, state }) => [messageId, state]));
    for (const { _id, direction, type, text } of messages) {
      if (direction === "inbound" || type !== "text" || text === undefined) continue;
      const taken = times.get(text) ?? 0;
      const state = stateOf.get(_id);
      if (taken > 1) throw new Error(`double send: WhatsApp took "${text}" ${taken} times`);
      if (state === "rejected" && taken > 0) throw new Error(`false failed: WhatsApp has taken "${text}"`);
      if (state === "accepted" && taken === 0) throw new Error(`false sent: WhatsApp never took "${text}"`);
    }
  }
}
