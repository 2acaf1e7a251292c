import { describe, expect, test } from "vitest";
import { readWebhook, readWebhookBody, WEBHOOK_ITEMS_MAX } from "./webhook";
import { MESSAGE_SAMPLES, STATUS_SAMPLES } from "./webhook-samples";

// The shapes follow Meta's pages of the same names under "Webhooks > messages" (text, image, audio, ..., status), and
// "Business-scoped user IDs"; the values are ours.

const METADATA = { display_phone_number: "15550783881", phone_number_id: "106540352242922" };
const SHEENA = {
  profile: { name: "Sheena Nelson" },
  wa_id: "16505551234",
  user_id: "US.13491208655302741918",
};

const delivery = (value: object, field = "messages") => ({
  object: "whatsapp_business_account",
  entry: [{ id: "102290129340398", changes: [{ field, value }] }],
});
const messages = (...list: unknown[]) =>
  delivery({ messaging_product: "whatsapp", metadata: METADATA, contacts: [SHEENA], messages: list });
const statuses = (...list: unknown[]) =>
  delivery({ messaging_product: "whatsapp", metadata: METADATA, statuses: list });
const message = (content: object) => ({
  from: "16505551234",
  id: "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQQA=",
  timestamp: "1749416383",
  ...content,
});
const only = (json: unknown) => {
  const { items, omitted } = readWebhook(json);
  expect(items).toHaveLength(1);
  expect(omitted).toBe(0);
  return items[0];
};

test.each(MESSAGE_SAMPLES)("reads %s", (_, content, expected) => {
  const item = only(messages(message(content)));
  expect(item).toMatchObject({
    kind: "message",
    path: "entry[0].changes[0].value.messages[0]",
    wabaId: "102290129340398",
    phoneNumberId: "106540352242922",
    wamid: "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQQA=",
    timestampMs: 1_749_416_383_000,
    customer: { waId: "16505551234", userId: "US.13491208655302741918", name: "Sheena Nelson" },
    content: expected,
  });
});

test("every documented kind of message has a row above", () => {
  // Meta: "Webhooks > messages", one page for each; replies and notices by the word inside.
  const documented = [
    ...[
      "text",
      "image",
      "video",
      "audio",
      "voice",
      "document",
      "sticker",
      "location",
      "contacts",
      "reaction",
    ],
    ...["button", "order", "edit", "revoke", "unsupported", "request_welcome", "media_placeholder"],
    ...["button_reply", "list_reply", "nfm_reply", "call_permission_reply", "address_message"],
    ...[
      "user_changed_number",
      "customer_changed_number",
      "user_changed_user_id",
      "customer_identity_changed",
    ],
  ];
  const samples = JSON.stringify(MESSAGE_SAMPLES.map(([, content]) => content));
  expect(documented.filter((word) => !samples.includes(`"${word}"`))).toEqual([]);
});

test.each(STATUS_SAMPLES)("reads the status %s", (status, more) => {
  const common = { id: "wamid.OUT", status, timestamp: "1750030073", recipient_id: "16505551234" };
  expect(only(statuses({ ...common, ...more }))).toMatchObject({
    kind: "status",
    status,
    wamid: "wamid.OUT",
    timestampMs: 1_750_030_073_000,
    recipient: { waId: "16505551234" },
  });
});

test("a message in a group names the group", () => {
  expect(only(messages(message({ type: "text", text: { body: "x" }, group_id: "G1" })))).toMatchObject({
    groupId: "G1",
    customer: { waId: "16505551234" },
  });
});

test("what is not read further keeps its JSON", () => {
  const item = only(messages(message({ type: "hologram", hologram: { depth: 3 } })));
  expect(
    item?.kind === "message" && item.content.type === "other" && JSON.parse(item.content.raw),
  ).toMatchObject({
    hologram: { depth: 3 },
  });
});

test("an edit of an edit is kept instead of followed", () => {
  const inner = { type: "edit", edit: { message: { type: "text", text: { body: "x" } } } };
  expect(only(messages(message({ type: "edit", edit: { message: inner } })))).toMatchObject({
    content: { type: "edit", content: { type: "other", label: "edit" } },
  });
});

describe("who wrote", () => {
  const from = (ids: object, contacts: unknown) =>
    only(
      delivery({
        metadata: METADATA,
        contacts,
        messages: [{ ...message({ type: "text", text: { body: "x" } }), ...ids }],
      }),
    );

  test("may be known by a user id alone", () => {
    const hidden = { profile: { name: "Noor", username: "@noor.studio" }, wa_id: "", user_id: "NL.1" };
    expect(from({ from: "", from_user_id: "NL.1" }, [hidden])).toMatchObject({
      customer: { userId: "NL.1", name: "Noor", username: "noor.studio" },
    });
    expect(from({ from: "", from_user_id: "NL.1" }, [hidden])).not.toHaveProperty("customer.waId");
  });

  test("is found among the contacts by id, not by position", () => {
    const others = [{ profile: { name: "Ana" }, wa_id: "554188887777" }, null, 7, SHEENA];
    expect(from({}, others)).toMatchObject({ customer: { name: "Sheena Nelson" } });
  });

  test("is not taken from a contact of somebody else", () => {
    expect(from({}, [{ profile: { name: "Ana" }, wa_id: "554188887777" }])).toMatchObject({
      customer: { waId: "16505551234" },
    });
    expect(from({}, [{ profile: { name: "Ana" }, wa_id: "554188887777" }])).not.toHaveProperty(
      "customer.name",
    );
  });

  test("may be the only contact when the message names nobody", () => {
    expect(from({ from: undefined }, [SHEENA])).toMatchObject({ customer: { waId: "16505551234" } });
    expect(from({ from: undefined }, [SHEENA, SHEENA])).toMatchObject({ customer: {} });
  });

  test.each([undefined, null, "x", 5, {}, []])("may come with contacts that are %j", (contacts) => {
    expect(from({}, contacts)).toMatchObject({ customer: { waId: "16505551234" } });
  });

  test("may be a number where a string belongs, as long as no digit is lost", () => {
    expect(from({ from: 16505551234 }, [])).toMatchObject({ customer: { waId: "16505551234" } });
    expect(from({ from: 2 ** 60 }, [])).not.toHaveProperty("customer.waId");
  });
});

test("a quote, a forward and an advertisement are read", () => {
  const item = only(
    messages(
      message({
        type: "text",
        text: { body: "x" },
        context: { from: "15550783881", id: "wamid.Q", frequently_forwarded: true },
        referral: { source_type: "ad", ctwa_clid: "c" },
      }),
    ),
  );
  expect(item).toMatchObject({ context: { wamid: "wamid.Q", from: "15550783881", forwarded: true } });
  expect(item?.kind === "message" && item.referral).toEqual({ sourceType: "ad", clickId: "c" });
});

test("metadata, ids and times may be missing", () => {
  const item = only({
    entry: [{ changes: [{ value: { messages: [{ type: "text", text: { body: "x" } }] } }] }],
  });
  expect(item).toEqual({
    kind: "message",
    path: "entry[0].changes[0].value.messages[0]",
    field: "",
    customer: {},
    content: { type: "text", text: "x" },
    errors: [],
  });
});

test("an id that would have to be cleaned or cut counts as missing", () => {
  for (const id of ["a\u0000b", "a\ud800", "x".repeat(513), "", {}, true, -1, 1.5]) {
    expect(only(messages({ ...message({}), id }))).not.toHaveProperty("wamid");
  }
});

describe("statuses", () => {
  test("carry price, conversation, our callback data and errors", () => {
    const status = {
      id: "wamid.OUT",
      status: "failed",
      timestamp: 1750030073,
      recipient_id: "16505551234",
      biz_opaque_callback_data: "p1:abc:1",
      conversation: { id: "c1", expiration_timestamp: "1750116473", origin: { type: "service" } },
      pricing: { billable: "true", pricing_model: "PMP", type: "regular", category: "service" },
      errors: [
        { code: "131047", title: "Re-engagement message", error_data: { details: "24 hours" } },
        3,
        { details: "top" },
      ],
    };
    expect(only(statuses(status))).toEqual({
      kind: "status",
      path: "entry[0].changes[0].value.statuses[0]",
      field: "messages",
      wabaId: "102290129340398",
      phoneNumberId: "106540352242922",
      displayPhoneNumber: "15550783881",
      wamid: "wamid.OUT",
      status: "failed",
      timestampMs: 1_750_030_073_000,
      recipient: { waId: "16505551234" },
      callbackData: "p1:abc:1",
      conversation: { id: "c1", expiresAtMs: 1_750_116_473_000, origin: "service" },
      pricing: { billable: true, model: "PMP", type: "regular", category: "service" },
      errors: [{ code: 131047, title: "Re-engagement message", details: "24 hours" }, { details: "top" }],
    });
  });

  test("keep a word that nobody knows, and an absent one as empty", () => {
    expect(only(statuses({ id: "wamid.OUT", status: "warning" }))).toMatchObject({
      kind: "status",
      status: "warning",
    });
    expect(only(statuses({ id: "wamid.OUT" }))).toMatchObject({ kind: "status", status: "" });
  });

  test.each(["recipient_participant_id", "participant_recipient_id"])(
    "of a group name the member in %s",
    (key) => {
      expect(
        only(statuses({ id: "wamid.OUT", status: "read", recipient_id: "g1", [key]: "16505551234" })),
      ).toMatchObject({
        participant: { waId: "16505551234" },
      });
    },
  );
});

test("what the business wrote on its own phone is an echo to the customer", () => {
  const echo = {
    from: "15550783881",
    to: "16505551234",
    id: "wamid.E",
    timestamp: "1749416383",
    type: "text",
    text: { body: "x" },
  };
  expect(only(delivery({ metadata: METADATA, message_echoes: [echo] }, "smb_message_echoes"))).toMatchObject({
    kind: "echo",
    wamid: "wamid.E",
    customer: { waId: "16505551234" },
    content: { type: "text", text: "x" },
  });
});

test("an error about the number stands for itself", () => {
  expect(
    only(delivery({ metadata: METADATA, errors: [{ code: 130429, title: "Rate limit hit" }] })),
  ).toMatchObject({
    kind: "error",
    error: { code: 130429, title: "Rate limit hit" },
  });
});

test.each(["consumer_profile", "tracking_events", "a_field_of_tomorrow", "__proto__", "constructor"])(
  "the field %s, which nobody has documented, is kept raw under its name",
  (field) => {
    const item = only(delivery({ event: "X", messages: [message({})] }, field));
    expect(item).toMatchObject({ kind: "other", reason: "field", field });
    expect(item?.kind === "other" && JSON.parse(item.raw)).toMatchObject({ event: "X" });
  },
);

test.each([
  null,
  true,
  5,
  "x",
  [],
  [[]],
  {},
  { entry: 5 },
  { entry: [5] },
  { entry: [{}] },
  { entry: [{ changes: [null] }] },
  delivery({}),
])("%j is kept as something that is not of the documented kind", (json) => {
  expect(only(json)).toMatchObject({ kind: "other", reason: expect.stringMatching(/^(body|shape)$/) });
});

test.each(["", "{", "\u0000", "nonsense", '{"entry":'])("the body %j is kept as unreadable", (body) => {
  expect(readWebhookBody(body).items).toMatchObject([{ kind: "other", reason: "body" }]);
});

test("a broken item spoils none of its neighbours", () => {
  let deep: unknown = {};
  for (let depth = 0; depth < 100_000; depth++) deep = { deep };
  const good = message({ type: "text", text: { body: "good" } });
  const { items } = readWebhook(messages(good, null, 5, "x", [good], { ...good, extra: deep }, good));
  expect(items.map((item) => (item.kind === "other" ? item.reason : item.kind))).toEqual([
    "message",
    "shape",
    "shape",
    "shape",
    "shape",
    "depth",
    "message",
  ]);
});

test("entries, changes and kinds are read in the order in which they stand", () => {
  const both = {
    metadata: METADATA,
    statuses: [{ id: "s", status: "sent" }],
    messages: [message({}), message({})],
    errors: [{ code: 1 }],
  };
  const { items } = readWebhook({
    entry: [...delivery(both).entry, { changes: 3 }, ...delivery(both).entry],
  });
  expect(items.map(({ kind }) => kind)).toEqual([
    ...["message", "message", "status", "error"],
    "other",
    ...["message", "message", "status", "error"],
  ]);
  expect(items.at(-1)?.path).toBe("entry[2].changes[0].value.errors[0]");
});

test("a list that came as one object is read as that one", () => {
  expect(
    only(delivery({ metadata: METADATA, messages: message({ type: "text", text: { body: "x" } }) })),
  ).toMatchObject({
    kind: "message",
    path: "entry[0].changes[0].value.messages",
  });
});

test("more items than Meta ever sends are counted, not read", () => {
  const { items, omitted } = readWebhook(
    statuses(...Array.from({ length: WEBHOOK_ITEMS_MAX + 7 }, () => ({}))),
  );
  expect(items).toHaveLength(WEBHOOK_ITEMS_MAX);
  expect(omitted).toBe(7);
});

test("a prototype key in a payload is only a key", () => {
  const json = JSON.parse(
    '{"entry":[{"changes":[{"field":"messages","value":{"messages":[{"__proto__":{"type":"text"},"id":"i"}]}}]}]}',
  );
  expect(only(json)).toMatchObject({ kind: "message", content: { type: "other", label: "unknown" } });
  expect({}).not.toHaveProperty("type");
});
