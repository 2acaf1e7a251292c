import type { z } from "zod";
import { happenToTemplate, rateTemplate, recategorize } from "../business/templates";
import { json, type Reply } from "../http";
import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import { problem, summary } from "./answers";
import type { templateBody, tokenBody } from "./schemas";

/** `POST /_sim/templates`: events, quality and category of a template, each told by its webhook. */
export async function changeTemplateState(
  simulation: Simulation,
  change: z.infer<typeof templateBody>,
): Promise<Reply> {
  const { template: which, language, event, reason, quality, category } = change;
  const template = simulation.world.templates.find(
    ({ id, name, language: own }) => id === which || (name === which && (language ?? own) === own),
  );
  if (template === undefined) return problem(404, "template", "There is no such template.");
  const deliveries: DeliveryEntry[] = [];
  if (event !== undefined) {
    const told = await happenToTemplate(simulation, template, event, reason);
    if (told === null) return problem(409, "event", `A template that is ${template.status} can't ${event}.`);
    deliveries.push(...told);
  }
  if (quality !== undefined) deliveries.push(...(await rateTemplate(simulation, template, quality)));
  if (category !== undefined) deliveries.push(...(await recategorize(simulation, template, category)));
  return json(200, { template, deliveries: deliveries.map(summary) });
}

/** `POST /_sim/tokens`: a token ends, is revoked, or loses a scope or an account. */
export function changeTokenState(simulation: Simulation, change: z.infer<typeof tokenBody>): Reply {
  const token = simulation.world.tokens.get(change.token);
  if (token === undefined) return problem(404, "token", "There is no such token.");
  token.state = change.state ?? token.state;
  token.scopes = change.scopes ?? token.scopes;
  token.wabaIds = change.wabaIds ?? token.wabaIds;
  if (change.expiresInMs !== undefined) {
    token.expiresAt = change.expiresInMs === null ? null : simulation.clock.now() + change.expiresInMs;
  }
  simulation.journal.emit({ type: "state" });
  return json(200, token);
}
