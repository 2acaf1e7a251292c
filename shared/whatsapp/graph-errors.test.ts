import { describe, expect, test } from "vitest";
import { graphErrorRule, readGraphError, statusErrorCode } from "./graph-errors";

const rule = (code: number, httpStatus = 400, more: { subcode?: number; transient?: boolean } = {}) =>
  graphErrorRule({ code, httpStatus, transient: false, ...more });

// Codes and their meaning: Meta's page "Cloud API error codes" and "Handling errors" of the Graph API.
test.each([
  [190, "whatsapp_auth", "rejected"],
  [0, "whatsapp_auth", "rejected"],
  [10, "whatsapp_permission", "rejected"],
  [200, "whatsapp_permission", "rejected"],
  [299, "whatsapp_permission", "rejected"],
  [4, "whatsapp_rate_limited", "rateLimited"],
  [80007, "whatsapp_rate_limited", "rateLimited"],
  [130429, "whatsapp_rate_limited", "rateLimited"],
  [131056, "whatsapp_pair_limited", "rateLimited"],
  [131048, "whatsapp_spam_limited", "rejected"],
  [131047, "window_closed", "rejected"],
  [131026, "recipient_unreachable", "rejected"],
  [131050, "opted_out", "rejected"],
  [132000, "template_params", "rejected"],
  [132001, "template_unknown", "rejected"],
  [132015, "template_paused", "rejected"],
  [1, "whatsapp_unavailable", "unknown"],
  [2, "whatsapp_unavailable", "unknown"],
  [131000, "whatsapp_unavailable", "unknown"],
  [131016, "whatsapp_unavailable", "unknown"],
])("code %i is %s and the send %s", (code, ours, meaning) => {
  expect(rule(code)).toMatchObject({ code: ours, meaning });
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
