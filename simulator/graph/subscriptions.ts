import { get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import { WEBHOOK_FIELDS } from "../webhooks/fields";
import type { BusinessNumber, OtherApp, Subscription, Waba } from "../world";
import { invalidParameter, missing } from "./graph-error";
import type { GraphResult } from "./send-message";

type Failure = Extract<GraphResult, { failure: unknown }>;

/** `GET`, `POST` and `DELETE /{waba}/subscribed_apps`. A callback of its own must answer the handshake at once. */
export async function subscribedApps(
  simulation: Simulation,
  waba: Waba,
  method: string,
  body: JsonObject,
  caller: OtherApp | null,
): Promise<GraphResult> {
  if (method === "GET") return { ok: { data: listeners(simulation, waba) } };
  if (method === "DELETE") {
    if (caller !== null) caller.wabas.delete(waba.id);
    else Object.assign(waba, { subscribed: false, override: null });
    return changed(simulation);
  }
  const override = await readCallback(simulation, body, OVERRIDE_KEY, caller?.secret);
  if (override !== null && "failure" in override) return override;
  if (caller !== null) caller.wabas.set(waba.id, override?.ok ?? null);
  else Object.assign(waba, { subscribed: true, override: override?.ok ?? null });
  return changed(simulation);
}

/** The apps that listen to an account, as the Graph lists them. */
function listeners({ world }: Simulation, waba: Waba): object[] {
  const first = waba.subscribed ? [{ ...world.app, override: waba.override }] : [];
  const others = world.otherApps.flatMap(({ id, name, wabas }) => {
    const override = wabas.get(waba.id);
    return override === undefined ? [] : [{ id, name, override }];
  });
  return [...first, ...others].map(({ id, name, override }) => ({
    whatsapp_business_api_data: { id, name, link: "https://example.com/app" },
    ...(override !== null && { override_callback_uri: override.url }),
  }));
}

/** `POST /{phone-number-id}` with `webhook_configuration`: the number's own callback; an empty one removes it. */
export async function configureNumberWebhook(
  simulation: Simulation,
  number: BusinessNumber,
  body: JsonObject,
): Promise<GraphResult> {
  const configuration = getObject(body, "webhook_configuration");
  if (configuration === undefined || typeof get(configuration, OVERRIDE_KEY) !== "string") {
    return { failure: missing(`webhook_configuration['${OVERRIDE_KEY}']`) };
  }
  const override = await readCallback(simulation, configuration, OVERRIDE_KEY);
  if (override !== null && "failure" in override) return override;
  number.override = override?.ok ?? null;
  return changed(simulation);
}

/** `GET`, `POST` and `DELETE /{app-id}/subscriptions`: the callback of the app, and the fields that it asks for. */
export async function appSubscriptions(
  simulation: Simulation,
  method: string,
  body: JsonObject,
  other: OtherApp | null,
): Promise<GraphResult> {
  const app = other ?? simulation.world;
  const { subscription } = app;
  if (method === "GET") {
    if (subscription === null) return { ok: { data: [] } };
    const fields = subscription.fields.map((name) => ({ name, version: "v25.0" }));
    return { ok: { data: [{ object: OBJECT, callback_url: subscription.url, active: true, fields }] } };
  }
  const fields = readFields(body);
  if (fields !== null && "failure" in fields) return fields;
  if (method === "DELETE") {
    const left = subscription?.fields.filter((name) => fields !== null && !fields.ok.includes(name)) ?? [];
    app.subscription = subscription === null || left.length === 0 ? null : { ...subscription, fields: left };
    return changed(simulation);
  }
  if (getText(body, "object") !== OBJECT)
    return { failure: invalidParameter(`Param object must be ${OBJECT}.`) };
  const callback = await readCallback(simulation, body, "callback_url", other?.secret);
  if (callback === null) return { failure: missing("callback_url") };
  if ("failure" in callback) return callback;
  // Without a list of its own, a new callback takes over the fields of the one before.
  const wanted = fields?.ok ?? subscription?.fields ?? WEBHOOK_FIELDS;
  app.subscription = { ...callback.ok, fields: wanted };
  return changed(simulation);
}

const OBJECT = "whatsapp_business_account";
const OVERRIDE_KEY = "override_callback_uri";
/** Meta: longest address of an override. */
const OVERRIDE_CHARACTERS_MAX = 200;

function changed(simulation: Simulation): GraphResult {
  simulation.journal.emit({ type: "state" });
  return { ok: { success: true } };
}

/** `fields` as a list or, as in forms, with commas; null when it is absent. */
function readFields(body: JsonObject): { ok: readonly string[] } | Failure | null {
  const list = getArray(body, "fields") ?? getText(body, "fields")?.split(",");
  if (list === undefined) return null;
  const names = list.map((name) => String(name).trim());
  const known: readonly string[] = WEBHOOK_FIELDS;
  const unknown = names.findIndex((name) => !known.includes(name));
  if (unknown !== -1) {
    return {
      failure: invalidParameter(
        `Param fields[${unknown}] must be one of {${WEBHOOK_FIELDS.join(", ")}} - got "${names[unknown]?.slice(0, 80)}".`,
      ),
    };
  }
  return { ok: [...new Set(names)] };
}

async function readCallback(
  simulation: Simulation,
  body: JsonObject,
  key: string,
  secret?: string,
): Promise<{ ok: Subscription } | Failure | null> {
  const url = getText(body, key);
  if (url === undefined || url === "") return null;
  if (get(body, "verify_token") === undefined) return { failure: missing("verify_token") };
  if (key === OVERRIDE_KEY && url.length > OVERRIDE_CHARACTERS_MAX) {
    return {
      failure: invalidParameter(`Param ${key} must be at most ${OVERRIDE_CHARACTERS_MAX} characters long.`),
    };
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return { failure: invalidParameter(`Param ${key} must be an http or https address.`) };
  }
  const subscription = {
    url,
    verifyToken: getText(body, "verify_token") ?? "",
    verified: false,
    ...(secret !== undefined && { secret }),
  };
  const problem = await simulation.sender.handshake(subscription);
  if (problem === null) return { ok: subscription };
  return {
    failure: { status: 400, code: 2200, message: `(#2200) Callback verification failed: ${problem}` },
  };
}
