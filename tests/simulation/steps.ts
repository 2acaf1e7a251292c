import fc from "fast-check";

/** Business numbers of the week; each is a tenant of its own. */
export const TENANTS = [0, 1] as const;
export type Tenant = (typeof TENANTS)[number];

/** Customers of each tenant. */
export const CUSTOMERS_PER_TENANT = 2;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Faults of the network and of Meta that a send may meet. */
export const SEND_FAULTS = [
  { kind: "accept_then_drop" },
  { kind: "accept_then_error", status: 500 },
  { kind: "html_error", status: 502 },
  { kind: "error", status: 400, code: 130429 },
  { kind: "error", status: 500, code: 131000 },
  { kind: "error", status: 400, code: 131056 },
  { kind: "reset" },
  { kind: "delay", ms: 150 },
] as const;

/** Faults of the way back. `drop` is left out: what Meta never repeats cannot be stored by anybody. */
export const WEBHOOK_FAULTS = [
  { kind: "duplicate", times: 3 },
  { kind: "reorder" },
  { kind: "delay", ms: 100 },
  { kind: "bad_signature" },
] as const;

const tenant = fc.constantFrom(...TENANTS);
const customer = fc.nat(CUSTOMERS_PER_TENANT - 1);
const to = { tenant, customer };

/** What happens in a week, one thing after another. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("write"),
      ...to,
      type: fc.constantFrom("text", "image", "location", "stop"),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("agent_send"),
      ...to,
      /** The customer writes first, so that the window is open. */
      asked: fc.boolean(),
      calls: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("operator_send"), tenant: fc.constant(0 as const), customer }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("agent_template"), ...to }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("send_fault"),
      fault: fc.constantFrom(...SEND_FAULTS),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("webhook_fault"),
      fault: fc.constantFrom(...WEBHOOK_FAULTS),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("phone"), ...to, online: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait"),
      ms: fc.constantFrom(MINUTE_MS, 10 * MINUTE_MS, 3 * HOUR_MS, 3 * HOUR_MS, 25 * HOUR_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill"), ...to }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("mode"),
      tenant: fc.constant(0 as const),
      customer,
      human: fc.constantFrom(true, false, false),
    }),
  },
);
type Steps = typeof step extends fc.Arbitrary<infer One> ? One : never;
export type Step = Steps;

/** Steps of one week: enough that each kind meets each other over 20 seeds, few enough for a test run. */
const STEPS_MIN = 14;
const STEPS_MAX = 18;

/** The week of a seed, always the same. */
export function weekOf(seed: number): Step[] {
  const [week = []] = fc.sample(fc.array(step, { minLength: STEPS_MIN, maxLength: STEPS_MAX, size: "max" }), {
    seed,
    numRuns: 1,
  });
  return week;
}
