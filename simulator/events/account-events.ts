import { z } from "zod";
import type { Template, World } from "../world";
import { type EventKind, eventKind } from "./kind";

const word = z.string().min(1);
const category = z.enum(["MARKETING", "UTILITY", "AUTHENTICATION"]);
const tier = z.enum(["TIER_250", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"]);

const ACCOUNT_EVENTS = [
  "ACCOUNT_DELETED",
  "ACCOUNT_OFFBOARDED",
  "ACCOUNT_RECONNECTED",
  "ACCOUNT_RESTRICTION",
  "ACCOUNT_VIOLATION",
  "AD_ACCOUNT_LINKED",
  "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
  "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
  "DISABLED_UPDATE",
  "MM_LITE_TERMS_SIGNED",
  "PARTNER_ADDED",
  "PARTNER_APP_INSTALLED",
  "PARTNER_APP_UNINSTALLED",
  "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
  "PARTNER_REMOVED",
  "VOLUME_BASED_PRICING_TIER_UPDATE",
] as const;

/** What happens to the account, its numbers and its templates (Meta: reference of webhooks, one page per field). */
export const ACCOUNT_KINDS: Readonly<Record<string, EventKind>> = {
  account_update: eventKind(
    {
      event: z.enum(ACCOUNT_EVENTS),
      country: word.optional(),
      violation_info: z.strictObject({ violation_type: word }).optional(),
      restriction_info: z
        .array(z.strictObject({ restriction_type: word, expiration: z.union([z.int(), word]).optional() }))
        .min(1)
        .optional(),
      ban_info: z
        .strictObject({
          waba_ban_state: z.enum(["SCHEDULE_FOR_DISABLE", "DISABLE", "REINSTATE"]),
          waba_ban_date: word,
        })
        .optional(),
      disconnection_info: z.strictObject({ reason: word, initiated_by: word.optional() }).optional(),
    },
    (input, { simulation, number, waba }) => ({
      ...input,
      ...(input.event.startsWith("PARTNER_") && {
        waba_info: { waba_id: waba.id, owner_business_id: simulation.world.business.id },
      }),
      ...(PHONE_EVENTS.has(input.event) && { phone_number: number.digits }),
    }),
  ),
  account_alerts: eventKind(
    {
      entity_type: z.enum(["PHONE_NUMBER", "WABA", "BUSINESS"]).default("WABA"),
      alert_severity: z.enum(["INFORMATIONAL", "WARNING", "CRITICAL"]).default("INFORMATIONAL"),
      alert_status: z.enum(["NONE", "ACTIVE"]).default("ACTIVE"),
      alert_type: word,
      alert_description: word,
    },
    ({ entity_type, ...alert_info }, { simulation, number, waba }) => ({
      entity_type,
      entity_id: { PHONE_NUMBER: number.id, WABA: waba.id, BUSINESS: simulation.world.business.id }[
        entity_type
      ],
      alert_info,
    }),
  ),
  account_review_update: eventKind(
    { decision: z.enum(["APPROVED", "REJECTED", "PENDING", "DEFERRED"]) },
    (input) => input,
  ),
  business_capability_update: eventKind(
    {
      max_daily_conversations_per_business: z.union([z.int(), tier]),
      max_phone_numbers_per_business: z.int().min(1).default(25),
    },
    (input) => input,
  ),
  security: eventKind(
    {
      event: z.enum(["PIN_CHANGED", "PIN_RESET_REQUEST", "PIN_REQUEST_SUCCESS"]),
      requester: word.default("10154321987654321"),
    },
    (input, { number }) => ({ display_phone_number: number.digits, ...input }),
  ),
  phone_number_quality_update: eventKind(
    {
      event: z.enum(["ONBOARDING", "THROUGHPUT_UPGRADE", "FLAGGED", "UNFLAGGED", "UPGRADE", "DOWNGRADE"]),
      max_daily_conversations_per_business: tier.default("TIER_2K"),
    },
    (input, { number }) => ({ display_phone_number: number.digits, ...input }),
  ),
  phone_number_name_update: eventKind(
    {
      decision: z.enum(["APPROVED", "DEFERRED", "PENDING", "REJECTED"]),
      requested_verified_name: word.optional(),
      rejection_reason: word.nullable().default("NONE"),
    },
    ({ decision, requested_verified_name, rejection_reason }, { number }) => ({
      display_phone_number: number.digits,
      decision,
      requested_verified_name: requested_verified_name ?? number.verifiedName,
      rejection_reason,
    }),
  ),
  business_username_updates: eventKind(
    { username: word.optional(), status: z.enum(["approved", "reserved", "deleted"]) },
    (input, { number }) => ({ display_phone_number: number.digits, ...input }),
  ),
  message_template_components_update: eventKind({ template: word }, ({ template }, { simulation }) => {
    const found = templateNamed(simulation.world, template);
    const bodyOf = (type: string) =>
      found?.components.find((component) => component["type"] === type)?.["text"];
    return {
      ...templateRef(found, template),
      ...(bodyOf("HEADER") !== undefined && { message_template_title: bodyOf("HEADER") }),
      message_template_element: bodyOf("BODY") ?? "",
      ...(bodyOf("FOOTER") !== undefined && { message_template_footer: bodyOf("FOOTER") }),
    };
  }),
  template_correct_category_detection: eventKind(
    { template: word, category, correct_category: category },
    ({ template, ...categories }, { simulation }) => ({
      ...templateRef(templateNamed(simulation.world, template), template),
      ...categories,
    }),
  ),
};

/** Events of `account_update` that are about one number. */
const PHONE_EVENTS: ReadonlySet<string> = new Set(["ACCOUNT_RECONNECTED", "ACCOUNT_OFFBOARDED"]);

function templateNamed(world: World, which: string): Template | undefined {
  return world.templates.find(({ name, id }) => name === which || id === which);
}

/** How webhooks name a template; one that the world does not have is named as it was asked for. */
function templateRef(template: Template | undefined, name: string): object {
  return {
    message_template_id: Number(template?.id ?? 0),
    message_template_name: template?.name ?? name,
    message_template_language: template?.language ?? "en_US",
  };
}
