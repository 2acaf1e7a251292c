import { describe, expect, test } from "vitest";
import {
  appError,
  ERRORS,
  errorSpec,
  httpError,
  isAppErrorData,
  isErrorCode,
  isRefusal,
  mcpErrorText,
  REFUSAL_REASONS,
  refusal,
} from "./errors";

const codes = Object.keys(ERRORS).filter(isErrorCode);

describe.each(codes)("%s", (code) => {
  test("has a whole sentence, a step that is one, and a status of an error", () => {
    const { say, nextStep, status } = errorSpec(code);
    expect(say).toMatch(/^[A-Z].*\.$/);
    if (nextStep !== undefined) expect(nextStep).toMatch(/^[A-Z].*\.$/);
    expect(status).toBeGreaterThanOrEqual(400);
  });
});

test("details stand beside the fixed fields and never replace them", () => {
  const error = appError("rate_limited", { retryAfterMs: 1500, code: "internal", retryable: false });
  expect(error).toMatchObject({ code: "rate_limited", retryable: true, retryAfterMs: 1500 });
  expect(isAppErrorData(error)).toBe(true);
});

test("a place that knows more sharpens the sentence", () => {
  expect(appError("invalid_request", { say: "The name is missing." }).message).toBe("The name is missing.");
});

test.each([
  null,
  "x",
  {},
  { code: "constructor", message: "", retryable: false },
  { code: "internal", message: 1, retryable: true },
])("%j is not an error of ours", (value) => expect(isAppErrorData(value)).toBe(false));

test("an error renders for HTTP and for MCP", () => {
  expect(httpError(appError("not_found"))).toMatchObject({
    status: 404,
    body: { error: { code: "not_found" } },
  });
  expect(mcpErrorText(appError("window_closed"))).toBe(
    "The 24-hour window of this customer is closed. Use send_template with an approved template, or wait until the customer writes. (window_closed)",
  );
});

test("a refusal has the public fields and nothing else", () => {
  expect(refusal("rate_limited", { retryAfterMs: 1001 })).toEqual({
    refused: true,
    reason: "rate_limited",
    message: ERRORS.rate_limited.say,
    retry_after_seconds: 2,
  });
  expect(refusal("window_closed")).toHaveProperty("next_step");
  expect(isRefusal(refusal("not_found"))).toBe(true);
  expect(isRefusal({ outcome: "accepted" })).toBe(false);
});

test("every reason of a refusal is a code", () => {
  expect(REFUSAL_REASONS.every(isErrorCode)).toBe(true);
});
