/** What an app can subscribe to (Meta: "WhatsApp Business Account" in the reference of webhooks). */
export const WEBHOOK_FIELDS = [
  "account_alerts",
  "account_review_update",
  "account_settings_update",
  "account_update",
  "automatic_events",
  "business_capability_update",
  "business_username_updates",
  "calls",
  "consumer_profile",
  "flows",
  "group_lifecycle_update",
  "group_participants_update",
  "group_settings_update",
  "group_status_update",
  "history",
  "message_echoes",
  "message_template_components_update",
  "message_template_quality_update",
  "message_template_status_update",
  "messages",
  "messaging_handovers",
  "partner_solutions",
  "payment_configuration_update",
  "phone_number_name_update",
  "phone_number_quality_update",
  "security",
  "smb_app_state_sync",
  "smb_message_echoes",
  "standby",
  "template_category_update",
  "template_correct_category_detection",
  "tracking_events",
  "user_preferences",
] as const;

/**
 * Fields about conversations of one number. Only these follow the callback of a number or of an account; whatever
 * concerns templates and the account goes to the app's own callback (Meta: "Webhook overrides").
 */
const CONVERSATION_FIELDS: ReadonlySet<string> = new Set([
  "calls",
  "group_lifecycle_update",
  "group_participants_update",
  "group_settings_update",
  "group_status_update",
  "history",
  "message_echoes",
  "messages",
  "messaging_handovers",
  "smb_app_state_sync",
  "smb_message_echoes",
  "standby",
  "user_preferences",
]);

export function followsOverrides(field: string): boolean {
  return CONVERSATION_FIELDS.has(field);
}
