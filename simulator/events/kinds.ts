import { z } from "zod";
import type { Simulation } from "../simulation";
import type { WebhookEvent } from "../webhooks/payloads";
import { findCustomer } from "../world";
import { ACCOUNT_KINDS } from "./account-events";
import { COEXISTENCE_KINDS } from "./coexistence";
import { applyConsequences } from "./consequences";
import { CUSTOMER_KINDS } from "./customer-events";
import { GROUP_KINDS } from "./groups";
import { type EventKind, head, type MakeEvent } from "./kind";
import { ROUTING_KINDS } from "./routing";

const KINDS: Readonly<Record<string, EventKind>> = {
  ...ACCOUNT_KINDS,
  ...COEXISTENCE_KINDS,
  ...CUSTOMER_KINDS,
  ...GROUP_KINDS,
  ...ROUTING_KINDS,
};

const EVENT_FIELDS = Object.keys(KINDS).sort();

type MadeEvents =
  | { readonly ok: readonly WebhookEvent[] }
  | { readonly error: z.ZodError }
  | { readonly problem: string; readonly path: string };

/** A value of somebody's own making, for fields that have no kind of their own or to try something else. */
const rawEvent = z.strictObject({ ...head, value: z.record(z.string(), z.unknown()) });
const anyEvent = z.looseObject(head);

/** The webhooks for a request to `/_sim/event`, or what is wrong with it. What it changes in the world is done. */
export function makeEvents(simulation: Simulation, body: unknown): MadeEvents {
  const parsed = anyEvent.safeParse(body);
  if (!parsed.success) return { error: parsed.error };
  const { field, number: numberId, customer: who } = parsed.data;
  const read = reader(field, typeof parsed.data["value"] === "object")(body);
  if ("error" in read || "problem" in read) return read;
  const { world } = simulation;
  const number = numberId === undefined ? world.numbers[0] : world.numbers.find(({ id }) => id === numberId);
  const waba = world.wabas.find(({ id }) => id === number?.wabaId);
  const customer = who === undefined ? world.customers[0] : findCustomer(world, who);
  if (number === undefined || waba === undefined) {
    return { path: "number", problem: "There is no business number with this id." };
  }
  if (customer === undefined) return { path: "customer", problem: "There is no such customer." };
  const scene = { simulation, number, waba, customer };
  const values = read.make(scene);
  for (const value of values) applyConsequences(field, { ...value }, scene);
  const peer = customer.phone.slice(1);
  return {
    ok: values.map((value) => ({ wabaId: waba.id, numberId: number.id, field, value, peer, type: field })),
  };
}

type Reader = (
  body: unknown,
) => { make: MakeEvent } | { error: z.ZodError } | { problem: string; path: string };

function reader(field: string, hasValue: boolean): Reader {
  if (hasValue) {
    return (body) => {
      const parsed = rawEvent.safeParse(body);
      return parsed.success ? { make: () => [parsed.data.value] } : { error: parsed.error };
    };
  }
  const kind = Object.hasOwn(KINDS, field) ? KINDS[field] : undefined;
  if (kind !== undefined) return kind.read;
  return () => ({ path: "field", problem: `Give a value, or one of the fields ${EVENT_FIELDS.join(", ")}.` });
}
