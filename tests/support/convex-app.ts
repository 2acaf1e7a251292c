/// <reference types="vite/client" />
import { convexTest } from "convex-test";
import { vi } from "vitest";
import type { KeyDirection } from "#shared/scopes";
import { signatureHeader } from "#shared/signature";
import { LOGIN_SCOPES } from "#shared/whatsapp/client-login";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import schema from "../../convex/schema";
import { mountComponents } from "./components";

const modules = import.meta.glob([
  "../../convex/**/*.ts",
  "../../convex/_generated/*.js",
  "!../../convex/**/*.test.ts",
]);

/** Everything here is computed and nothing waits, so only a busy machine makes a test slow. */
vi.setConfig({ testTimeout: 30_000 });

/** The moment at which every test begins; all clocks in a test are this one, moved by hand. */
export const START = Date.parse("2026-11-02T10:00:00Z");

export const NUMBER = {
  name: "Bakery",
  wabaId: "102290129340398",
  phoneNumberId: "106540352242922",
  phoneNumber: "+15550783881",
};
export const APP_SECRET = "bakery-app-secret";
export const CUSTOMER = "16505551234";

type Answer = (request: { method: string; url: URL; body: unknown }) => Response | Promise<Response>;

/** Meta's Graph at the edge of the network: records every call and answers as it is told. */
export class FakeGraph {
  readonly calls: { method: string; url: URL; body: unknown; authorization: string | null }[] = [];
  #sends = 0;
  #answers: Answer[] = [];
  #readAnswers: Answer[] = [];
  #always: Answer | undefined;

  /** The answers to the next message sends, in order; without one a send is accepted. */
  answerNext(...answers: Answer[]): void {
    this.#answers.push(...answers);
  }

  /** Takes over every call, also reads. */
  answerAlways(answer: Answer | undefined): void {
    this.#always = answer;
  }

  /** Does something while the Graph answers as usual, whatever `answerAlways` says. */
  async asUsual<Result>(act: () => Promise<Result>): Promise<Result> {
    const always = this.#always;
    this.#always = undefined;
    try {
      return await act();
    } finally {
      this.#always = always;
    }
  }

  /** The answers to the next read receipts, in order; without one a receipt is taken. */
  answerNextRead(...answers: Answer[]): void {
    this.#readAnswers.push(...answers);
  }

  /** The bodies of the message sends so far. */
  get sends(): Record<string, unknown>[] {
    return this.#posts.filter(({ status }) => status === undefined);
  }

  /** The bodies of the read receipts so far. */
  get reads(): Record<string, unknown>[] {
    return this.#posts.filter(({ status }) => status === "read");
  }

  get #posts(): Record<string, unknown>[] {
    return this.calls
      .filter(({ method, url }) => method === "POST" && url.pathname.endsWith("/messages"))
      .map(({ body }) => body as Record<string, unknown>);
  }

  readonly fetch = async (input: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input);
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    const request = { method: init.method ?? "GET", url, body };
    this.calls.push({ ...request, authorization: new Headers(init.headers).get("authorization") });
    if (this.#always !== undefined) return await this.#always(request);
    if (request.method === "GET") return this.describe(url);
    if ((body as { status?: string }).status === "read") {
      const taken: Answer = () => Response.json({ success: true });
      return await (this.#readAnswers.shift() ?? taken)(request);
    }
    const answer = this.#answers.shift() ?? this.accept;
    return await answer(request);
  };

  /** Numbers that the token of every account may see, by id, as Meta displays them. */
  readonly numbers = new Map([[NUMBER.phoneNumberId, NUMBER.phoneNumber]]);

  /** Meta's answer to a read: of a number, of the numbers of an account, or about a token. */
  describe(url: URL): Response {
    const [id = "", edge] = url.pathname.split("/").slice(2);
    const row = (number: string) => ({
      id: number,
      display_phone_number: this.numbers.get(number) ?? NUMBER.phoneNumber,
    });
    if (id === "debug_token") return Response.json({ data: { is_valid: true, scopes: LOGIN_SCOPES } });
    if (edge === "phone_numbers") return Response.json({ data: [...this.numbers.keys()].map(row) });
    return Response.json(row(edge ?? id));
  }

  readonly accept: Answer = ({ body }) => {
    const { to, recipient } = body as { to?: string; recipient?: string };
    const contact =
      to === undefined ? { input: recipient, user_id: recipient } : { input: to, wa_id: to.slice(1) };
    this.#sends++;
    return Response.json({
      messaging_product: "whatsapp",
      contacts: [contact],
      messages: [{ id: `wamid.SENT${this.#sends}` }],
    });
  };
}

/** An error answer of the Graph. */
export const graphError = (code: number, status = 400, headers: Record<string, string> = {}): Answer => {
  return () =>
    Response.json(
      { error: { message: `(#${code})`, type: "OAuthException", code, fbtrace_id: "A" } },
      { status, headers },
    );
};

/** A failure below HTTP, as Node's fetch reports it. */
export const networkError = (code: string): Answer => {
  return () => {
    throw Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error(code), { code }) });
  };
};

/** The functions of the product on a fresh store, with the clock and the network in the test's hands. */
export function openApp() {
  vi.useFakeTimers({ now: START, toFake: ["Date", "setTimeout", "clearTimeout"] });
  vi.stubEnv("SECRETS_KEYS", `k1:${"A".repeat(43)}`);
  vi.stubEnv("API_KEY_PEPPER", "p1:pepper");
  vi.stubEnv("META_GRAPH_URL", "http://127.0.0.1:4004");
  vi.stubEnv("META_GRAPH_VERSION", "v25.0");
  vi.stubEnv("META_MEDIA_HOSTS", "127.0.0.1:4004");
  vi.stubEnv("WEBHOOK_VERIFY_TOKEN", "verify-me");
  vi.stubEnv("FACEBOOK_APP_SECRET", "");
  const graph = new FakeGraph();
  vi.stubGlobal("fetch", graph.fetch);
  const backend = convexTest({ schema, modules, transactionLimits: true });
  mountComponents(backend);
  return new App(backend, graph);
}

/** Puts clock, environment and network back. */
export function closeApp(): void {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
}

type Backend = ReturnType<typeof convexTest<(typeof schema)["tables"]>>;

export class App {
  constructor(
    readonly backend: Backend,
    readonly graph: FakeGraph,
  ) {}

  /** A signed-in person. */
  user(userId: string) {
    return this.backend.withIdentity({ subject: userId, use: "user" });
  }

  /** The Next server acting for a key, as `callers.resolveKey` allows it to. */
  key(apiKeyId: string) {
    return this.backend.withIdentity({ subject: apiKeyId, use: "mcp", apiKeyId });
  }

  get service() {
    return this.backend.withIdentity({ subject: "service:next", use: "service" });
  }

  /** Connects a number through the administrator's door. */
  async addAccount(number: Partial<typeof NUMBER> = {}, appSecret: string | null = APP_SECRET) {
    const claimed = { ...NUMBER, ...number };
    this.graph.numbers.set(claimed.phoneNumberId, claimed.phoneNumber);
    const connect = () =>
      this.backend.action(internal.accountsAdmin.add, {
        ...claimed,
        accessToken: "graph-token",
        ...(appSecret !== null && { appSecret }),
      });
    return (await this.graph.asUsual(connect)).id;
  }

  async join(accountId: Id<"accounts">, userId: string, role: "owner" | "admin" | "member" = "member") {
    await this.backend.run(async (ctx) => {
      await ctx.db.insert("accountMembers", { accountId, userId, role });
    });
  }

  async addKey(accountId: Id<"accounts">, options: Partial<KeyOptions> = {}) {
    return await this.backend.action(internal.keysAdmin.create, {
      accountId,
      name: "agent",
      scopes: ["read", "send"],
      ...options,
    });
  }

  /** A delivery with a valid signature. */
  async deliver(payload: unknown, secret = APP_SECRET) {
    const body = bytesOf(payload);
    return await this.ingest(body, await signatureHeader(secret, body));
  }

  async ingest(body: ArrayBuffer, signature: string | null) {
    const { outcome } = await this.backend.mutation(api.webhook.ingestWebhook, { body, signature });
    return outcome;
  }

  /** A customer's text; Meta's time is the test's clock unless given. */
  async receive(text: string, message: Partial<InboundText> = {}) {
    return await this.deliver(webhook([textMessage({ text, ...message })], message));
  }

  /** Moves the clock and runs everything that became due on the way, until nothing more is due. */
  async advance(ms = 0): Promise<void> {
    vi.advanceTimersByTime(ms);
    await this.backend.finishInProgressScheduledFunctions();
    for (let round = 0; round < 50 && (await this.#hasDueJobs()); round++) {
      vi.advanceTimersByTime(0);
      await this.backend.finishInProgressScheduledFunctions();
    }
  }

  /** Starts what is due and does not wait for its end. */
  async startDue(): Promise<void> {
    vi.advanceTimersByTime(0);
    while (this.graph.sends.length === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Loses every scheduled function, as a crash loses the actions that were about to run. */
  async cancelScheduled(): Promise<void> {
    await this.backend.run(async (ctx) => {
      const jobs = await ctx.db.system.query("_scheduled_functions").collect();
      for (const job of jobs) if (job.state.kind === "pending") await ctx.scheduler.cancel(job._id);
    });
    await this.advance();
  }

  async #hasDueJobs(): Promise<boolean> {
    return await this.backend.run(async (ctx) => {
      const jobs = await ctx.db.system.query("_scheduled_functions").collect();
      return jobs.some((job) => job.state.kind === "pending" && job.scheduledTime <= Date.now());
    });
  }

  /** Everything in a table, for looking at what a guarantee speaks about. */
  async rows<Table extends keyof (typeof schema)["tables"] & string>(table: Table) {
    return await this.backend.run(async (ctx) => await ctx.db.query(table).collect());
  }
}

interface KeyOptions {
  name: string;
  scopes: string[];
  numbers: string[];
  tools: string[];
  direction: KeyDirection;
  rpm: number;
  dailyCap: number;
  expiresAt: number;
}

export interface InboundText {
  text: string;
  from: string;
  id: string;
  at: number;
  name: string;
  phoneNumberId: string;
}

let lastId = 0;

/** A text message as it stands in `value.messages`. */
export function textMessage(message: Partial<InboundText> = {}) {
  return {
    from: message.from ?? CUSTOMER,
    id: message.id ?? `wamid.IN${++lastId}`,
    timestamp: seconds(message.at ?? Date.now()),
    type: "text",
    text: { body: message.text ?? "Hello" },
  };
}

/** A status as it stands in `value.statuses`. */
export function status(word: string, id: string, at: number, more: object = {}) {
  return { id, status: word, timestamp: seconds(at), recipient_id: CUSTOMER, ...more };
}

/** A delivery of field `messages` for one number. */
export function webhook(messages: unknown[], options: { phoneNumberId?: string; name?: string } = {}) {
  const contacts = [{ profile: { name: options.name ?? "Sheena Nelson" }, wa_id: CUSTOMER }];
  return envelope({ messages, contacts }, options.phoneNumberId);
}

export function statusWebhook(statuses: unknown[], phoneNumberId?: string) {
  return envelope({ statuses }, phoneNumberId);
}

function envelope(value: object, phoneNumberId: string = NUMBER.phoneNumberId) {
  const changes = [change(phoneNumberId, value)];
  return { object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes }] };
}

export function change(phoneNumberId: string, value: object, field = "messages") {
  const metadata = { display_phone_number: "15550783881", phone_number_id: phoneNumberId };
  return { field, value: { messaging_product: "whatsapp", metadata, ...value } };
}

export function bytesOf(payload: unknown): ArrayBuffer {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return new Uint8Array(new TextEncoder().encode(text)).buffer;
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1000));
}
