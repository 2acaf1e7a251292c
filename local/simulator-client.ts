import * as z from "zod";

/** The simulator's control API as commands and tests use it (contract in `simulator/README.md`). */

const requestsSchema = z.object({
  requests: z.array(
    z.looseObject({
      n: z.number(),
      method: z.string(),
      path: z.string(),
      body: z.unknown(),
      status: z.number().nullable(),
    }),
  ),
});
export type GraphRequest = z.infer<typeof requestsSchema>["requests"][number];

/** Every Graph call after the n-th, in order. */
export async function graphRequests(simulatorUrl: string, after = 0): Promise<GraphRequest[]> {
  return requestsSchema.parse(await getJson(new URL(`/_sim/requests?after=${after}`, simulatorUrl))).requests;
}

const deliveriesSchema = z.object({
  deliveries: z.array(
    z.looseObject({
      n: z.number(),
      url: z.string(),
      /** The raw text, as it was signed. */
      body: z.string(),
      status: z.number().nullable(),
    }),
  ),
});
export type WebhookDelivery = z.infer<typeof deliveriesSchema>["deliveries"][number];

/** Every webhook sent after the n-th, with its answer. */
export async function webhookDeliveries(simulatorUrl: string, after = 0): Promise<WebhookDelivery[]> {
  return deliveriesSchema.parse(await getJson(new URL(`/_sim/deliveries?after=${after}`, simulatorUrl)))
    .deliveries;
}

async function getJson(url: URL): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}: ${await response.text()}`);
  return await response.json();
}
