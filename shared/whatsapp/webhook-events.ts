import { defined } from "../defined";
import { metaTimestampMs } from "../time";
import {
  asObject,
  get,
  getArray,
  getId,
  getNumber,
  getObject,
  getText,
  getWord,
  type JsonObject,
} from "./json";
import {
  readAddressBook,
  readCalls,
  readCustomerId,
  readGroups,
  readHandover,
  readPreference,
} from "./webhook-customer-events";
import { type EventReader, listOf, PARTS_MAX, whenWord } from "./webhook-event-parts";
import type { TemplateRef, WebhookEvent } from "./webhook-events-types";

/**
 * The fields of `whatsapp.md` B6 (Meta: "Webhooks reference"), except those that carry messages. A null prototype, so
 * that a field called `constructor` finds nothing.
 */
export const EVENT_READERS: Readonly<Record<string, EventReader>> = Object.assign(Object.create(null), {
  message_template_status_update: readTemplateStatus,
  message_template_quality_update: readTemplateQuality,
  message_template_components_update: (value) => [
    {
      type: "templateText",
      ...templateRef(value),
      ...defined({ body: getText(value, "message_template_element") }),
    },
  ],
  template_category_update: readTemplateCategory,
  template_correct_category_detection: readTemplateCategory,
  phone_number_quality_update: (value) =>
    whenWord(value, "event", (event) => ({
      type: "numberQuality",
      event,
      ...defined({
        limit: getWord(value, "max_daily_conversations_per_business") ?? getWord(value, "current_limit"),
      }),
    })),
  phone_number_name_update: (value) =>
    whenWord(value, "decision", (decision) => ({
      type: "numberName",
      decision,
      ...defined({
        requestedName: getWord(value, "requested_verified_name"),
        reason: saidReason(getWord(value, "rejection_reason")),
      }),
    })),
  security: (value) =>
    whenWord(value, "event", (event) => ({
      type: "numberPin",
      event,
      ...defined({ requester: getWord(value, "requester") }),
    })),
  business_username_updates: (value) =>
    whenWord(value, "status", (status) => ({
      type: "numberUsername",
      status,
      ...defined({ username: getWord(value, "username") }),
    })),
  account_update: readAccount,
  account_review_update: (value) =>
    whenWord(value, "decision", (decision) => ({
      type: "account",
      event: `REVIEW_${decision}`,
      restrictions: [],
    })),
  account_alerts: readAlert,
  business_capability_update: (value) => [
    {
      type: "capability",
      ...defined({
        conversationsPerDayMax:
          getNumber(value, "max_daily_conversations_per_business") ??
          getNumber(value, "max_daily_conversation_per_phone"),
        numbersMax:
          getNumber(value, "max_phone_numbers_per_business") ??
          getNumber(value, "max_phone_numbers_per_waba"),
      }),
    },
  ],
  user_preferences: (value, people) =>
    listOf(value, "user_preferences", (entry) => readPreference(entry, people)),
  user_id_update: (value, people) =>
    listOf(value, "user_id_update", (entry) => readCustomerId(entry, people)),
  smb_app_state_sync: (value) => listOf(value, "state_sync", readAddressBook),
  calls: readCalls,
  group_lifecycle_update: readGroups,
  group_participants_update: readGroups,
  group_settings_update: readGroups,
  group_status_update: readGroups,
  messaging_handovers: readHandover,
  flows: (value) =>
    whenWord(value, "event", (event) => ({
      type: "flow",
      event,
      ...defined({ flowId: getId(value, "flow_id"), text: getWord(value, "message") }),
    })),
  automatic_events: (value) =>
    listOf(value, "automatic_events", (entry) => ({
      type: "conversion",
      event: getWord(entry, "event_name") ?? "unknown",
      ...defined({ id: getId(entry, "id"), atMs: metaTimestampMs(get(entry, "timestamp")) }),
    })),
  account_settings_update: () => [{ type: "setting", what: "account_settings" }],
  payment_configuration_update: () => [{ type: "setting", what: "payment_configuration" }],
  partner_solutions: () => [{ type: "setting", what: "partner_solutions" }],
} satisfies Record<string, EventReader>);

function templateRef(value: JsonObject): TemplateRef {
  return defined({
    templateId: getId(value, "message_template_id"),
    name: getWord(value, "message_template_name"),
    language: getWord(value, "message_template_language")?.replace("-", "_"),
  });
}

/** Meta writes `NONE` where there is nothing to say. */
function saidReason(word: string | undefined): string | undefined {
  return word === "NONE" ? undefined : word;
}

function readTemplateStatus(value: JsonObject): readonly WebhookEvent[] {
  const status = getWord(value, "event");
  if (status === undefined) return readTemplateQuality(value);
  const rejection = getObject(value, "rejection_info");
  const other = getObject(value, "other_info");
  return [
    {
      type: "templateStatus",
      status,
      ...templateRef(value),
      ...defined({
        reason: saidReason(getWord(value, "reason")),
        category: getWord(value, "message_template_category"),
        pause: status.toUpperCase() === "PAUSED" ? getWord(other, "title") : undefined,
        detail: getWord(rejection, "reason") ?? getWord(other, "description") ?? getWord(other, "title"),
        disabledAtMs: metaTimestampMs(get(getObject(value, "disable_info"), "disable_date")),
      }),
    },
  ];
}

function readTemplateQuality(value: JsonObject): readonly WebhookEvent[] {
  return whenWord(value, "new_quality_score", (quality) => ({
    type: "templateQuality",
    quality,
    ...templateRef(value),
    ...defined({ previous: getWord(value, "previous_quality_score") }),
  }));
}

function readTemplateCategory(value: JsonObject): readonly WebhookEvent[] {
  const correct = getWord(value, "correct_category");
  // An impending change names the old one as `new_category` and the right one beside it.
  const category = getWord(value, "new_category") ?? getWord(value, "category");
  if (correct === undefined && category === undefined) return [];
  return [
    {
      type: "templateCategory",
      ...templateRef(value),
      ...defined({
        previous: getWord(value, "previous_category"),
        category,
        correct,
        changesAtMs: metaTimestampMs(get(value, "category_update_timestamp")),
      }),
    },
  ];
}

function readAccount(value: JsonObject): readonly WebhookEvent[] {
  return whenWord(value, "event", (event) => ({
    type: "account",
    event,
    restrictions: (getArray(value, "restriction_info") ?? []).slice(0, PARTS_MAX).flatMap((entry) => {
      const type = getWord(asObject(entry), "restriction_type");
      const expiresAtMs = metaTimestampMs(get(asObject(entry), "expiration"));
      return type === undefined ? [] : [{ type, ...defined({ expiresAtMs }) }];
    }),
    ...defined({
      accountWabaId: getId(getObject(value, "waba_info"), "waba_id"),
      violation: getWord(getObject(value, "violation_info"), "violation_type"),
      banState: getWord(getObject(value, "ban_info"), "waba_ban_state"),
      reason: getWord(getObject(value, "disconnection_info"), "reason"),
    }),
  }));
}

function readAlert(value: JsonObject): readonly WebhookEvent[] {
  const info = getObject(value, "alert_info") ?? value;
  return whenWord(info, "alert_type", (alert) => ({
    type: "alert",
    alert,
    ...defined({
      severity: getWord(info, "alert_severity"),
      status: getWord(info, "alert_status"),
      text: getWord(info, "alert_description"),
      entityType: getWord(value, "entity_type"),
      entityId: getId(value, "entity_id"),
    }),
  }));
}
