import { describe, expect, test } from "vitest";
import { backoffMs } from "../backoff";
import { ERRORS, type ErrorCode } from "../errors";
import { graphErrorRule, readGraphError, type SendMeaning, statusErrorCode } from "./graph-errors";

const rule = (code: number, httpStatus = 400, more: { subcode?: number; transient?: boolean } = {}) =>
  graphErrorRule({ code, httpStatus, transient: false, ...more });

// Codes and their meaning: Meta's page "Cloud API error codes" and "Handling errors" of the Graph API. The waits are
// those before the first and the following repetitions, in milliseconds; null where a repetition is of no use.
const TABLE: [codes: number[], ours: ErrorCode, meaning: SendMeaning, waitsMs: number[] | null][] = [
  [[0, 190, 2500], "whatsapp_auth", "rejected", null],
  [[3, 10, 131005, 200, 299], "whatsapp_permission", "rejected", null],
  [[1, 2, 131000, 131016], "whatsapp_unavailable", "unknown", [1000, 2000, 4000, 8000, 8000]],
  [
    [4, 80007, 80008, 131208],
    "whatsapp_rate_limited",
    "rateLimited",
    [60000, 120000, 240000, 480000, 960000],
  ],
  [[130429], "whatsapp_rate_limited", "rateLimited", [1000, 2000, 4000, 8000, 16000]],
  [[131056], "whatsapp_pair_limited", "rateLimited", [1000, 4000, 16000, 64000, 256000]],
  [[131057, 2494100, 133004], "whatsapp_unavailable", "unknown", [60000, 120000, 240000, 480000, 600000]],
  [[131048], "whatsapp_spam_limited", "rejected", [3600000, 7200000, 14400000, 28800000, 57600000]],
  [[131049], "marketing_capped", "rejected", [86400000, 86400000, 86400000]],
  [[131052, 131053], "media_refused", "rejected", [1000, 1000]],
  [[132069], "whatsapp_refused", "rejected", [3600000, 3600000]],
  [[133009, 133015, 136024, 136025], "whatsapp_setup", "rejected", [300000, 600000]],
  [[133016], "whatsapp_setup", "rejected", [259200000]],
  [[134101], "whatsapp_setup", "rejected", [600000, 1200000]],
  [[139102, 139103], "whatsapp_refused", "rejected", [1000, 2000]],
  [
    [
      33, 803, 131037, 131042, 131044, 131045, 131063, 133000, 133005, 133006, 133008, 133010, 134011, 134100,
      134102, 1752041, 2593107, 2593108, 2593109,
    ],
    "whatsapp_setup",
    "rejected",
    null,
  ],
  [[100, 130501, 131008, 131009, 131051, 131055], "invalid_message", "rejected", null],
  [[368, 130497, 131031, 131064], "whatsapp_restricted", "rejected", null],
  [[2635], "misconfigured", "rejected", null],
  [[130403, 131030], "recipient_not_allowed", "rejected", null],
  [[131021, 131062], "invalid_recipient", "rejected", null],
  [[131026], "recipient_unreachable", "rejected", null],
  [[131047], "window_closed", "rejected", null],
  [[131050], "opted_out", "rejected", null],
  [[130472], "marketing_capped", "rejected", null],
  [[137000], "recipient_changed", "rejected", null],
  [[131014], "media_refused", "rejected", null],
  [[132000, 132005, 132007, 132008, 132012, 132018, 2388024, 2388299], "template_params", "rejected", null],
  [[132001], "template_unknown", "rejected", null],
  [[132015, 132016], "template_paused", "rejected", null],
  [
    [
      131020, 131041, 131059, 131201, 131202, 131203, 131204, 131205, 131206, 131207, 131209, 131210, 131211,
      131212, 131213, 131214, 131215, 132068, 135000, 138000, 138006, 138007, 138018, 139000, 139001, 139002,
      139003, 139004, 139100, 139101,
    ],
    "whatsapp_refused",
    "rejected",
    null,
  ],
];

describe.each(TABLE.flatMap(([codes, ...rest]) => codes.map((code) => [code, ...rest] as const)))(
  "code %i",
  (code, ours, meaning, waitsMs) => {
    test(`is ${ours}, the send is ${meaning}`, () =>
      expect(rule(code)).toMatchObject({ code: ours, meaning }));

    test(waitsMs === null ? "is not repeated" : `is repeated after ${waitsMs.join(", ")} ms`, () => {
      const { backoff } = rule(code);
      const waits = waitsMs?.map((_, index) => (backoff ? backoffMs(backoff, index + 1) : null));
      expect(waits ?? backoff ?? null).toEqual(waitsMs);
    });

    test("has a sentence for people", () => expect(ERRORS[rule(code).code].say).toMatch(/^[A-Z].*\.$/));
  },
);

test("a send is repeated by the machine only when it was refused before it was processed", () => {
  const repeated = TABLE.filter(([, , meaning]) => meaning === "rateLimited").flatMap(([codes]) => codes);
  expect(repeated.sort((a, b) => a - b)).toEqual([4, 80007, 80008, 130429, 131056, 131208]);
});

test("the code decides, not the HTTP status that came with it", () => {
  expect(rule(131045, 500).meaning).toBe("rejected");
  expect(rule(130429, 500).meaning).toBe("rateLimited");
  expect(rule(131000, 400).meaning).toBe("unknown");
});

describe("a code that nobody has documented", () => {
  test("refuses when the answer was a plain 4xx", () => expect(rule(999999, 400).meaning).toBe("rejected"));
  test("is in doubt when it was a 5xx", () => expect(rule(999999, 500).meaning).toBe("unknown"));
  test("is in doubt when it is called transient", () =>
    expect(rule(999999, 400, { transient: true }).meaning).toBe("unknown"));
});

test("a missing object is a matter of set-up, a wrong parameter one of the message", () => {
  expect(rule(100, 400, { subcode: 33 }).code).toBe("whatsapp_setup");
  expect(rule(100).code).toBe("invalid_message");
});

test("an error body is read with what is useful in it", () => {
  const error = {
    message: "(#131047) Re-engagement message",
    type: "OAuthException",
    code: 131047,
    error_subcode: 2494010,
    is_transient: false,
    error_data: { messaging_product: "whatsapp", details: "More than 24 hours." },
    fbtrace_id: "Az8",
  };
  expect(readGraphError({ error }, 400)).toEqual({
    code: 131047,
    subcode: 2494010,
    httpStatus: 400,
    type: "OAuthException",
    message: "(#131047) Re-engagement message",
    details: "More than 24 hours.",
    transient: false,
    traceId: "Az8",
  });
});

test.each([undefined, null, "x", [], {}, { error: "x" }, { error: {} }, { error: { code: "x" } }])(
  "%j holds no error",
  (body) => {
    expect(readGraphError(body, 400)).toBeNull();
  },
);

test("the error of a failed status has a code of ours", () => {
  expect(statusErrorCode(131047)).toBe("window_closed");
  expect(statusErrorCode(undefined)).toBe("whatsapp_refused");
});
