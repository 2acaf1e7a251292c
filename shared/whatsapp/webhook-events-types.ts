import type { Party, WebhookError } from "./webhook-types";

/** Which template an event is about. Meta writes languages with `_` or `-`; here it is always `_`. */
export interface TemplateRef {
  readonly templateId?: string;
  readonly name?: string;
  readonly language?: string;
}

/**
 * What Meta tells beside messages and statuses. Words such as `status` or `decision` are Meta's own: a new one is
 * data, not a mistake. One type for each thing that a reader does; several of Meta's fields may end in one type.
 */
export type WebhookEvent =
  /** `message_template_status_update` */
  | ({
      readonly type: "templateStatus";
      readonly status: string;
      readonly reason?: string;
      readonly category?: string;
      /** What Meta says about a rejection or a pause, for people. */
      readonly detail?: string;
      /** Meta's word for which pause it is: `FIRST_PAUSE`, `SECOND_PAUSE`, ... */
      readonly pause?: string;
      readonly disabledAtMs?: number;
    } & TemplateRef)
  /** `message_template_quality_update`, which Meta's own sample sends under the field of the status. */
  | ({ readonly type: "templateQuality"; readonly previous?: string; readonly quality: string } & TemplateRef)
  /** `template_category_update` and `template_correct_category_detection`. */
  | ({
      readonly type: "templateCategory";
      readonly previous?: string;
      readonly category?: string;
      /** The category that Meta finds right; in force from `changesAtMs`, where that is given. */
      readonly correct?: string;
      readonly changesAtMs?: number;
    } & TemplateRef)
  /** `message_template_components_update`: the text changed. */
  | ({ readonly type: "templateText"; readonly body?: string } & TemplateRef)
  /** `phone_number_quality_update` */
  | { readonly type: "numberQuality"; readonly event: string; readonly limit?: string }
  /** `phone_number_name_update` */
  | {
      readonly type: "numberName";
      readonly decision: string;
      readonly requestedName?: string;
      readonly reason?: string;
    }
  /** `security`: two-step verification. */
  | { readonly type: "numberPin"; readonly event: string; readonly requester?: string }
  /** `business_username_updates` */
  | { readonly type: "numberUsername"; readonly status: string; readonly username?: string }
  /** `account_update` and `account_review_update`. */
  | {
      readonly type: "account";
      readonly event: string;
      /** The account that it is about: for partner events the entry names the partner's portfolio instead. */
      readonly accountWabaId?: string;
      readonly violation?: string;
      readonly restrictions: readonly { readonly type: string; readonly expiresAtMs?: number }[];
      readonly banState?: string;
      readonly reason?: string;
    }
  /** `account_alerts` */
  | {
      readonly type: "alert";
      readonly severity?: string;
      readonly alert: string;
      readonly status?: string;
      readonly entityType?: string;
      readonly entityId?: string;
      readonly text?: string;
    }
  /** `business_capability_update` */
  | { readonly type: "capability"; readonly conversationsPerDayMax?: number; readonly numbersMax?: number }
  /** `user_preferences`: the customer wants marketing messages, or no longer. A legal signal. */
  | {
      readonly type: "preference";
      readonly customer: Party;
      readonly category?: string;
      readonly value: string;
      readonly atMs?: number;
      readonly detail?: string;
    }
  /** `user_id_update`: the same person has a new business-scoped id. */
  | {
      readonly type: "customerId";
      readonly customer: Party;
      readonly previousUserId?: string;
      readonly userId?: string;
      readonly atMs?: number;
    }
  /** `smb_app_state_sync`: the address book of the phone app. */
  | {
      readonly type: "addressBook";
      readonly action: string;
      readonly customer: Party;
      readonly firstName?: string;
      readonly atMs?: number;
    }
  /** `calls`; a call by the customer opens the window. */
  | {
      readonly type: "call";
      readonly callId?: string;
      readonly event: string;
      readonly fromCustomer?: boolean;
      readonly customer: Party;
      readonly status?: string;
      readonly atMs?: number;
      readonly durationSeconds?: number;
    }
  /** `group_lifecycle_update`, `group_participants_update`, `group_settings_update`, `group_status_update`. */
  | {
      readonly type: "group";
      readonly event: string;
      readonly groupId?: string;
      readonly atMs?: number;
      readonly participants: readonly Party[];
      readonly errors: readonly WebhookError[];
    }
  /** `messaging_handovers`: another app, or this one, answers from now on. */
  | {
      readonly type: "handover";
      readonly event: string;
      readonly customer: Party;
      readonly atMs?: number;
      readonly previousOwner?: string;
      readonly newOwner?: string;
      readonly summary?: string;
    }
  /** `history` that the owner of the phone app did not want to share, or that failed. */
  | { readonly type: "historyRefused"; readonly errors: readonly WebhookError[] }
  /** `flows` */
  | { readonly type: "flow"; readonly event: string; readonly flowId?: string; readonly text?: string }
  /** `automatic_events`: a lead or a purchase that Meta found in the conversation. */
  | { readonly type: "conversion"; readonly event: string; readonly id?: string; readonly atMs?: number }
  /** `account_settings_update`, `payment_configuration_update`, `partner_solutions`: told, not acted upon. */
  | { readonly type: "setting"; readonly what: string };
