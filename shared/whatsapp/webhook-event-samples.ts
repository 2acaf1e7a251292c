import type { WebhookEvent } from "./webhook-events-types";

const METADATA = { display_phone_number: "15550783881", phone_number_id: "106540352242922" };
const TEMPLATE = {
  message_template_id: 1689556908129832,
  message_template_name: "order_update",
  message_template_language: "en-US",
};
const template = { templateId: "1689556908129832", name: "order_update", language: "en_US" };

/** One row for each field; shapes follow Meta's page of that field ("Webhooks reference"), ids and words are ours. */
export const EVENT_SAMPLES: readonly (readonly [
  field: string,
  value: object,
  event: Partial<WebhookEvent>,
])[] = [
  [
    "message_template_status_update",
    {
      event: "REJECTED",
      ...TEMPLATE,
      reason: "INVALID_FORMAT",
      rejection_info: { reason: "Two places touch." },
    },
    {
      type: "templateStatus",
      status: "REJECTED",
      reason: "INVALID_FORMAT",
      detail: "Two places touch.",
      ...template,
    },
  ],
  [
    "message_template_status_update",
    { event: "APPROVED", ...TEMPLATE, reason: "NONE", message_template_category: "UTILITY" },
    { type: "templateStatus", status: "APPROVED", category: "UTILITY", ...template },
  ],
  [
    "message_template_status_update",
    { event: "DISABLED", ...TEMPLATE, reason: null, disable_info: { disable_date: 1739321024 } },
    { type: "templateStatus", status: "DISABLED", disabledAtMs: 1739321024000 },
  ],
  [
    "message_template_status_update",
    { event: "PAUSED", ...TEMPLATE, other_info: { title: "FIRST_PAUSE", description: "Low quality." } },
    { type: "templateStatus", status: "PAUSED", detail: "Low quality." },
  ],
  [
    // Meta's own sample of the quality update stands under the field of the status.
    "message_template_status_update",
    { previous_quality_score: "GREEN", new_quality_score: "YELLOW", ...TEMPLATE },
    { type: "templateQuality", previous: "GREEN", quality: "YELLOW", ...template },
  ],
  [
    "message_template_quality_update",
    { previous_quality_score: "YELLOW", new_quality_score: "RED", ...TEMPLATE },
    { type: "templateQuality", previous: "YELLOW", quality: "RED" },
  ],
  [
    "message_template_components_update",
    { ...TEMPLATE, message_template_title: "T", message_template_element: "Hi {{1}}" },
    { type: "templateText", body: "Hi {{1}}", ...template },
  ],
  [
    "template_category_update",
    {
      ...TEMPLATE,
      correct_category: "MARKETING",
      new_category: "UTILITY",
      category_update_timestamp: 1746169200,
    },
    { type: "templateCategory", correct: "MARKETING", category: "UTILITY", changesAtMs: 1746169200000 },
  ],
  [
    "template_category_update",
    { ...TEMPLATE, previous_category: "UTILITY", new_category: "MARKETING" },
    { type: "templateCategory", previous: "UTILITY", category: "MARKETING" },
  ],
  [
    "template_correct_category_detection",
    { ...TEMPLATE, category: "UTILITY", correct_category: "MARKETING" },
    { type: "templateCategory", category: "UTILITY", correct: "MARKETING" },
  ],
  [
    "phone_number_quality_update",
    {
      display_phone_number: "15550783881",
      event: "UPGRADE",
      max_daily_conversations_per_business: "TIER_2K",
    },
    { type: "numberQuality", event: "UPGRADE", limit: "TIER_2K" },
  ],
  [
    "phone_number_name_update",
    {
      display_phone_number: "15550783881",
      decision: "APPROVED",
      requested_verified_name: "Lucky Shrub",
      rejection_reason: "NONE",
    },
    { type: "numberName", decision: "APPROVED", requestedName: "Lucky Shrub" },
  ],
  [
    "security",
    { display_phone_number: "15550783881", event: "PIN_CHANGED", requester: "61" },
    { type: "numberPin", event: "PIN_CHANGED", requester: "61" },
  ],
  [
    "business_username_updates",
    { display_phone_number: "1", status: "approved", username: "shrub" },
    { type: "numberUsername", status: "approved", username: "shrub" },
  ],
  [
    "account_update",
    {
      event: "ACCOUNT_RESTRICTION",
      restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING", expiration: 1739321024 }],
    },
    {
      type: "account",
      event: "ACCOUNT_RESTRICTION",
      restrictions: [{ type: "RESTRICTED_BIZ_INITIATED_MESSAGING", expiresAtMs: 1739321024000 }],
    },
  ],
  [
    "account_update",
    { event: "DISABLED_UPDATE", ban_info: { waba_ban_state: "DISABLE" } },
    { type: "account", banState: "DISABLE" },
  ],
  [
    "account_update",
    { event: "PARTNER_REMOVED", waba_info: { waba_id: "5" } },
    { type: "account", accountWabaId: "5" },
  ],
  [
    "account_update",
    { event: "ACCOUNT_VIOLATION", violation_info: { violation_type: "SCAM" } },
    { type: "account", violation: "SCAM" },
  ],
  [
    "account_update",
    { event: "ACCOUNT_OFFBOARDED", disconnection_info: { reason: "INACTIVE" } },
    { type: "account", reason: "INACTIVE" },
  ],
  ["account_review_update", { decision: "APPROVED" }, { type: "account", event: "REVIEW_APPROVED" }],
  [
    "account_alerts",
    {
      entity_type: "PHONE_NUMBER",
      entity_id: 1,
      alert_info: {
        alert_severity: "INFORMATIONAL",
        alert_status: "NONE",
        alert_type: "OBA_APPROVED",
        alert_description: "d",
      },
    },
    {
      type: "alert",
      alert: "OBA_APPROVED",
      severity: "INFORMATIONAL",
      status: "NONE",
      entityType: "PHONE_NUMBER",
      entityId: "1",
      text: "d",
    },
  ],
  [
    "business_capability_update",
    { max_daily_conversations_per_business: 2000, max_phone_numbers_per_business: 25 },
    { type: "capability", conversationsPerDayMax: 2000, numbersMax: 25 },
  ],
  [
    "business_capability_update",
    { max_daily_conversation_per_phone: "250", max_phone_numbers_per_waba: 2 },
    { type: "capability", conversationsPerDayMax: 250, numbersMax: 2 },
  ],
  [
    "user_preferences",
    {
      metadata: METADATA,
      contacts: [{ profile: { name: "Sheena" }, wa_id: "16505551234", user_id: "US.1" }],
      user_preferences: [
        {
          wa_id: "16505551234",
          detail: "stop",
          category: "marketing_messages",
          value: "stop",
          timestamp: 1731705721,
        },
      ],
    },
    {
      type: "preference",
      value: "stop",
      category: "marketing_messages",
      atMs: 1731705721000,
      customer: { waId: "16505551234", userId: "US.1", name: "Sheena" },
    },
  ],
  [
    "user_id_update",
    {
      metadata: METADATA,
      user_id_update: [
        { wa_id: "16505551234", user_id: { previous: "US.1", current: "US.2" }, timestamp: "1731705721" },
      ],
    },
    {
      type: "customerId",
      previousUserId: "US.1",
      userId: "US.2",
      customer: { waId: "16505551234", userId: "US.2" },
    },
  ],
  [
    "smb_app_state_sync",
    {
      metadata: METADATA,
      state_sync: [
        {
          type: "contact",
          contact: { full_name: "Ana B", first_name: "Ana", phone_number: "+16505551234" },
          action: "add",
          metadata: { timestamp: "1731705721" },
        },
      ],
    },
    {
      type: "addressBook",
      action: "add",
      firstName: "Ana",
      customer: { name: "Ana B", waId: "16505551234" },
    },
  ],
  [
    "calls",
    {
      metadata: METADATA,
      calls: [
        {
          id: "wacid.1",
          from: "16505551234",
          to: "15550783881",
          event: "terminate",
          direction: "USER_INITIATED",
          status: "COMPLETED",
          start_time: "1731705721",
          duration: 7,
        },
      ],
    },
    {
      type: "call",
      callId: "wacid.1",
      event: "terminate",
      fromCustomer: true,
      status: "COMPLETED",
      durationSeconds: 7,
      customer: { waId: "16505551234" },
    },
  ],
  [
    "calls",
    {
      metadata: METADATA,
      calls: [
        {
          id: "wacid.2",
          from: "15550783881",
          to: "16505551234",
          event: "connect",
          direction: "BUSINESS_INITIATED",
        },
      ],
    },
    { type: "call", fromCustomer: false, customer: { waId: "16505551234" } },
  ],
  [
    "calls",
    {
      metadata: METADATA,
      statuses: [{ id: "wacid.2", type: "call", status: "RINGING", recipient_id: "16505551234" }],
    },
    { type: "call", event: "status", status: "RINGING", fromCustomer: false },
  ],
  [
    "group_participants_update",
    {
      metadata: METADATA,
      groups: [
        {
          timestamp: 1731705721,
          group_id: "G1",
          type: "group_participants_add",
          added_participants: [{ wa_id: "16505551234" }, { input: "+5511" }],
        },
      ],
    },
    {
      type: "group",
      event: "group_participants_add",
      groupId: "G1",
      participants: [{ waId: "16505551234" }, { waId: "5511" }],
    },
  ],
  [
    "group_lifecycle_update",
    { groups: [{ group_id: "G1", type: "group_create", errors: [{ code: 131207 }] }] },
    { type: "group", event: "group_create", errors: [{ code: 131207 }] },
  ],
  [
    "group_settings_update",
    { groups: [{ group_id: "G1", type: "group_settings_update" }] },
    { type: "group", event: "group_settings_update" },
  ],
  [
    "group_status_update",
    { groups: [{ group_id: "G1", type: "group_suspend" }] },
    { type: "group", event: "group_suspend" },
  ],
  [
    "messaging_handovers",
    {
      sender: { phone_number: "+16505551234" },
      recipient: { phone_number_id: "106540352242922" },
      type: "control_passed",
      timestamp: 1731705721,
      control_passed: {
        previous_owner_role: "ai_agent",
        new_owner_role: "customer_service",
        conversation_context: { type: "summary", summary: { text: "Wants a refund" } },
      },
    },
    {
      type: "handover",
      event: "control_passed",
      previousOwner: "ai_agent",
      newOwner: "customer_service",
      summary: "Wants a refund",
    },
  ],
  [
    "history",
    { metadata: METADATA, history: [{ errors: [{ code: 2593109, title: "History sharing is off" }] }] },
    { type: "historyRefused", errors: [{ code: 2593109, title: "History sharing is off" }] },
  ],
  [
    "flows",
    { event: "FLOW_STATUS_CHANGE", message: "m", flow_id: "6" },
    { type: "flow", event: "FLOW_STATUS_CHANGE", flowId: "6", text: "m" },
  ],
  [
    "automatic_events",
    { automatic_events: [{ id: "wamid.1", event_name: "LeadSubmitted", timestamp: 1731705721 }] },
    { type: "conversion", event: "LeadSubmitted", atMs: 1731705721000 },
  ],
  ["account_settings_update", { x: 1 }, { type: "setting", what: "account_settings" }],
  ["payment_configuration_update", { x: 1 }, { type: "setting", what: "payment_configuration" }],
  ["partner_solutions", { x: 1 }, { type: "setting", what: "partner_solutions" }],
];
