import { describe, expect, test } from "vitest";
import { assessHealth, HEALTH_CHECKS, type HealthFacts, worstOf } from "./account-health";

const DAY = 86_400_000;
const NOW = 1_000 * DAY;

const HEALTHY: HealthFacts = {
  token: { isValid: true, scopes: ["whatsapp_business_management", "whatsapp_business_messaging"] },
  subscription: { isSubscribed: true, callbackUrl: "https://own.test/webhook" },
  ownCallbacks: ["https://own.test/webhook"],
  number: { status: "CONNECTED", quality: "GREEN", nameStatus: "APPROVED", canSend: "AVAILABLE" },
  lastEventAt: NOW - DAY,
};

const found = (change: Partial<HealthFacts>, name: string) =>
  assessHealth({ ...HEALTHY, ...change }, NOW).find((check) => check.name === name);

describe("the health of a number", () => {
  test("has every check once, in its order, and nothing to do when all is well", () => {
    const checks = assessHealth(HEALTHY, NOW);
    expect(checks.map(({ name }) => name)).toEqual([...HEALTH_CHECKS]);
    expect(checks.map(({ state }) => state)).toEqual(HEALTH_CHECKS.map(() => "ok"));
    expect(checks.filter((check) => "fix" in check)).toEqual([]);
    expect(worstOf(checks)).toBe("ok");
  });

  const BROKEN: [string, Partial<HealthFacts>, string, string, string | undefined][] = [
    ["a refused token", { token: { isValid: false } }, "token", "failed", "rotate_token"],
    ["Graph out of reach", { token: { isValid: null } }, "token", "unknown", undefined],
    [
      "a token in its last days",
      { token: { isValid: true, expiresAt: NOW + 13 * DAY } },
      "token",
      "warning",
      "rotate_token",
    ],
    [
      "a token with time left",
      { token: { isValid: true, expiresAt: NOW + 14 * DAY } },
      "token",
      "ok",
      undefined,
    ],
    [
      "a token that has ended, also while Graph is out of reach",
      { token: { isValid: null, expiresAt: NOW } },
      "token",
      "failed",
      "rotate_token",
    ],
    [
      "access to data that ends soon",
      { token: { isValid: true, dataAccessExpiresAt: NOW + DAY } },
      "data_access",
      "warning",
      "rotate_token",
    ],
    [
      "access to data with time left",
      { token: { isValid: true, dataAccessExpiresAt: NOW + 14 * DAY } },
      "data_access",
      "ok",
      undefined,
    ],
    [
      "a token that may not send",
      { token: { isValid: true, scopes: ["whatsapp_business_management"] } },
      "scopes",
      "failed",
      "rotate_token",
    ],
    ["no subscription", { subscription: { isSubscribed: false } }, "subscription", "failed", "subscribe"],
    [
      "a subscription to another address",
      { subscription: { isSubscribed: true, callbackUrl: "https://other.test/webhook" } },
      "callback",
      "failed",
      "subscribe",
    ],
    ["an unregistered number", { number: { status: "PENDING" } }, "number", "failed", "register"],
    ["a banned number", { number: { status: "BANNED" } }, "number", "failed", "ask_meta"],
    [
      "a blocked number",
      { number: { status: "CONNECTED", canSend: "BLOCKED" } },
      "number",
      "failed",
      "ask_meta",
    ],
    [
      "a limited number",
      { number: { status: "CONNECTED", canSend: "LIMITED" } },
      "number",
      "warning",
      "ask_meta",
    ],
    ["a status that nobody knows yet", { number: { status: "NEW_WORD" } }, "number", "failed", "ask_meta"],
    ["bad quality", { number: { quality: "RED" } }, "quality", "warning", "wait"],
    ["a declined name", { number: { nameStatus: "DECLINED" } }, "name", "warning", "ask_meta"],
    ["a quiet week", { lastEventAt: NOW - 7 * DAY }, "webhooks", "unknown", "write_to_number"],
    ["wrong signatures", { lastBadSignatureAt: NOW - 1 }, "signatures", "warning", "set_app_secret"],
    ["wrong signatures long ago", { lastBadSignatureAt: NOW - 2 * DAY }, "signatures", "ok", undefined],
    ["a pause by a person", { pausedFor: "person" }, "sending", "failed", "resume_sending"],
    ["a pause for the token", { pausedFor: "token_invalid" }, "sending", "failed", "rotate_token"],
    ["a ban", { pausedFor: "account_banned" }, "sending", "failed", "ask_meta"],
  ];

  test.each(BROKEN)("%s", (_, change, name, state, fix) => {
    expect(found(change, name)).toMatchObject({ state, ...(fix !== undefined && { fix }) });
    expect(found(change, name)?.fix).toBe(fix);
  });

  test("is as bad as its worst check, and what is unknown frightens nobody", () => {
    expect(worstOf(assessHealth({ ...HEALTHY, number: { quality: "RED" } }, NOW))).toBe("warning");
    expect(worstOf(assessHealth({ ...HEALTHY, subscription: null }, NOW))).toBe("ok");
    expect(worstOf(assessHealth({ ...HEALTHY, token: { isValid: false } }, NOW))).toBe("failed");
  });
});
