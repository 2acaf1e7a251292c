import { expect, test } from "vitest";
import { contactDetail, contactName, formatPhone, initials, matchesContact } from "./contact-name";

test.each([
  ["+16505551234", "+1 650 555 1234"],
  ["+5511999990000", "+5511999990000"],
  ["+1650555123", "+1650555123"],
])("%s is shown as %s", (phone, shown) => {
  expect(formatPhone(phone)).toBe(shown);
});

test("a contact without a name is shown by a readable number, once", () => {
  const contact = { name: "+16505551234", phone: "+16505551234" };
  expect(contactName(contact)).toBe("+1 650 555 1234");
  expect(contactDetail(contact)).toBeUndefined();
});

test("what the name does not say stands below it", () => {
  expect(contactDetail({ name: "Sheena", phone: "+16505551234", username: "sheena" })).toBe(
    "+1 650 555 1234 · @sheena",
  );
  expect(contactDetail({ name: "@sheena", username: "sheena" })).toBeUndefined();
});

test.each([
  ["Sheena Nelson", "SN"],
  ["josé maría álvarez", "JÁ"],
  ["Madonna", "M"],
  ["@sheena", "S"],
  ["🦊 Fox", "F"],
  ["+1 650 555 1234", undefined],
  ["🦊", undefined],
  ["", undefined],
])("the initials of %j are %j", (name, letters) => {
  expect(initials(name)).toBe(letters);
});

test.each(["jose", "ÁLVAREZ", "josealv", "650 555", "+1 (650)", "5551235", ""])(
  "%j finds José Álvarez",
  (filter) => {
    const contact = { name: "José Álvarez", phone: "+16505551235", username: "josealv" };
    expect(matchesContact(contact, filter)).toBe(true);
  },
);

test.each(["sheena", "999", "josé b"])("%j does not find José Álvarez", (filter) => {
  expect(matchesContact({ name: "José Álvarez", phone: "+16505551235" }, filter)).toBe(false);
});
