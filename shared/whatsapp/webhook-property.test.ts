import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanText } from "../text";
import { contentPreview } from "./preview";
import { readWebhook, readWebhookBody } from "./webhook";

const text = (id: string, body = "Hello") => ({
  from: "16505551234",
  id,
  timestamp: "1749416383",
  type: "text",
  text: { body },
});
const value = (messages: readonly unknown[]) => ({
  messaging_product: "whatsapp",
  metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
  contacts: [{ profile: { name: "Sheena Nelson" }, wa_id: "16505551234" }],
  messages,
});
const delivery = (messages: readonly unknown[]) => ({
  object: "whatsapp_business_account",
  entry: [{ id: "102290129340398", changes: [{ field: "messages", value: value(messages) }] }],
});

/** Objects whose keys are those that the reader looks at, with any JSON under them. */
const KEYS = [
  ...[
    "type",
    "text",
    "body",
    "image",
    "id",
    "timestamp",
    "from",
    "context",
    "reaction",
    "interactive",
    "contacts",
  ],
  ...[
    "errors",
    "edit",
    "message",
    "order",
    "product_items",
    "system",
    "status",
    "pricing",
    "phones",
    "name",
    "audio",
  ],
];
const hostile = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(
    fc.constantFrom(...KEYS),
    fc.oneof(
      fc.constantFrom(...KEYS),
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...KEYS), fc.jsonValue()),
    ),
  ),
);

/** Every text of a reading must be one that a store takes: no NUL and no lone surrogate. */
function expectStorable(value: unknown): void {
  if (typeof value === "string") expect(cleanText(value)).toBe(value);
  if (typeof value === "object" && value !== null) Object.values(value).forEach(expectStorable);
}

test("any JSON gives a reading that can be stored and shown, and nothing throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        hostile,
        hostile.map((item) => delivery([item])),
        hostile.map((inner) => ({ entry: inner })),
      ),
      (json) => {
        const reading = readWebhook(json);
        expectStorable(reading);
        for (const item of reading.items)
          if (item.kind === "message") expect(contentPreview(item.content).length).toBeLessThanOrEqual(100);
      },
    ),
    { numRuns: 3000 },
  );
});

test("whatever stands beside them, the good messages are read as if they were alone", () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 4 }), fc.array(hostile, { maxLength: 4 }), (before, after) => {
      const alone = readWebhook(delivery([text("wamid.GOOD")])).items[0];
      const { items } = readWebhook(delivery([...before, text("wamid.GOOD"), ...after]));
      expect(items).toHaveLength(before.length + after.length + 1);
      expect(items[before.length]).toEqual({
        ...alone,
        path: `entry[0].changes[0].value.messages[${before.length}]`,
      });
    }),
    { numRuns: 1000 },
  );
});

describe("a delivery that was tampered with", () => {
  const whole = JSON.stringify(delivery([text("wamid.A", "caf\u00e9 😀"), text("wamid.B")]));

  test("is answered for every prefix", () => {
    const bytes = new TextEncoder().encode(whole);
    for (let length = 0; length < bytes.length; length++) {
      expect(readWebhookBody(bytes.subarray(0, length)).items).toMatchObject([
        { kind: "other", reason: "body" },
      ]);
    }
    expect(readWebhookBody(bytes).items).toHaveLength(2);
  });

  test("is answered for any exchanged bytes", () => {
    const bytes = new TextEncoder().encode(whole);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, byte] of changes) changed[at] = byte;
          const reading = readWebhookBody(changed);
          expectStorable(reading);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("a body of a million brackets is answered", () => {
  expect(readWebhookBody("[".repeat(1_000_000) + "]".repeat(1_000_000)).items).toMatchObject([
    { kind: "other" },
  ]);
  expect(readWebhookBody(`{"entry":${"[".repeat(500_000)}${"]".repeat(500_000)}}`).items).toMatchObject([
    { kind: "other" },
  ]);
});
