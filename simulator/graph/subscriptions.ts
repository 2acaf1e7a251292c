import { get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import { WEBHOOK_FIELDS } from "../webhooks/fields";
import type { BusinessNumber, Subscription, Waba } from "../world";
import { invalidParameter, missing } from "./graph-error";
import type { GraphResult } from "./send-message";

type Failure = Extract<GraphResult, { failure: unknown }>;

/** `GET`, `POST` and `DELETE /{waba}/subscribed_apps`. A callback of its own must answer the handshake at once. */
export async function subscribedApps(
  simulation: Simulation,
  waba: Waba,
  method: string,
  body: JsonObject,
): Promise<GraphResult> {
  const { app } = simulation.world;
  if (method === "GET") {
    const data = {
      whatsapp_business_api_data: { id: app.id, name: app.name, link: "https://example.com/app" },
    };
    const override = waba.override === null ? {} : { override_callback_uri: waba.override.url };
    return { ok: { data: waba.subscribed ? [{ ...data, ...override }] : [] } };
  }
  if (method === "DELETE") {
    waba.subscribed = false;
    waba.override = null;
  } else {
    const override = await readCallback(simulation, body, OVERRIDE_KEY);
    if (override !== null && "failure" in override) return override;
    waba.subscribed = true;
    waba.override = override?.ok ?? null;
  }
  return changed(simulation);
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
): Promise<GraphResult> {
  const { world } = simulation;
  const { subscription } = world;
  if (method === "GET") {
    if (subscription === null) return { ok: { data: [] } };
    const fields = subscription.fields.map((name) => ({ name, version: "v25.0" }));
    return { ok: { data: [{ object: OBJECT, callback_url: subscription.url, active: true, fields }] } };
  }
  const fields = readFields(body);
  if (fields !== null && "failure" in fields) return fields;
  if (method === "DELETE") {
    const left = subscription?.fields.filter((name) => fields !== null && !fields.ok.includes(name)) ?? [];
    world.subscription =
      subscription === null || left.length === 0 ? null : { ...subscription, fields: left };
    return changed(simulation);
  }
  if (getText(body, "object") !== OBJECT)
    return { failure: invalidParameter(`Param object must be ${OBJECT}.`) };
  const callback = await readCallback(simulation, body, "callback_url");
  if (callback === null) return { failure: missing("callback_url") };
  if ("failure" in callback) return callback;
  // Without a list of its own, a new callback takes over the fields of the one before.
  const wanted = fields?.ok ?? subscription?.fields ?? WEBHOOK_FIELDS;
  world.subscription = { ...callback.ok, fields: wanted };
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
  const subscription = { url, verifyToken: getText(body, "verify_token") ?? "", verified: false };
  const problem = await simulation.sender.handshake(subscription);
  if (problem === null) return { ok: subscription };
  return {
    failure: { status: 400, code: 2200, message: `(#2200) Callback verification failed: ${problem}` },
  };
}
