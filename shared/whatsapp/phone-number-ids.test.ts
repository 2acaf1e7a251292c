import fc from "fast-check";
import { expect, test } from "vitest";
import { PHONE_NUMBER_IDS_MAX, phoneNumberIds } from "./phone-number-ids";

test("the ids of a delivery are found once each, in their order", () => {
  const value = (id: unknown) => ({ metadata: { display_phone_number: "1", phone_number_id: id } });
  expect(phoneNumberIds(JSON.stringify([value("222"), value(111), value("222")]))).toEqual(["222", "111"]);
  expect(phoneNumberIds(new TextEncoder().encode('{"phone_number_id" :\n "333"'))).toEqual(["333"]);
});

test("what a customer writes adds no id", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (noise) => {
      const text = `${noise}"phone_number_id":"999"${noise}`;
      expect(phoneNumberIds(JSON.stringify({ text: { body: text }, phone_number_id: "111" }))).toEqual([
        "111",
      ]);
    }),
  );
});

test.each([
  "",
  "{",
  '"phone_number_id"',
  '"phone_number_id":',
  '"phone_number_id":null',
  '"phone_number_id":"x1"',
  `"phone_number_id":"${"1".repeat(21)}"`,
])("%j names no number", (body) => expect(phoneNumberIds(body)).toEqual([]));

test("only so many ids are looked for, however many there are", () => {
  const many = Array.from({ length: 1000 }, (_, n) => `"phone_number_id":"${n + 1}"`).join(",");
  expect(phoneNumberIds(many)).toHaveLength(PHONE_NUMBER_IDS_MAX);
});

test("a body of the largest size is scanned in time", () => {
  const filler = '"phone_number_id":             ';
  const started = performance.now();
  expect(phoneNumberIds(filler.repeat(Math.floor((4 * 1024 * 1024) / filler.length)))).toEqual([]);
  // Linear work takes some tens of milliseconds; anything quadratic would take minutes.
  expect(performance.now() - started).toBeLessThan(2000);
});
