import { type Backoff, PAIR_LIMIT_BACKOFF } from "../backoff";
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
  /**
   * Waits before the very same call may be repeated; absent where repeating is of no use. A send is repeated by the
   * machine only when its meaning is "rateLimited"; reads and set-up calls are repeated whenever there is one.
   */
  readonly backoff?: Backoff;
}

const DAY_MS = 24 * HOUR_MS;
const backoff = (firstMs: number, maxMs: number, factor = 2): Backoff => ({ firstMs, factor, maxMs });
/** Meta's advice for disturbances: 1, 2, 4, 8 s. */
const BRIEFLY = backoff(SECOND_MS, 8 * SECOND_MS);
/** The messages-per-second limit of a number: 1 s growing to a minute. */
const THROUGHPUT = backoff(SECOND_MS, MINUTE_MS);
/** Limits of an app or an account, which are counted by the hour. */
const HOURLY_BUDGET = backoff(MINUTE_MS, HOUR_MS);
const EACH_MINUTE = backoff(MINUTE_MS, 10 * MINUTE_MS);
const EACH_HOUR = backoff(HOUR_MS, HOUR_MS, 1);

const refuse = (code: ErrorCode, again?: Backoff): GraphErrorRule => ({
  code,
  meaning: "rejected",
  ...defined({ backoff: again }),
});
const wait = (code: ErrorCode, again: Backoff): GraphErrorRule => ({
  code,
  meaning: "rateLimited",
  backoff: again,
});
const doubt = (again: Backoff): GraphErrorRule => ({
  code: "whatsapp_unavailable",
  meaning: "unknown",
  backoff: again,
});

const each = (codes: readonly number[], rule: GraphErrorRule): [number, GraphErrorRule][] =>
  codes.map((code) => [code, rule]);

/** Meta: "Cloud API error codes" and "Graph API: handling errors"; waits from "Messaging limits" and the pair rate rule. */
const RULES: ReadonlyMap<number, GraphErrorRule> = new Map([
  // The Graph itself: token, permission, its own limits.
  ...each([0, 102, 190, 2500], refuse("whatsapp_auth")),
  ...each([1, 2], doubt(BRIEFLY)),
  ...each([3, 10, 131005], refuse("whatsapp_permission")),
  ...each([4, 80007, 80008], wait("whatsapp_rate_limited", HOURLY_BUDGET)),
  ...each([33, 803], refuse("whatsapp_setup")),
  [100, refuse("invalid_message")],
  [368, refuse("whatsapp_restricted")],
  [2635, refuse("misconfigured")],

  // The recipient.
  ...each([130403, 131030], refuse("recipient_not_allowed")),
  ...each([131021, 131062], refuse("invalid_recipient")),
  [131026, refuse("recipient_unreachable")],
  [131047, refuse("window_closed")],
  [131050, refuse("opted_out")],
  [130472, refuse("marketing_capped")],
  [131049, refuse("marketing_capped", backoff(DAY_MS, DAY_MS, 1))],
  [137000, refuse("recipient_changed")],

  // The message.
  ...each([130501, 131008, 131009, 131051, 131055], refuse("invalid_message")),
  [131014, refuse("media_refused")],
  // Meta: upload the file anew; a second refusal is final.
  ...each([131052, 131053], refuse("media_refused", backoff(SECOND_MS, SECOND_MS, 1))),
  ...each([132000, 132005, 132007, 132008, 132012, 132018], refuse("template_params")),
  [132001, refuse("template_unknown")],
  ...each([132015, 132016], refuse("template_paused")),
  [132068, refuse("whatsapp_refused")],
  [132069, refuse("whatsapp_refused", EACH_HOUR)],
  [135000, refuse("whatsapp_refused")],

  // The number and its account.
  ...each([130497, 131031, 131064], refuse("whatsapp_restricted")),
  ...each([131037, 131042, 131044, 131045, 131063, 133010], refuse("whatsapp_setup")),
  [130429, wait("whatsapp_rate_limited", THROUGHPUT)],
  [131056, wait("whatsapp_pair_limited", PAIR_LIMIT_BACKOFF)],
  [131048, refuse("whatsapp_spam_limited", backoff(HOUR_MS, DAY_MS))],
  [131000, doubt(BRIEFLY)],
  [131016, doubt(BRIEFLY)],
  ...each([131057, 2494100], doubt(EACH_MINUTE)),

  // Groups: nothing to repeat but the rate limit.
  ...each([131020, 131041, 131059], refuse("whatsapp_refused")),
  ...each([131201, 131202, 131203, 131204, 131205, 131206, 131207], refuse("whatsapp_refused")),
  ...each([131209, 131210, 131211, 131212, 131213, 131214, 131215], refuse("whatsapp_refused")),
  [131208, wait("whatsapp_rate_limited", HOURLY_BUDGET)],

  // Registration and two-step verification.
  ...each([133000, 133005, 133006, 133008], refuse("whatsapp_setup")),
  [133004, doubt(EACH_MINUTE)],
  ...each([133009, 133015], refuse("whatsapp_setup", backoff(5 * MINUTE_MS, HOUR_MS))),
  [133016, refuse("whatsapp_setup", backoff(3 * DAY_MS, 3 * DAY_MS, 1))],
  ...each([136024, 136025], refuse("whatsapp_setup", backoff(5 * MINUTE_MS, HOUR_MS))),

  // Payments, marketing messages, flows, block list, history of the phone app.
  ...each([134011, 134100, 134102, 1752041], refuse("whatsapp_setup")),
  [134101, refuse("whatsapp_setup", backoff(10 * MINUTE_MS, HOUR_MS))],
  ...each([139000, 139001, 139002, 139003, 139004], refuse("whatsapp_refused")),
  ...each([139100, 139101], refuse("whatsapp_refused")),
  ...each([139102, 139103], refuse("whatsapp_refused", BRIEFLY)),
  ...each([2593107, 2593108, 2593109], refuse("whatsapp_setup")),
]);

/** Codes that Meta gives out by the range, with the meaning that all of a range share. */
const RANGES: readonly { readonly from: number; readonly to: number; readonly rule: GraphErrorRule }[] = [
  { from: 200, to: 299, rule: refuse("whatsapp_permission") },
  { from: 138000, to: 138018, rule: refuse("whatsapp_refused") },
  { from: 2388000, to: 2388999, rule: refuse("template_params") },
];

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
  const range = RANGES.find(({ from, to }) => error.code >= from && error.code <= to);
  if (range !== undefined) return range.rule;
  const refused = error.httpStatus >= 400 && error.httpStatus < 500 && !error.transient;
  return refused ? refuse("whatsapp_refused") : doubt(BRIEFLY);
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
