import { defined } from "../defined";
import type { ErrorCode } from "../errors";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../time";
import { asObject, getBoolean, getNumber, getObject, getWord } from "./json";

/**
 * Meta's error codes in our words. Only the numbers decide (`code`, for some also `error_subcode`): messages are
 * localised and HTTP statuses differ between Meta's own pages. Meta's text is kept for operators and never shown to
 * an agent.
 */
export interface GraphError {
  readonly code: number;
  readonly subcode?: number;
  readonly httpStatus: number;
  readonly type?: string;
  readonly message?: string;
  readonly details?: string;
  readonly transient: boolean;
  readonly traceId?: string;
}

/** What an error means for a message that was being sent. */
export type SendMeaning =
  /** Refused before it was processed: it was not sent and will not be as it is. */
  | "rejected"
  /** Refused before it was processed, for now: the very same send may be repeated later. */
  | "rateLimited"
  /** Meta may have taken it. */
  | "unknown";

export interface GraphErrorRule {
  readonly code: ErrorCode;
  readonly meaning: SendMeaning;
  /** First wait before a repetition (ms), where the code implies one. */
  readonly waitMs?: number;
}

const refuse = (code: ErrorCode): GraphErrorRule => ({ code, meaning: "rejected" });
const wait = (code: ErrorCode, waitMs: number): GraphErrorRule => ({ code, meaning: "rateLimited", waitMs });
const doubt = (waitMs: number): GraphErrorRule => ({
  code: "whatsapp_unavailable",
  meaning: "unknown",
  waitMs,
});

/** Meta: "Cloud API error codes" and "Graph API: handling errors"; waits from "Messaging limits" and the pair rate rule. */
const RULES: ReadonlyMap<number, GraphErrorRule> = new Map([
  [0, refuse("whatsapp_auth")],
  [1, doubt(SECOND_MS)],
  [2, doubt(SECOND_MS)],
  [3, refuse("whatsapp_permission")],
  [4, wait("whatsapp_rate_limited", MINUTE_MS)],
  [10, refuse("whatsapp_permission")],
  [33, refuse("whatsapp_setup")],
  [100, refuse("invalid_message")],
  [190, refuse("whatsapp_auth")],
  [368, refuse("whatsapp_restricted")],
  [803, refuse("whatsapp_setup")],
  [2500, refuse("whatsapp_auth")],
  [2635, refuse("misconfigured")],
  [80007, wait("whatsapp_rate_limited", MINUTE_MS)],
  [80008, wait("whatsapp_rate_limited", MINUTE_MS)],
  [130403, refuse("recipient_not_allowed")],
  [130429, wait("whatsapp_rate_limited", SECOND_MS)],
  [130472, refuse("marketing_capped")],
  [130497, refuse("whatsapp_restricted")],
  [131000, doubt(SECOND_MS)],
  [131005, refuse("whatsapp_permission")],
  [131008, refuse("invalid_message")],
  [131009, refuse("invalid_message")],
  [131014, refuse("media_refused")],
  [131016, doubt(SECOND_MS)],
  [131021, refuse("invalid_recipient")],
  [131026, refuse("recipient_unreachable")],
  [131030, refuse("recipient_not_allowed")],
  [131031, refuse("whatsapp_restricted")],
  [131037, refuse("whatsapp_setup")],
  [131042, refuse("whatsapp_setup")],
  [131045, refuse("whatsapp_setup")],
  [131047, refuse("window_closed")],
  [131048, { code: "whatsapp_spam_limited", meaning: "rejected", waitMs: HOUR_MS }],
  [131049, refuse("marketing_capped")],
  [131050, refuse("opted_out")],
  [131051, refuse("invalid_message")],
  [131052, refuse("media_refused")],
  [131053, refuse("media_refused")],
  [131055, refuse("invalid_message")],
  [131056, wait("whatsapp_pair_limited", SECOND_MS)],
  [131057, doubt(MINUTE_MS)],
  [131062, refuse("invalid_recipient")],
  [131063, refuse("whatsapp_setup")],
  [131064, refuse("whatsapp_restricted")],
  [132000, refuse("template_params")],
  [132001, refuse("template_unknown")],
  [132005, refuse("template_params")],
  [132007, refuse("template_params")],
  [132008, refuse("template_params")],
  [132012, refuse("template_params")],
  [132015, refuse("template_paused")],
  [132016, refuse("template_paused")],
  [132018, refuse("template_params")],
  [132068, refuse("whatsapp_refused")],
  [132069, refuse("whatsapp_refused")],
  [133004, doubt(MINUTE_MS)],
  [133010, refuse("whatsapp_setup")],
  [135000, refuse("whatsapp_refused")],
  [137000, refuse("recipient_changed")],
]);

/** Meta: an object that does not exist or that the token may not see is code 100 with this subcode. */
const OBJECT_MISSING_SUBCODE = 33;

/**
 * The rule for an error of a Graph call or of a `failed` status. A code that nobody has documented is a refusal when
 * the answer was a 4xx and not marked transient; otherwise Meta may have taken the message.
 */
export function graphErrorRule(
  error: Pick<GraphError, "code" | "subcode" | "httpStatus" | "transient">,
): GraphErrorRule {
  if (error.code === 100 && error.subcode === OBJECT_MISSING_SUBCODE) return refuse("whatsapp_setup");
  const rule = RULES.get(error.code);
  if (rule !== undefined) return rule;
  if (error.code >= 200 && error.code <= 299) return refuse("whatsapp_permission");
  const refused = error.httpStatus >= 400 && error.httpStatus < 500 && !error.transient;
  return refused ? refuse("whatsapp_refused") : doubt(SECOND_MS);
}

/** Our code for the error of a `failed` status, where the message is known to have been accepted first. */
export function statusErrorCode(code: number | undefined): ErrorCode {
  if (code === undefined) return "whatsapp_refused";
  return graphErrorRule({ code, httpStatus: 400, transient: false }).code;
}

/** The error of a Graph answer `{error: {...}}`, or null when the body holds none with a code. */
export function readGraphError(body: unknown, httpStatus: number): GraphError | null {
  const error = getObject(asObject(body), "error");
  const code = getNumber(error, "code");
  if (error === undefined || code === undefined) return null;
  return {
    code,
    httpStatus,
    transient: getBoolean(error, "is_transient") === true,
    ...defined({
      subcode: getNumber(error, "error_subcode"),
      type: getWord(error, "type"),
      message: getWord(error, "message"),
      details: getWord(getObject(error, "error_data"), "details"),
      traceId: getWord(error, "fbtrace_id"),
    }),
  };
}
