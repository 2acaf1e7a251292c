import { makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { Checks, SENT_TEXT_PART } from "./checks";
import { Deployment, type Template } from "./deployment";
import type { BusinessNumber, Meta } from "./meta";
import { type Step, TENANTS, type Tenant, weekOf } from "./steps";
import { Store } from "./store";

const OPERATOR = "ana";

/** People of the simulator's profile `large`, two per tenant. */
const PHONES: Record<Tenant, readonly string[]> = {
  0: ["+16505560001", "+16505560002"],
  1: ["+16505560003", "+16505560004"],
};

/** Longer than any send takes that is not lost; then the clock is moved on, at most so often. */
const IDLE_WAIT_MS_MAX = 3_000;
const IDLE_ROUNDS_MAX = 20;
const MINUTE_MS = 60_000;
const IDLE_LOOK_MS = 25;

/** After the last step: enough to outlive every back-off, lease and repetition of a webhook. */
const CLOSING_STEPS = 4;
const CLOSING_STEP_MS = 3 * 3_600_000;

const id = z.looseObject({ id: z.string() });
const refusal = z.looseObject({ refused: z.literal(true), reason: z.string() });

interface Account extends BusinessNumber {
  accountId: string;
  apiKeyId: string;
}

export interface Report {
  steps: number;
  inbound: number;
  outbound: number;
  kills: number;
  unknown: number;
}

/**
 * Plays the week of a seed against a fresh deployment and looks at everything after each step. The story is the same
 * for a seed each time; how the processes interleave is not, so a finding is told with its seed and step.
 */
export async function playWeek(
  seed: number,
  template: Template,
  meta: Meta,
  say: (line: string) => void,
): Promise<Report> {
  const numbers = await meta.reset(seed);
  const deployment = await Deployment.start(template);
  try {
    const week = new Week(deployment, meta, await connect(deployment, numbers));
    const steps = weekOf(seed);
    for (const [index, step] of steps.entries()) {
      say(`seed ${seed}, step ${index + 1} of ${steps.length}: ${JSON.stringify(step)}`);
      try {
        await week.play(step, index);
        await week.check();
      } catch (error) {
        throw new Error(`seed ${seed}, step ${index + 1} (${JSON.stringify(step)}): ${wordsOf(error)}`, {
          cause: error,
        });
      }
    }
    await week.close();
    return await week.report(steps.length);
  } finally {
    await deployment.stop();
  }
}

/** Connects a number per tenant, with a key that sees only that number, and makes the operator the owner of the first. */
async function connect(
  deployment: Deployment,
  numbers: Record<Tenant, BusinessNumber>,
): Promise<Record<Tenant, Account>> {
  const add = async (tenant: Tenant): Promise<Account> => {
    const account = id.parse(
      await runFunction(deployment.admin, "accountsAdmin:add", {
        name: `Tenant ${tenant}`,
        ...numbers[tenant],
        accessToken: "sim-access-token",
        appSecret: "sim-app-secret",
      }),
    );
    const key = id.parse(
      await runFunction(deployment.admin, "keysAdmin:create", {
        accountId: account.id,
        name: `agent ${tenant}`,
        scopes: ["read", "write", "send"],
        rpm: 10_000,
        dailyCap: 100_000,
      }),
    );
    return { ...numbers[tenant], accountId: account.id, apiKeyId: key.id };
  };
  const first = await add(0);
  const service = await deployment.as({ use: "service" });
  await service.mutation(mutation("instance:claim"), { userId: OPERATOR });
  return { 0: first, 1: await add(1) };
}

class Week {
  readonly #deployment: Deployment;
  readonly #meta: Meta;
  readonly #accounts: Record<Tenant, Account>;
  readonly #store: Store;
  readonly #checks: Checks;
  #kills = 0;

  constructor(deployment: Deployment, meta: Meta, accounts: Record<Tenant, Account>) {
    this.#deployment = deployment;
    this.#meta = meta;
    this.#accounts = accounts;
    this.#store = new Store(deployment);
    const byNumber = new Map(
      TENANTS.map((tenant) => [accounts[tenant].phoneNumberId, accounts[tenant].accountId]),
    );
    this.#checks = new Checks(meta, this.#store, byNumber);
  }

  async play(step: Step, index: number): Promise<void> {
    switch (step.kind) {
      case "write":
        return await this.#write(step);
      case "agent_send":
        return await this.#agentSends(step, `${SENT_TEXT_PART}, agent ${index}.`);
      case "operator_send":
        return await this.#operatorSends(step, `${SENT_TEXT_PART}, operator ${index}.`);
      case "agent_template":
        return await this.#agentSendsTemplate(step, index);
      case "send_fault":
      case "webhook_fault":
        return await this.#meta.fault(step);
      case "phone":
        return await this.#meta.phone(phoneOf(step), step.online);
      case "wait":
        return await this.#wait(step.ms);
      case "kill":
        return await this.#kill(step, `${SENT_TEXT_PART}, kill ${index}.`);
      case "mode":
        return await this.#setMode(step);
      default:
        return step satisfies never;
    }
  }

  async check(): Promise<void> {
    await this.#checks.run();
    await this.#noForeignReads();
  }

  /** Ends all faults and lets time pass: then nothing may be under way any more. */
  async close(): Promise<void> {
    await this.#meta.clearFaults();
    for (const phone of TENANTS.flatMap((tenant) => PHONES[tenant])) await this.#meta.phone(phone, true);
    for (let step = 0; step < CLOSING_STEPS; step++) await this.#wait(CLOSING_STEP_MS);
    await this.#idle(["queued", "claimed", "dispatching"]);
    await this.check();
  }

  async report(steps: number): Promise<Report> {
    const sends = await this.#store.sends();
    return {
      steps,
      inbound: this.#checks.acknowledged,
      outbound: sends.length,
      kills: this.#kills,
      unknown: sends.filter(({ state }) => state === "unknown").length,
    };
  }

  async #write({ tenant, customer, type }: Extract<Step, { kind: "write" }>): Promise<void> {
    const contents = {
      text: { type: "text", text: "Do you still have succulents?" },
      image: { type: "image", caption: "This one" },
      location: { type: "location", latitude: 41.38, longitude: 2.17, place: "Shop" },
      stop: { type: "text", text: "STOP" },
    };
    await this.#meta.write(phoneOf({ tenant, customer }), this.#accounts[tenant], contents[type]);
  }

  /** The same call several times at once, as an agent repeats it that lost the answer: one message, one answer. */
  async #agentSends(
    { tenant, customer, asked, calls }: Extract<Step, { kind: "agent_send" }>,
    text: string,
  ): Promise<void> {
    if (asked) await this.#write({ kind: "write", tenant, customer, type: "text" });
    const args = { contact: phoneOf({ tenant, customer }), text, clientRequestId: requestIdOf(text) };
    const answers = await Promise.all(
      Array.from({ length: calls }, async () => {
        const agent = await this.#agent(tenant);
        return await agent.mutation(mutation("mcp:sendText"), args, { skipQueue: true });
      }),
    );
    const different = new Set(answers.map((answer) => JSON.stringify(answer)));
    if (different.size !== 1)
      throw new Error(`one request, several answers: ${[...different].join(" and ")}`);
  }

  async #agentSendsTemplate({ tenant, customer }: Extract<Step, { kind: "agent_template" }>, index: number) {
    const agent = await this.#agent(tenant);
    await agent.mutation(mutation("mcp:sendTemplate"), {
      contact: phoneOf({ tenant, customer }),
      name: "hello_world",
      language: "en_US",
      clientRequestId: `template-${index}`,
    });
  }

  async #operatorSends({ tenant, customer }: Extract<Step, { kind: "operator_send" }>, text: string) {
    const conversationId = await this.#conversationOf(tenant, customer);
    if (conversationId === null) return;
    const { accountId } = this.#accounts[tenant];
    const operator = await this.#deployment.as({ use: "user", userId: OPERATOR });
    await operator.mutation(mutation("messages:sendText"), {
      accountId,
      conversationId,
      text,
      clientRequestId: requestIdOf(text),
    });
  }

  async #setMode({ tenant, customer, human }: Extract<Step, { kind: "mode" }>): Promise<void> {
    const conversationId = await this.#conversationOf(tenant, customer);
    if (conversationId === null) return;
    const operator = await this.#deployment.as({ use: "user", userId: OPERATOR });
    const mode = human ? "human" : "agent";
    await operator.mutation(mutation("conversations:setMode"), {
      accountId: this.#accounts[tenant].accountId,
      conversationId,
      mode,
    });
  }

  /** Ends the engine while a customer writes and an agent sends; what was under way may be there or not. */
  async #kill({ tenant, customer }: Extract<Step, { kind: "kill" }>, text: string): Promise<void> {
    const agent = await this.#agent(tenant);
    const underWay = [
      this.#write({ kind: "write", tenant, customer, type: "text" }),
      agent.mutation(mutation("mcp:sendText"), {
        contact: phoneOf({ tenant, customer }),
        text,
        clientRequestId: requestIdOf(text),
      }),
    ];
    const settled = Promise.allSettled(underWay);
    await this.#deployment.killAndRestart();
    await settled;
    this.#kills++;
  }

  /** Both clocks move, ours first: a send that leaves because of it meets a Meta that is not later than we are. */
  async #wait(ms: number): Promise<void> {
    await this.#idle(["claimed", "dispatching"]);
    await this.#deployment.jump(ms);
    await this.#meta.jump(ms);
  }

  /**
   * Waits until no send is in these states. One whose worker was killed, or ended by the jump of the clock, stays in its
   * state until its lease is over, so the clock goes on by a minute whenever nothing moves.
   */
  async #idle(states: readonly string[]): Promise<void> {
    for (let round = 0; ; round++) {
      const until = Date.now() + IDLE_WAIT_MS_MAX;
      let busy = await this.#sendsIn(states);
      while (busy.length > 0 && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, IDLE_LOOK_MS));
        busy = await this.#sendsIn(states);
      }
      if (busy.length === 0) return;
      if (round === IDLE_ROUNDS_MAX)
        throw new Error(
          `stuck: ${busy.map(({ state, reason }) => `${state} (${reason ?? "no reason"})`).join(", ")}`,
        );
      await this.#deployment.jump(MINUTE_MS);
      await this.#meta.jump(MINUTE_MS);
    }
  }

  async #sendsIn(states: readonly string[]) {
    return (await this.#store.sends()).filter(({ state }) => states.includes(state));
  }

  /** What belongs to the other tenant does not exist, for its agent and for a stranger. */
  async #noForeignReads(): Promise<void> {
    const contacts = await this.#store.contacts();
    for (const tenant of TENANTS) {
      const foreign = contacts.find(({ accountId }) => accountId !== this.#accounts[tenant].accountId);
      const agent = await this.#agent(tenant);
      const read = query("mcp:getConversation");
      const answers = [
        ...(foreign === undefined ? [] : [await agent.query(read, { contact: foreign._id })]),
        await agent.query(read, {
          from: this.#accounts[tenant === 0 ? 1 : 0].phoneNumber,
          contact: PHONES[0][0] ?? "",
        }),
      ];
      for (const answer of answers) {
        if (!refusal.safeParse(answer).success)
          throw new Error(`cross tenant read: ${JSON.stringify(answer)}`);
      }
    }
    const stranger = await this.#deployment.as({ use: "user", userId: "eve" });
    const listed = await stranger
      .query(query("conversations:list"), {
        accountId: this.#accounts[0].accountId,
        paginationOpts: { numItems: 10, cursor: null },
      })
      .catch((error: unknown) => (error instanceof ConvexError ? null : Promise.reject(error)));
    if (listed !== null) throw new Error("cross tenant read: a stranger lists conversations");
  }

  async #conversationOf(tenant: Tenant, customer: number): Promise<string | null> {
    const { accountId } = this.#accounts[tenant];
    const contacts = await this.#store.contacts();
    const contact = contacts.find(
      (row) => row.accountId === accountId && row.phone === phoneOf({ tenant, customer }),
    );
    const conversations = contact === undefined ? [] : await this.#store.conversations();
    return conversations.find(({ contactId }) => contactId === contact?._id)?._id ?? null;
  }

  async #agent(tenant: Tenant) {
    return await this.#deployment.as({ use: "mcp", apiKeyId: this.#accounts[tenant].apiKeyId });
  }
}

function phoneOf({ tenant, customer }: { tenant: Tenant; customer: number }): string {
  const phone = PHONES[tenant][customer];
  if (phone === undefined) throw new Error(`Tenant ${tenant} has no customer ${customer}.`);
  return phone;
}

/** An id as clients make them: no spaces. */
const requestIdOf = (text: string): string => text.replace(/[^a-z0-9]+/g, "-");

const query = (name: string) => makeFunctionReference<"query">(name);
const mutation = (name: string) => makeFunctionReference<"mutation">(name);

function wordsOf(error: unknown): string {
  if (error instanceof ConvexError) return JSON.stringify(error.data);
  return error instanceof Error ? error.message : String(error);
}
