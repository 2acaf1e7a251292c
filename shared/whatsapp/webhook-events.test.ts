import fc from "fast-check";
import { expect, test } from "vitest";
import { readWebhook } from "./webhook";
import { EVENT_SAMPLES } from "./webhook-event-samples";
import { EVENT_READERS } from "./webhook-events";

const read = (field: string, value: object) =>
  readWebhook({
    object: "whatsapp_business_account",
    entry: [{ id: "102290129340398", time: 1739321024, changes: [{ field, value }] }],
  }).items;

test.each(EVENT_SAMPLES)("the field %s becomes a typed event (%#)", (field, value, event) => {
  expect(read(field, value)).toEqual([
    expect.objectContaining({
      kind: "event",
      field,
      wabaId: "102290129340398",
      event: expect.objectContaining(event),
    }),
  ]);
});

test("every field that is read has a row above", () => {
  const rows = new Set(EVENT_SAMPLES.map(([field]) => field));
  expect(Object.keys(EVENT_READERS).filter((field) => !rows.has(field))).toEqual([]);
});

test("one delivery may tell of several customers, each is an item", () => {
  const wishes = ["stop", "resume"].map((value) => ({ wa_id: "1", value }));
  expect(read("user_preferences", { user_preferences: wishes }).map((item) => item.kind)).toEqual([
    "event",
    "event",
  ]);
});

test.each(Object.keys(EVENT_READERS))("%s: any JSON under it gives items and no exception", (field) => {
  const keys = fc.constantFrom(
    "event",
    "decision",
    "status",
    "type",
    "calls",
    "groups",
    "state_sync",
    "user_preferences",
    "user_id_update",
    "alert_info",
    "alert_type",
    "new_quality_score",
    "automatic_events",
    "history",
    "contacts",
    "restriction_info",
  );
  const hostile = fc.dictionary(
    keys,
    fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(keys, fc.jsonValue()))),
  );
  fc.assert(
    fc.property(hostile, (value) => {
      const items = read(field, value);
      expect(items.length).toBeGreaterThan(0);
      JSON.stringify(items);
    }),
    { numRuns: 50 },
  );
});
