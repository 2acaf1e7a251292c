import * as z from "zod";
import { webhookDeliveries } from "../../local/simulator-client";
import type { Step, Tenant } from "./steps";

/** A business number as Meta has it. */
export type BusinessNumber = { phoneNumberId: string; wabaId: string; phoneNumber: string };

const state = z.object({
  numbers: z.array(z.looseObject({ id: z.string(), wabaId: z.string(), digits: z.string() })),
});
const accepted = z.object({
  messages: z.array(z.looseObject({ content: z.looseObject({ body: z.string() }) })),
});
const inboundIds = z.object({
  entry: z.array(
    z.object({
      changes: z.array(
        z.object({
          value: z.object({
            metadata: z.object({ phone_number_id: z.string() }).optional(),
            messages: z.array(z.looseObject({ id: z.string() })).optional(),
          }),
        }),
      ),
    }),
  ),
});

/** The simulator as the week uses it, over its control API: the ground truth of what really happened. */
export class Meta {
  constructor(readonly url: string) {}

  /** A world of its own for the seed; two numbers of two businesses, one per tenant. */
  async reset(seed: number): Promise<Record<Tenant, BusinessNumber>> {
    await this.#post("/_sim/reset", { seed: String(seed), profile: "large" });
    const { numbers } = state.parse(await this.#get("/_sim/state"));
    const [first] = numbers;
    const second = numbers.find(({ wabaId }) => wabaId !== first?.wabaId);
    if (first === undefined || second === undefined) throw new Error("The simulator has no two businesses.");
    const number = ({ id, wabaId, digits }: typeof first) => ({
      phoneNumberId: id,
      wabaId,
      phoneNumber: `+${digits}`,
    });
    return { 0: number(first), 1: number(second) };
  }

  async write(from: string, to: BusinessNumber, content: Record<string, unknown>): Promise<void> {
    await this.#post("/_sim/inbound", { from, to: to.phoneNumberId, ...content });
  }

  async phone(phone: string, online: boolean): Promise<void> {
    await this.#post("/_sim/customers", { phone, online });
  }

  async fault(step: Extract<Step, { kind: "send_fault" | "webhook_fault" }>): Promise<void> {
    const endpoint = step.kind === "send_fault" ? "messages" : "webhook";
    await this.#post("/_sim/faults", { match: { endpoint }, effect: step.fault, times: step.times });
  }

  async clearFaults(): Promise<void> {
    await this.#call("/_sim/faults", { method: "DELETE" });
  }

  async jump(advanceMs: number): Promise<void> {
    await this.#post("/_sim/clock", { advanceMs });
  }

  /** How often WhatsApp has taken each text that contains `part`. */
  async taken(part: string): Promise<ReadonlyMap<string, number>> {
    const answer = await fetch(new URL(`/_sim/expect?text=${encodeURIComponent(part)}`, this.url));
    const times = new Map<string, number>();
    for (const { content } of accepted.parse(await answer.json()).messages)
      times.set(content.body, (times.get(content.body) ?? 0) + 1);
    return times;
  }

  /** Ids of the customers' messages whose delivery was acknowledged, with the number that they were written to. */
  async acknowledged(
    after: number,
  ): Promise<{ seen: number; ids: [wamid: string, phoneNumberId: string][] }> {
    const deliveries = await webhookDeliveries(this.url, after);
    const ids = deliveries
      .filter(({ status }) => status === 200)
      .flatMap(({ body }) => inboundIds.parse(JSON.parse(body)).entry)
      .flatMap(({ changes }) => changes)
      .flatMap(({ value }) =>
        (value.messages ?? []).map(({ id }): [string, string] => [id, value.metadata?.phone_number_id ?? ""]),
      );
    return { seen: deliveries.at(-1)?.n ?? after, ids };
  }

  async #get(path: string): Promise<unknown> {
    return await this.#call(path, {});
  }

  async #post(path: string, body: object): Promise<unknown> {
    return await this.#call(path, { method: "POST", body: JSON.stringify(body) });
  }

  async #call(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(new URL(path, this.url), init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
