import { numberProblem } from "../business/numbers";
import type { Simulation } from "../simulation";
import { webhookConfiguration } from "../webhooks/callbacks";
import type { BusinessNumber, Template, Waba } from "../world";

/** The fields that were asked for, and the id; without a choice, all of them. */
export function pickFields(object: Readonly<Record<string, unknown>>, query: URLSearchParams): object {
  const wanted = query
    .get("fields")
    ?.split(",")
    .map((field) => field.replace(/\{.*$|\..*$/g, "").trim());
  if (wanted === undefined) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => key === "id" || wanted.includes(key)));
}

export function wabaObject(simulation: Simulation, waba: Waba): Readonly<Record<string, unknown>> {
  const { business } = simulation.world;
  return {
    id: waba.id,
    name: waba.name,
    currency: "USD",
    timezone_id: "1",
    message_template_namespace: simulation.ids.digest(`namespace\n${waba.id}`).slice(0, 32),
    account_review_status: "APPROVED",
    business_verification_status: "verified",
    country: "US",
    owner_business_info: { id: business.id, name: business.name },
  };
}

/** A number as the Graph describes it, with where its webhooks go and whether it can send. */
export function numberObject(
  simulation: Simulation,
  number: BusinessNumber,
): Readonly<Record<string, unknown>> {
  const { state } = number;
  const { world, clock } = simulation;
  const problem = numberProblem(number, clock.now());
  const health = problem === null ? "AVAILABLE" : "BLOCKED";
  return {
    id: number.id,
    display_phone_number: number.displayPhoneNumber,
    verified_name: number.verifiedName,
    quality_rating: state.quality,
    code_verification_status: state.codeVerification,
    name_status: state.nameStatus,
    status: state.status,
    platform_type: state.status === "PENDING" ? "NOT_APPLICABLE" : "CLOUD_API",
    throughput: { level: state.throughput },
    account_mode: "LIVE",
    is_official_business_account: false,
    is_pin_enabled: state.pin !== null,
    country_dial_code: number.countryCode,
    whatsapp_business_manager_messaging_limit: state.tier,
    ...(state.username !== null && { username: state.username }),
    webhook_configuration: webhookConfiguration(world, number),
    health_status: {
      can_send_message: health,
      entities: [
        {
          entity_type: "PHONE_NUMBER",
          id: number.id,
          can_send_message: health,
          ...(problem !== null && {
            errors: [
              {
                error_code: problem.code,
                error_description: problem.details ?? problem.message,
                possible_solution: "Register the number, or wait until the restriction ends.",
              },
            ],
          }),
        },
        { entity_type: "WABA", id: number.wabaId, can_send_message: "AVAILABLE" },
        { entity_type: "BUSINESS", id: world.business.id, can_send_message: "AVAILABLE" },
        { entity_type: "APP", id: world.app.id, can_send_message: "AVAILABLE" },
      ],
    },
  };
}

/** Meta's page of a list: `limit` items after the `after` cursor, and where to go on. */
export function page(
  items: readonly Readonly<Record<string, unknown>>[],
  query: URLSearchParams,
  self: string,
): object {
  const limit = Math.min(Math.max(Number.parseInt(query.get("limit") ?? "25", 10) || 25, 1), 1000);
  const start = cursorPosition(query.get("after")) ?? 0;
  const shown = items.slice(start, start + limit);
  if (shown.length === 0) return { data: [] };
  const after = cursor(start + shown.length);
  const next = new URLSearchParams(query);
  next.delete("access_token");
  next.set("after", after);
  return {
    data: shown.map((item) => pickFields(item, query)),
    paging: {
      cursors: { before: cursor(start), after },
      ...(start + limit < items.length && { next: `${self}?${next}` }),
    },
  };
}

function cursor(position: number): string {
  return Buffer.from(`at:${position}`).toString("base64url");
}

function cursorPosition(text: string | null): number | undefined {
  const match = /^at:(\d{1,9})$/.exec(Buffer.from(text ?? "", "base64url").toString("latin1"));
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** `GET /{waba}/message_templates` with Meta's filters. */
export function listTemplates(
  simulation: Simulation,
  waba: Waba,
  query: URLSearchParams,
  self: string,
): object {
  const is = (key: string, value: string) =>
    !query.has(key) || query.get(key)?.toUpperCase() === value.toUpperCase();
  const found = simulation.world.templates.filter(
    (template) =>
      template.wabaId === waba.id &&
      template.status !== "DELETED" &&
      is("status", template.status) &&
      is("category", template.category) &&
      is("language", template.language) &&
      template.name.includes(query.get("name") ?? ""),
  );
  return page(found.map(templateObject), query, self);
}

/** A template as the Graph describes it. */
export function templateObject(template: Template): Readonly<Record<string, unknown>> {
  const { id, name, language, category, status, components } = template;
  return {
    id,
    name,
    language,
    category,
    status,
    components,
    parameter_format: template.parameterFormat,
    quality_score: { score: template.quality },
    rejected_reason: template.rejectedReason,
  };
}
