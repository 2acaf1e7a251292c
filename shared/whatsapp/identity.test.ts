import { describe, expect, test } from "vitest";
import { canonicalNaming, identityKeys, isUserId, maskIdentity, readNaming, userIdCountry } from "./identity";

const USER = "US.13491208655302741918";
const PARENT = "US.ENT.11815799212886844830";

// Forms: Meta, "Business-scoped user IDs".
test.each([
  [USER, true, "US"],
  [PARENT, true, "US"],
  [`BR.${"a".repeat(128)}`, true, "BR"],
  [`BR.${"a".repeat(129)}`, false, null],
  ["us.123", false, null],
  ["16505551234", false, null],
  ["US.", false, null],
  ["US.12 3", false, null],
  ["", false, null],
])("%s: user id %s", (text, is, country) => {
  expect(isUserId(text)).toBe(is);
  expect(userIdCountry(text)).toBe(country);
});

test.each([
  ["@Noor.Studio", { kind: "username", username: "noor.studio" }],
  [` ${USER} `, { kind: "userId", userId: USER }],
  ["+1 (650) 555-1234", { kind: "phone", phone: "+16505551234" }],
  ["16505551234", { kind: "phone", phone: "+16505551234" }],
  ["jd7c2k9", { kind: "other", text: "jd7c2k9" }],
  ["@", { kind: "other", text: "@" }],
  [`@${"x".repeat(65)}`, { kind: "other", text: `@${"x".repeat(65)}` }],
  ["", { kind: "other", text: "" }],
])("%j names a customer as %o", (text, naming) => {
  expect(readNaming(text)).toEqual(naming);
});

test.each([
  ["+1 650 555 1234", "+1-650-555-1234"],
  ["@NOOR", "@noor"],
  [`${USER}`, ` ${USER}`],
])("%s and %s are the same request", (one, other) => {
  expect(canonicalNaming(one)).toBe(canonicalNaming(other));
});

describe("the keys by which somebody is found", () => {
  const kinds = (party: Parameters<typeof identityKeys>[0]) =>
    identityKeys(party).map(({ kind, value }) => `${kind} ${value}`);

  test("the user id comes before the number, the parent id last", () => {
    expect(kinds({ waId: "16505551234", userId: USER, parentUserId: PARENT })).toEqual([
      `userId ${USER}`,
      "waId 16505551234",
      `parentUserId ${PARENT}`,
    ]);
  });

  test("a user id in the place of the number is not taken for a phone", () => {
    expect(kinds({ waId: USER })).toEqual([`userId ${USER}`]);
    expect(kinds({ waId: USER, userId: USER })).toEqual([`userId ${USER}`]);
  });

  test("what is no user id is not believed", () => {
    expect(kinds({ userId: "16505551234", parentUserId: "x" })).toEqual([]);
  });

  // Meta names Brazil and Mexico, practice adds Argentina.
  test.each([
    ["5541988887777", ["554188887777"]],
    ["5215512345678", ["525512345678"]],
    ["5491112345678", ["541112345678"]],
    ["447700900123", []],
  ])("%s may also be known as %j", (waId, aliases) => {
    expect(identityKeys({ waId })[0]?.aliases).toEqual(aliases);
  });
});

test.each([
  [{ waId: "16505551234" }, "+16***34"],
  [{ userId: USER }, "US.***18"],
  [{ waId: USER }, "US.***18"],
  [{}, "***"],
])("%o is written to logs as %s", (party, masked) => {
  expect(maskIdentity(party)).toBe(masked);
});
