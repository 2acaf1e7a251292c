/**
 * The one registry of everything that can go wrong and be told to somebody. A code is born here and nowhere else;
 * the HTTP routes, the MCP tools and the screens render it with the functions below.
 *
 * `say` is safe to show to anyone: it never holds customer text, ids of other tenants or words of Meta's answer.
 */
export interface ErrorSpec {
  /** HTTP status of the answer when the error ends a request. */
  readonly status: number;
  /** Whether the very same request may succeed later without anybody changing something. */
  readonly retryable: boolean;
  readonly say: string;
  readonly nextStep?: string;
}

export const ERRORS = {
  // Who is asking and what they may do.
  unauthorized: { status: 401, retryable: false, say: "Sign in, or send a valid credential." },
  forbidden: { status: 403, retryable: false, say: "This is not allowed for your role." },
  scope_missing: {
    status: 403,
    retryable: false,
    say: "The credential lacks the scope for this.",
    nextStep: "Ask the owner of the account for a key with the needed scope.",
  },
  not_found: { status: 404, retryable: false, say: "There is no such thing, or it is not yours." },

  // What was asked.
  invalid_request: { status: 400, retryable: false, say: "The request is not valid." },
  number_required: {
    status: 400,
    retryable: false,
    say: "Several business numbers are available and none was chosen.",
    nextStep: "Repeat the call with `from` set to one of the business numbers.",
  },
  invalid_recipient: {
    status: 400,
    retryable: false,
    say: "The recipient is not a phone number or id that WhatsApp could know.",
    nextStep: "Give the number in international form, for example +16505551234.",
  },
  invalid_message: { status: 400, retryable: false, say: "WhatsApp would not accept this message." },
  payload_too_large: { status: 413, retryable: false, say: "The body is larger than allowed." },
  method_not_allowed: { status: 405, retryable: false, say: "This address does not answer that method." },
  conflict: {
    status: 409,
    retryable: true,
    say: "Somebody else changed this at the same moment. Try again.",
  },
  already_claimed: { status: 409, retryable: false, say: "This deployment already has an owner." },
  already_exists: { status: 409, retryable: false, say: "There is already one with this name or number." },
  last_owner: {
    status: 409,
    retryable: false,
    say: "The account needs an owner, and this is the last one.",
    nextStep: "Make another member an owner first.",
  },
  invite_invalid: {
    status: 404,
    retryable: false,
    say: "This invitation is not valid: it is over, was used, or is for another e-mail address.",
    nextStep: "Ask for a new invitation, and sign in with the address that it was sent to.",
  },

  // What the rules of sending say.
  window_closed: {
    status: 409,
    retryable: false,
    say: "The 24-hour window of this customer is closed.",
    nextStep: "Use send_template with an approved template, or wait until the customer writes.",
  },
  opted_out: {
    status: 409,
    retryable: false,
    say: "The customer does not want marketing messages.",
    nextStep: "Send nothing promotional until the customer opts in again.",
  },
  blocked: {
    status: 409,
    retryable: false,
    say: "This contact is blocked.",
    nextStep: "A member must unblock the contact before anybody can write to it.",
  },
  human_in_control: {
    status: 409,
    retryable: false,
    say: "A person has taken over this conversation.",
    nextStep: "Leave the answer to the person; a member can hand the conversation back.",
  },
  conversation_paused: {
    status: 409,
    retryable: false,
    say: "Agents are paused in this conversation.",
    nextStep: "Wait until a member lets agents write again.",
  },
  rate_limited: { status: 429, retryable: true, say: "Too many requests. Wait, then try again." },
  cap_reached: {
    status: 429,
    retryable: true,
    say: "The daily limit of this key is used up.",
    nextStep: "Wait until the limit starts anew, or ask the owner to raise it.",
  },
  duplicate_suspected: {
    status: 409,
    retryable: false,
    say: "The same message went to this customer a moment ago.",
    nextStep: "If it is meant twice, send it again with a new client_request_id.",
  },
  idempotency_key_reused: {
    status: 422,
    retryable: false,
    say: "This client_request_id was already used for a different message.",
    nextStep: "Use a new client_request_id for a new message.",
  },
  sending_paused: {
    status: 409,
    retryable: true,
    say: "Sending from this business number is paused.",
    nextStep:
      "A member sees the reason in the settings of the number; waiting messages leave when it is mended.",
  },
  confirmation_required: {
    status: 409,
    retryable: false,
    say: "A person has to confirm this message, because of what other customers wrote that was read before it.",
    nextStep:
      "Show the person you work for the recipient and the exact message, and ask. Only if they agree, repeat the same call with confirm_token.",
  },
  confirmation_declined: {
    status: 409,
    retryable: false,
    say: "The person who was asked did not confirm this message.",
    nextStep: "Do not send it. Ask the person what they want instead.",
  },
  withdrawn: { status: 409, retryable: false, say: "The message was withdrawn before it left." },
  outcome_pending: {
    status: 409,
    retryable: true,
    say: "It is still being found out whether WhatsApp took the message.",
    nextStep: "Wait for its status before anybody sends it again.",
  },
  template_unknown: {
    status: 404,
    retryable: false,
    say: "There is no approved template of this name and language.",
    nextStep: "Call list_templates and choose one that is approved.",
  },
  template_params: {
    status: 400,
    retryable: false,
    say: "The parameters do not fit the template.",
    nextStep: "Call list_templates and give one value for each placeholder.",
  },
  template_paused: {
    status: 409,
    retryable: false,
    say: "WhatsApp has paused or disabled this template.",
    nextStep: "Choose another approved template.",
  },
  media_refused: {
    status: 400,
    retryable: false,
    say: "The file is of a type or size that WhatsApp does not accept.",
  },

  // What WhatsApp answered.
  recipient_unreachable: {
    status: 409,
    retryable: false,
    say: "WhatsApp could not deliver to this recipient.",
    nextStep: "Check the number; the person may not use WhatsApp or may have an old version of it.",
  },
  recipient_not_allowed: {
    status: 409,
    retryable: false,
    say: "The business number may not write to this recipient.",
    nextStep:
      "A test number writes only to its list of allowed recipients; a blocked contact must be unblocked.",
  },
  recipient_changed: {
    status: 409,
    retryable: false,
    say: "The identity of the recipient has changed and needs to be confirmed.",
  },
  marketing_capped: {
    status: 409,
    retryable: false,
    say: "WhatsApp held the message back because this person gets many marketing messages.",
    nextStep: "Wait at least 24 hours before the next marketing message.",
  },
  whatsapp_auth: {
    status: 502,
    retryable: false,
    say: "WhatsApp no longer accepts the access token of this account.",
    nextStep: "The owner must connect the account again with a new token.",
  },
  whatsapp_permission: {
    status: 502,
    retryable: false,
    say: "The access token of this account lacks a permission at WhatsApp.",
    nextStep: "The owner must grant the missing permission in Meta's settings.",
  },
  whatsapp_restricted: {
    status: 502,
    retryable: false,
    say: "WhatsApp has restricted this business account.",
    nextStep: "The owner finds the reason in Meta's Business Support.",
  },
  whatsapp_setup: {
    status: 502,
    retryable: false,
    say: "The business number is not fully set up at WhatsApp.",
    nextStep: "The owner must complete registration, display name or payment in WhatsApp Manager.",
  },
  whatsapp_rate_limited: {
    status: 429,
    retryable: true,
    say: "WhatsApp allows no more messages from this number at the moment.",
  },
  whatsapp_pair_limited: {
    status: 429,
    retryable: true,
    say: "WhatsApp allows no more messages to this person at the moment.",
  },
  whatsapp_spam_limited: {
    status: 429,
    retryable: false,
    say: "WhatsApp limits this number because its messages were blocked or reported.",
    nextStep: "Stop for some hours and check the quality rating of the number.",
  },
  whatsapp_unavailable: { status: 503, retryable: true, say: "WhatsApp has a disturbance at the moment." },
  whatsapp_unreachable: { status: 503, retryable: true, say: "WhatsApp's servers could not be reached." },
  whatsapp_refused: { status: 502, retryable: false, say: "WhatsApp refused the message." },
  send_unknown: {
    status: 504,
    retryable: false,
    say: "It is not known whether WhatsApp took the message. It will not be repeated by itself.",
    nextStep: "Wait for its status, or look at the phone, before anybody sends it again.",
  },

  // What happened to us.
  unavailable: {
    status: 503,
    retryable: true,
    say: "The service is not available at the moment. Try again.",
  },
  misconfigured: {
    status: 500,
    retryable: false,
    say: "The deployment is missing a setting.",
    nextStep: "The administrator compares the deployment's variables with .env.example.",
  },
  internal: { status: 500, retryable: false, say: "Something went wrong on our side." },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** Values that may travel with an error: plain, small and never customer text. */
export type ErrorDetail = string | number | boolean | null | readonly string[];
export type ErrorDetails = Readonly<Record<string, ErrorDetail>>;

/** What an error carries across every border (the data of a ConvexError, the body of an HTTP answer). */
export interface AppErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly nextStep?: string;
  readonly [detail: string]: ErrorDetail | undefined;
}

/** The specification of a code, with the optional parts visible to the type. */
export function errorSpec(code: ErrorCode): ErrorSpec {
  return ERRORS[code];
}

/**
 * Builds the data of an error. Details are added beside the fixed fields and can never replace them.
 * `details.say` sharpens the sentence when the place of the error knows more than the registry.
 */
export function appError(code: ErrorCode, details: ErrorDetails = {}): AppErrorData {
  const spec = errorSpec(code);
  const { say, ...rest } = details;
  return {
    ...rest,
    code,
    message: typeof say === "string" ? say : spec.say,
    retryable: spec.retryable,
    ...(spec.nextStep !== undefined && { nextStep: spec.nextStep }),
  };
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERRORS, value);
}

/** Whether a value that crossed a border (such as `ConvexError.data`) is one of ours. */
export function isAppErrorData(value: unknown): value is AppErrorData {
  if (typeof value !== "object" || value === null) return false;
  return (
    "code" in value &&
    isErrorCode(value.code) &&
    "message" in value &&
    typeof value.message === "string" &&
    "retryable" in value &&
    typeof value.retryable === "boolean"
  );
}

/** The HTTP answer for an error: its status and the JSON body `{error: {code, message, retryable, ...}}`. */
export function httpError(error: AppErrorData): { status: number; body: { error: AppErrorData } } {
  return { status: errorSpec(error.code).status, body: { error } };
}

/** The text of a failed MCP tool call: what happened and what to do, in at most two sentences, plus the code. */
export function mcpErrorText(error: AppErrorData): string {
  const step = error.nextStep === undefined ? "" : ` ${error.nextStep}`;
  return `${error.message}${step} (${error.code})`;
}

/** Reasons for which an expected "no" is given as a value instead of an error. A subset of the codes above. */
export const REFUSAL_REASONS = [
  "window_closed",
  "not_found",
  "scope_missing",
  "number_required",
  "rate_limited",
  "cap_reached",
  "opted_out",
  "blocked",
  "human_in_control",
  "conversation_paused",
  "duplicate_suspected",
  "idempotency_key_reused",
  "sending_paused",
  "confirmation_required",
  "confirmation_declined",
  "outcome_pending",
  "invalid_recipient",
  "invalid_message",
  "recipient_not_allowed",
  "template_unknown",
  "template_params",
  "template_paused",
  "media_refused",
  "whatsapp_auth",
] as const satisfies readonly ErrorCode[];

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export function isRefusalReason(text: string): text is RefusalReason {
  return REFUSAL_REASONS.some((reason) => reason === text);
}

/** An expected "no", as data that an agent can act upon. Field names are part of the public contract. */
export interface Refusal {
  refused: true;
  reason: RefusalReason;
  message: string;
  retry_after_seconds?: number;
  next_step?: string;
}

/**
 * Builds a refusal from the registry's sentences; `say` and `nextStep` sharpen them where the place knows more.
 * `retryAfterMs` is rounded up to whole seconds, so that nobody comes back too early.
 */
export function refusal(
  reason: RefusalReason,
  extra: { say?: string; nextStep?: string; retryAfterMs?: number } = {},
): Refusal {
  const spec = errorSpec(reason);
  const nextStep = extra.nextStep ?? spec.nextStep;
  return {
    refused: true,
    reason,
    message: extra.say ?? spec.say,
    ...(extra.retryAfterMs !== undefined && {
      retry_after_seconds: Math.max(0, Math.ceil(extra.retryAfterMs / 1000)),
    }),
    ...(nextStep !== undefined && { next_step: nextStep }),
  };
}

/** Whether a result of a function is a refusal rather than an answer. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value && value.refused === true;
}
