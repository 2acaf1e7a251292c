import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPhone, maskPhone, parsePhone, waIdAliases } from "./phone";

describe("parsing", () => {
  test.each([
    ["+16505551234", "+16505551234"],
    ["+1 (650) 555-1234", "+16505551234"],
    ["16505551234", "+16505551234"],
    ["+1 555-078-3881", "+15550783881"],
    ["＋4915112345678", "+4915112345678"],
    ["+55 41 98888-7777", "+5541988887777"],
    ["554188887777", "+554188887777"],
    ["5215512345678", "+5215512345678"],
  ])("%s is %s", (input, expected) => expect(parsePhone(input)).toBe(expected));

  test("a national number needs its country", () => {
    expect(parsePhone("0151 12345678", "DE")).toBe("+4915112345678");
    expect(parsePhone("0151 12345678")).toBeNull();
  });

  test.each([
    "",
    "+",
    "hello",
    "549",
    "+1650555",
    "+1555078388112345",
    "@noor",
    "US.1349",
    "1".repeat(60),
    "+1 650 555 1234; drop",
  ])("%j is no phone number", (input) => expect(parsePhone(input)).toBeNull());

  test("never throws, and gives only E.164", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\+?[\d ()-]{0,30}$/)), (input) => {
        const phone = parsePhone(input);
        if (phone !== null) expect(phone).toMatch(/^\+[1-9]\d{5,14}$/);
      }),
    );
  });
});

describe("aliases of a WhatsApp id", () => {
  test.each([
    ["5541988887777", ["5541988887777", "554188887777"]],
    ["554188887777", ["554188887777", "5541988887777"]],
    ["554133334444", ["554133334444"]],
    ["5215512345678", ["5215512345678", "525512345678"]],
    ["525512345678", ["525512345678", "5215512345678"]],
    ["5491112345678", ["5491112345678", "541112345678"]],
    ["541112345678", ["541112345678"]],
    ["447700900123", ["447700900123"]],
    ["549", ["549"]],
  ])("%s may be %j", (waId, aliases) => expect(waIdAliases(waId)).toEqual(aliases));
});

test("a number in a log cannot be dialled", () => {
  expect(maskPhone("+16505551234")).toBe("+16***34");
  expect(maskPhone("1234")).toBe("***");
});

test("a number is shown with its groups", () => {
  expect(formatPhone("+16505551234")).toBe("+1 650 555 1234");
  expect(formatPhone("+999123")).toBe("+999123");
});
