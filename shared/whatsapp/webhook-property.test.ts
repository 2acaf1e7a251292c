import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanText } from "../text";
import { contentPreview } from "./preview";
import { readWebhook, readWebhookBody } from "./webhook";
import { EVENT_SAMPLES } from "./webhook-event-samples";
import { MESSAGE_SAMPLES, STATUS_SAMPLES } from "./webhook-samples";

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

/** A delivery for each kind of message and status and for each field, as Meta sends it. */
const REAL: readonly (readonly [name: string, field: string, value: object])[] = [
  ...MESSAGE_SAMPLES.map(
    ([name, content]) =>
      [name, "messages", value([{ ...text("wamid.REAL"), text: undefined, ...content }])] as const,
  ),
  ...STATUS_SAMPLES.map(
    ([status, more]) =>
      [
        `the status ${status}`,
        "messages",
        { ...value([]), statuses: [{ id: "wamid.OUT", status, timestamp: "1750030073", ...more }] },
      ] as const,
  ),
  ...EVENT_SAMPLES.map(([field, event], index) => [`${field} (${index})`, field, event] as const),
];
const change = (field: string, what: unknown) => ({ field, value: what });
const entry = (changes: readonly unknown[]) => ({ id: "102290129340398", changes });
const goodChange = (id: string) => change("messages", value([text(id)]));
/** What a delivery says of the good messages in it, without where they stand. */
const goodOnes = (json: unknown) =>
  readWebhook(json).items.flatMap((item) =>
    item.kind === "message" && item.wamid?.startsWith("wamid.GOOD") ? [{ ...item, path: "" }] : [],
  );

describe("a delivery that was tampered with", () => {
  test.each(REAL)("%s: every prefix of it is answered, and the whole is read", (_, field, inner) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ entry: [entry([change(field, inner)])] }));
    for (let length = 0; length < bytes.length; length++) {
      const { items } = readWebhookBody(bytes.subarray(0, length));
      if (items.length !== 1 || items[0]?.kind !== "other" || items[0].reason !== "body") {
        expect(items).toMatchObject([{ kind: "other", reason: "body" }]);
      }
    }
    expect(readWebhookBody(bytes).items[0]).not.toMatchObject({ reason: "body" });
  });

  test.each(REAL)("%s: whatever is exchanged inside, no sibling is lost", (_, field, inner) => {
    const alone = goodOnes({ entry: [entry([goodChange("wamid.GOOD")])] })[0];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), surprise), { minLength: 1, maxLength: 3 }), (exchanges) => {
        const spoiled = exchanges.reduce<unknown>(
          (result, [place, what]) => exchanged(result, place, what),
          inner,
        );
        const json = {
          entry: [
            entry([goodChange("wamid.GOOD1"), change(field, spoiled), goodChange("wamid.GOOD2")]),
            entry([goodChange("wamid.GOOD3")]),
          ],
        };
        expectStorable(readWebhook(json));
        expect(goodOnes(json)).toEqual([1, 2, 3].map((n) => ({ ...alone, wamid: `wamid.GOOD${n}` })));
      }),
      { numRuns: 15 },
    );
  });

  test("a message that was tampered with leaves those before and after it in its list alone", () => {
    const items = MESSAGE_SAMPLES.map(([, content]) => ({ ...text("wamid.REAL"), ...content }));
    const alone = goodOnes(delivery([text("wamid.GOOD")]))[0];
    fc.assert(
      fc.property(fc.nat(items.length - 1), fc.nat(), surprise, (which, place, what) => {
        const spoiled = exchanged(items[which], place, what);
        const json = delivery([text("wamid.GOOD1"), spoiled, text("wamid.GOOD2")]);
        expect(goodOnes(json)).toEqual([1, 2].map((n) => ({ ...alone, wamid: `wamid.GOOD${n}` })));
      }),
      { numRuns: 600 },
    );
  });

  test("is answered for any exchanged bytes", () => {
    const bytes = new TextEncoder().encode(JSON.stringify(delivery([text("wamid.A", "caf\u00e9 😀")])));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, byte] of changes) changed[at] = byte;
          expectStorable(readWebhookBody(changed));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** What a place of a payload may hold instead: another kind of value, text that breaks stores, or nothing. */
const surprise: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, -1, 2 ** 60, "", "\u0000", "\ud83d", [], {}, [[]], "x".repeat(5_000)),
  fc.constant(undefined),
  fc.jsonValue(),
);

/** A copy in which the value at one place, counted through the whole document, is another one. */
function exchanged(document: unknown, place: number, what: unknown): unknown {
  let left = place % Math.max(1, countPlaces(document));
  const walk = (inner: unknown): unknown => {
    if (left-- === 0) return what;
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, child]) => [key, walk(child)]));
  };
  return walk(document);
}

function countPlaces(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countPlaces(inner), 1);
}

test("a body of a million brackets is answered", () => {
  expect(readWebhookBody("[".repeat(1_000_000) + "]".repeat(1_000_000)).items).toMatchObject([
    { kind: "other" },
  ]);
  expect(readWebhookBody(`{"entry":${"[".repeat(500_000)}${"]".repeat(500_000)}}`).items).toMatchObject([
    { kind: "other" },
  ]);
});
