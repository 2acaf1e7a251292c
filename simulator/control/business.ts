import type { z } from "zod";
import { happenToTemplate, rateTemplate, recategorize } from "../business/templates";
import { json, type Reply } from "../http";
import type { DeliveryEntry } from "../journal";
import { SCOPES } from "../login/scopes";
import { issueToken } from "../login/tokens";
import { addWaba } from "../profiles";
import type { Simulation } from "../simulation";
import { WEBHOOK_FIELDS } from "../webhooks/fields";
import type { OtherApp } from "../world";
import { problem, summary } from "./answers";
import type { appBody, templateBody, tokenBody, wabaBody } from "./schemas";

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

/** Apps beside the first one. */
const APPS_MAX = 20;
/** Accounts of the business. */
const WABAS_MAX = 100;

/** `POST /_sim/wabas`: the business opens another account. */
export function createWaba(simulation: Simulation, { name }: z.infer<typeof wabaBody>): Reply {
  if (simulation.world.wabas.length >= WABAS_MAX) return problem(409, "name", "There are too many accounts.");
  const waba = addWaba(simulation, name);
  simulation.journal.emit({ type: "state" });
  return json(200, { id: waba.id, name: waba.name });
}

/** `POST /_sim/apps`: another app with a secret and a token of its own, which listens to the accounts named. */
export async function createApp(simulation: Simulation, given: z.infer<typeof appBody>): Promise<Reply> {
  const { world, ids, sender } = simulation;
  if (world.otherApps.length >= APPS_MAX) return problem(409, "name", "There are too many apps.");
  const wabaIds = given.wabaIds ?? world.wabas.map(({ id }) => id);
  const known = new Set(world.wabas.map(({ id }) => id));
  const unknown = wabaIds.findIndex((wanted) => !known.has(wanted));
  if (unknown !== -1) return problem(404, `wabaIds.${unknown}`, "There is no account with this id.");
  const secret = given.secret ?? ids.secret("app-secret");
  const callback =
    given.callbackUrl === undefined
      ? null
      : {
          url: given.callbackUrl,
          verifyToken: given.verifyToken,
          verified: false,
          secret,
          fields: given.fields ?? WEBHOOK_FIELDS,
        };
  const refused = callback === null ? null : await sender.handshake(callback);
  if (refused !== null) return problem(409, "callbackUrl", refused);
  const app: OtherApp = {
    id: ids.digits("app", 15),
    name: given.name,
    secret,
    subscription: callback,
    wabas: new Map(callback === null ? [] : wabaIds.map((id) => [id, null])),
  };
  world.otherApps.push(app);
  const { token } = issueToken(simulation, {
    type: "SYSTEM_USER",
    appId: app.id,
    userId: ids.digits("system-user", 17),
    scopes: SCOPES,
    wabaIds,
    livesMs: null,
  });
  return json(200, { id: app.id, name: app.name, secret, accessToken: token, wabaIds });
}
