import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { type App, CUSTOMER, openApp, START } from "./convex-app";

export interface KeyText {
  from: string;
  contact: string;
  text: string;
  replyTo: string;
  clientRequestId: string;
  validateOnly: boolean;
}

/** One account, its member "ana", and a customer who has just written: where every test about sending begins. */
export async function openConversation() {
  const app = openApp();
  const accountId = await app.addAccount();
  await app.join(accountId, "ana");
  await app.receive("Is the lemon cake available?", { at: START });
  const [conversation] = await app.rows("conversations");
  if (conversation === undefined) throw new Error("The customer's message was not stored.");
  return new OpenConversation(app, accountId, conversation._id);
}

export class OpenConversation {
  #requests = 0;

  constructor(
    readonly app: App,
    readonly accountId: Id<"accounts">,
    readonly conversationId: Id<"conversations">,
  ) {}

  /** A text from the dashboard, each with a request id of its own. */
  async send(text: string, more: { replyToMessageId?: Id<"messages"> } = {}) {
    const { accountId, conversationId } = this;
    const clientRequestId = `r${++this.#requests}`;
    const draft = { accountId, conversationId, text, clientRequestId, ...more };
    return await this.app.user("ana").mutation(api.messages.sendText, draft);
  }

  /** A text of an API key, to the customer unless said otherwise. */
  async sendByKey(apiKeyId: string, args: Partial<KeyText> = {}) {
    const text = { contact: `+${CUSTOMER}`, text: "Yes!", ...args };
    return await this.app.key(apiKeyId).mutation(api.mcp.sendText, text);
  }

  async outbound() {
    return (await this.app.rows("messages")).filter(({ direction }) => direction === "outbound");
  }

  /** Text, status and wamid of each outbound message. */
  async shown() {
    return (await this.outbound()).map(({ text, status, wamid }) => [text, status, wamid]);
  }

  /** The texts that reached Meta, in order. */
  sentTexts(): unknown[] {
    return this.app.graph.sends.map((body) => (body["text"] as { body: string }).body);
  }
}
