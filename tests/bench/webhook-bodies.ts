import { createHmac } from "node:crypto";
import { MessageCorpus, randomFrom } from "./message-corpus";

/** The business numbers that a benchmark connects, and the people who write to them. */
type Numbers = { count: number; conversations: number };

export const APP_SECRET = "bench-app-secret";

const FIRST_PHONE_NUMBER_ID = 106_540_352_000_000;
const FIRST_WABA_ID = 102_290_129_000_000;

export const phoneNumberIdOf = (account: number): string => String(FIRST_PHONE_NUMBER_ID + account);
export const phoneNumberOf = (account: number): string => `+1555078${String(1000 + account)}`;
export const wabaIdOf = (account: number): string => String(FIRST_WABA_ID + account);

/** Which account an id of Meta's belongs to: that of its number, or its own. */
export const accountOfId = (id: string): number =>
  Number(id) - (Number(id) < FIRST_PHONE_NUMBER_ID ? FIRST_WABA_ID : FIRST_PHONE_NUMBER_ID);

/** Which number a conversation is held with, and the customer's WhatsApp id in it. */
export const accountOf = (conversation: number, { count }: Numbers): number => conversation % count;
export const customerOf = (conversation: number): string => String(16_505_000_000 + conversation);

export type Delivery = { body: Buffer; signature: string };

/**
 * Deliveries as Meta makes them: one text of a customer each, every one with another id, signed by the app's secret.
 * The conversations take turns; with `hot` all of them are of the first number.
 */
export class WebhookBodies {
  readonly #corpus = new MessageCorpus();
  readonly #random = randomFrom(7);
  readonly #run = Date.now().toString(36);
  #next = 0;

  constructor(readonly numbers: Numbers) {}

  /** Messages made so far. */
  get made(): number {
    return this.#next;
  }

  make(count: number, options: { hot?: boolean } = {}): Delivery[] {
    return Array.from({ length: count }, () => this.#one(options.hot === true));
  }

  #one(hot: boolean): Delivery {
    const n = this.#next++;
    const { count, conversations } = this.numbers;
    const conversation = hot
      ? (n % Math.max(1, Math.floor(conversations / count))) * count
      : n % conversations;
    const account = accountOf(conversation, this.numbers);
    const customer = customerOf(conversation);
    const message = {
      from: customer,
      id: `wamid.HBgL${Buffer.from(`${this.#run}-${n}-${customer}`).toString("base64")}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
      text: { body: this.#corpus.message(this.#random).body },
      type: "text",
    };
    const value = {
      messaging_product: "whatsapp",
      metadata: {
        display_phone_number: phoneNumberOf(account).slice(1),
        phone_number_id: phoneNumberIdOf(account),
      },
      contacts: [{ profile: { name: `Customer ${conversation}` }, wa_id: customer }],
      messages: [message],
    };
    const entry = [{ id: wabaIdOf(account), changes: [{ value, field: "messages" }] }];
    const body = Buffer.from(JSON.stringify({ object: "whatsapp_business_account", entry }));
    const signature = createHmac("sha256", APP_SECRET).update(body).digest("hex");
    return { body, signature: `sha256=${signature}` };
  }
}
