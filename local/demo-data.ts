import * as z from "zod";
import { type Backend, runFunction } from "./backend";
import type { LocalEnv } from "./env";

/** The simulator's start state (`simulator/README.md`): one business, one number, the token that its Graph accepts. */
export const DEMO_ACCOUNT = {
  name: "Demo bakery",
  wabaId: "102290129340398",
  phoneNumberId: "106540352242922",
  phoneNumber: "+15550783881",
  accessToken: "sim-access-token",
} as const;

/** What the first customers write, so that a new inbox is not empty. */
const CONVERSATIONS: { from: string; name: string; texts: string[] }[] = [
  { from: "+16505551236", name: "Amara Okafor", texts: ["Do you ship to Lagos?", "It would be four boxes."] },
  { from: "+16505551235", name: "José Álvarez", texts: ["¿A qué hora abren mañana? 🥐"] },
  {
    from: "+16505551234",
    name: "Sheena Nelson",
    texts: ["Hello!", "Is the lemon cake still available for Saturday?"],
  },
];

const accountsSchema = z.array(z.looseObject({ phoneNumberId: z.string() }));

/**
 * Connects the simulator's number and lets its customers write, through the same doors as a real one.
 * Does nothing when the number is already connected.
 * @returns whether anything was added
 */
export async function seedDemo(backend: Backend, env: LocalEnv, simulatorUrl: string): Promise<boolean> {
  const accounts = accountsSchema.parse(await runFunction(backend, "accountsAdmin:list", {}));
  if (accounts.some((account) => account.phoneNumberId === DEMO_ACCOUNT.phoneNumberId)) return false;
  await runFunction(backend, "accountsAdmin:add", { ...DEMO_ACCOUNT, appSecret: env.SIM_APP_SECRET });
  for (const { from, name, texts } of CONVERSATIONS) {
    for (const text of texts) await inbound(simulatorUrl, { from, name, type: "text", text });
  }
  return true;
}

const inboundSchema = z.looseObject({
  messageId: z.string(),
  deliveries: z.array(z.looseObject({ url: z.string(), status: z.number().nullable() })),
});

/** One customer message through the simulator; fails when its webhook was not accepted. */
export async function inbound(
  simulatorUrl: string,
  message: { from: string; name?: string; type: string } & Record<string, unknown>,
): Promise<{ messageId: string }> {
  const response = await fetch(new URL("/_sim/inbound", simulatorUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`The simulator answered ${response.status}: ${body}`);
  const { messageId, deliveries } = inboundSchema.parse(JSON.parse(body));
  const refused = deliveries.find((delivery) => delivery.status !== 200);
  if (refused || deliveries.length === 0) throw new Error(`The webhook was not accepted: ${body}`);
  return { messageId };
}
