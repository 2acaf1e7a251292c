import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, changesOf, itemsOf, NUMBER, SHEENA, startBench } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
});
afterAll(() => bench.close());

const happen = (body: object) => bench.control("event", body);

/** Every key of a value with its path; items of a list share one. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => keysOf(item, `${path}[]`)))];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = path === "" ? key : `${path}.${key}`;
    return [own, ...keysOf(inner, own)];
  });
}

const HEAD = ["messaging_product", "metadata", "metadata.display_phone_number", "metadata.phone_number_id"];
const CONTACT = [
  "contacts",
  "contacts[].profile",
  "contacts[].profile.name",
  "contacts[].wa_id",
  "contacts[].user_id",
];
const under = (path: string, ...keys: string[]) => [
  path.replace("[]", ""),
  ...keys.map((key) => `${path}.${key}`),
];
const TEMPLATE = ["message_template_id", "message_template_name", "message_template_language"];

/** Written from Meta's reference by hand: what each value holds, and nothing else. */
const EVENTS: readonly [string, object, readonly string[]][] = [
  [
    "account_update",
    { event: "DISABLED_UPDATE", ban_info: { waba_ban_state: "DISABLE", waba_ban_date: "x" } },
    ["event", "ban_info", "ban_info.waba_ban_state", "ban_info.waba_ban_date"],
  ],
  [
    "account_update",
    { event: "PARTNER_ADDED" },
    ["event", ...under("waba_info", "waba_id", "owner_business_id")],
  ],
  [
    "account_update",
    { event: "ACCOUNT_VIOLATION", violation_info: { violation_type: "SCAM" } },
    ["event", ...under("violation_info", "violation_type")],
  ],
  [
    "account_update",
    {
      event: "ACCOUNT_RESTRICTION",
      restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING", expiration: 1 }],
    },
    ["event", ...under("restriction_info[]", "restriction_type", "expiration")],
  ],
  [
    "account_alerts",
    { alert_type: "OBA_APPROVED", alert_description: "x" },
    [
      "entity_type",
      "entity_id",
      ...under("alert_info", "alert_severity", "alert_status", "alert_type", "alert_description"),
    ],
  ],
  ["account_review_update", { decision: "APPROVED" }, ["decision"]],
  [
    "business_capability_update",
    { max_daily_conversations_per_business: 2000 },
    ["max_daily_conversations_per_business", "max_phone_numbers_per_business"],
  ],
  ["security", { event: "PIN_CHANGED" }, ["display_phone_number", "event", "requester"]],
  [
    "phone_number_quality_update",
    { event: "FLAGGED" },
    ["display_phone_number", "event", "max_daily_conversations_per_business"],
  ],
  [
    "phone_number_name_update",
    { decision: "APPROVED" },
    ["display_phone_number", "decision", "requested_verified_name", "rejection_reason"],
  ],
  [
    "business_username_updates",
    { status: "approved", username: "shrub" },
    ["display_phone_number", "username", "status"],
  ],
  [
    "message_template_components_update",
    { template: "hello_world" },
    [...TEMPLATE, "message_template_title", "message_template_element", "message_template_footer"],
  ],
  [
    "template_correct_category_detection",
    {
      template: "hello_world",
      category: "UTILITY",
      correct_category: "MARKETING",
    },
    [...TEMPLATE, "category", "correct_category"],
  ],
  [
    "user_preferences",
    { value: "stop" },
    [
      ...HEAD,
      ...CONTACT,
      ...under("user_preferences[]", "wa_id", "user_id", "detail", "category", "value", "timestamp"),
    ],
  ],
  [
    "calls",
    { event: "connect" },
    [
      ...HEAD,
      ...CONTACT,
      ...under("calls[]", "id", "from", "from_user_id", "to", "event", "direction", "timestamp"),
      ...under("calls[].session", "sdp_type", "sdp").map((key) => key.replace("calls.", "calls[].")),
    ],
  ],
  [
    "calls",
    { event: "terminate" },
    [
      ...HEAD,
      ...CONTACT,
      ...under(
        "calls[]",
        ...["id", "from", "from_user_id", "to", "event", "direction", "timestamp"],
        ...["status", "start_time", "end_time", "duration"],
      ),
    ],
  ],
  [
    "smb_message_echoes",
    { text: "Yes" },
    [
      ...HEAD,
      ...under(
        "message_echoes[]",
        "from",
        "to",
        "to_user_id",
        "id",
        "timestamp",
        "type",
        "text",
        "text.body",
      ),
    ],
  ],
  [
    "smb_message_echoes",
    { type: "revoke", message_id: "wamid.O" },
    [
      ...HEAD,
      ...under("message_echoes[]", "from", "to", "to_user_id", "id", "timestamp", "type"),
      ...["message_echoes[].revoke", "message_echoes[].revoke.original_message_id"],
    ],
  ],
  [
    "smb_app_state_sync",
    {},
    [
      ...HEAD,
      ...under("state_sync[]", "type", "contact", "action", "metadata", "metadata.timestamp"),
      ...["full_name", "first_name", "phone_number", "user_id"].map((key) => `state_sync[].contact.${key}`),
    ],
  ],
  [
    "history",
    { declined: true },
    [
      ...HEAD,
      ...["history", "history[].errors"],
      ...["code", "title", "message", "error_data", "error_data.details"].map(
        (key) => `history[].errors[].${key}`,
      ),
    ],
  ],
  [
    "messaging_handovers",
    { summary: "Wants two" },
    [
      "messaging_product",
      ...under("sender", "phone_number"),
      ...under("recipient", "phone_number_id", "display_phone_number"),
      "type",
      "timestamp",
      ...under("control_passed", "previous_owner_role", "new_owner_role", "metadata", "conversation_context"),
      ...["type", "summary", "summary.text"].map((key) => `control_passed.conversation_context.${key}`),
    ],
  ],
  [
    "standby",
    {},
    [
      ...HEAD,
      "standby",
      ...CONTACT.map((key) => `standby.${key}`),
      ...["", ".from", ".from_user_id", ".id", ".timestamp", ".type", ".text", ".text.body"].map(
        (key) => `standby.messages${key === "" ? "" : "[]"}${key}`,
      ),
    ],
  ],
  [
    "group_lifecycle_update",
    { subject: "Shrubs" },
    [...HEAD, ...under("groups[]", "timestamp", "group_id", "type", "subject")],
  ],
  [
    "group_participants_update",
    {},
    [
      ...HEAD,
      ...under(
        "groups[]",
        "timestamp",
        "group_id",
        "type",
        "added_participants",
        "added_participants[].wa_id",
      ),
    ],
  ],
  ["group_settings_update", {}, [...HEAD, ...under("groups[]", "timestamp", "group_id", "type")]],
  ["group_status_update", {}, [...HEAD, ...under("groups[]", "timestamp", "group_id", "type")]],
];

test.each(EVENTS)("%s %j has the documented keys and no other", async (field, body, keys) => {
  expect(await happen({ field, ...body })).toMatchObject({
    status: 200,
    body: { deliveries: [{ status: 200 }] },
  });
  const [change] = changesOf(bench.receiver);
  expect(change?.field).toBe(field);
  expect(keysOf(change?.value).sort()).toEqual([...keys].sort());
});

describe("history", () => {
  test("comes in three phases, of which each is older than the one before", async () => {
    expect((await happen({ field: "history", messagesPerThread: 3 })).body.deliveries).toHaveLength(3);
    const chunks = itemsOf(bench.receiver, "history");
    expect(chunks.map(({ metadata }) => metadata)).toEqual([
      { phase: 0, chunk_order: 1, progress: 33 },
      { phase: 1, chunk_order: 2, progress: 67 },
      { phase: 2, chunk_order: 3, progress: 100 },
    ]);
    const newest = chunks.map(({ threads }) => {
      const times = [...JSON.stringify(threads).matchAll(/"timestamp":"(\d+)"/g)].map(([, time]) =>
        Number(time),
      );
      return Math.max(...times);
    });
    expect([...newest].sort((a, b) => b - a)).toEqual(newest);
    expect(Object.keys(chunks[0] ?? {}).sort()).toEqual(["metadata", "threads"]);
    // It neither opens a window nor counts as sent.
    const { messages, customers } = (await bench.control("state")).body;
    expect([messages, customers.flatMap(({ windows }) => windows)]).toEqual([[], []]);
  });

  test("has no number for people who hide theirs", async () => {
    await happen({ field: "history" });
    const noor = itemsOf(bench.receiver, "history").map(({ threads }) => JSON.stringify(threads));
    expect(noor.join()).toContain('"username":"noor.studio"');
    expect(noor.join()).not.toContain('"31612345678"');
  });
});

describe("what happens is true from then on", () => {
  test("a call of the customer opens the window, one of the business does not", async () => {
    await happen({ field: "calls", event: "connect", direction: "BUSINESS_INITIATED" });
    expect((await bench.control("state")).body.customers[0]?.windows).toEqual([]);
    await happen({ field: "calls", event: "connect" });
    expect((await bench.control("state")).body.customers[0]?.windows).toHaveLength(1);
  });

  test("whoever stops marketing gets none, until it is resumed", async () => {
    await happen({ field: "user_preferences", customer: SHEENA, value: "stop" });
    expect((await bench.control("state")).body.customers[0]).toMatchObject({ optedOut: true });
    await happen({ field: "user_preferences", customer: SHEENA, value: "resume" });
    expect((await bench.control("state")).body.customers[0]).toMatchObject({ optedOut: false });
  });

  test("what the owner wrote on the phone is a message of the business, and can be taken back", async () => {
    await happen({ field: "smb_message_echoes", text: "Yes", id: "wamid.E" });
    await happen({ field: "smb_message_echoes", type: "edit", text: "No", message_id: "wamid.E" });
    await happen({ field: "smb_message_echoes", type: "revoke", message_id: "wamid.E" });
    expect((await bench.control("state")).body.messages).toMatchObject([
      { id: "wamid.E", direction: "outbound", content: { body: "No" }, edited: true, revoked: true },
    ]);
  });
});

test("any field can be sent with a value of one's own", async () => {
  await happen({ field: "tracking_events", value: { anything: [1] } });
  expect(changesOf(bench.receiver)).toEqual([{ field: "tracking_events", value: { anything: [1] } }]);
});

test.each([
  [{}, "field"],
  [{ field: "security" }, "event"],
  [{ field: "security", event: "PIN_EATEN" }, "event"],
  [{ field: "security", event: "PIN_CHANGED", who: "x" }, "who"],
  [{ field: "telepathy" }, "field"],
  [{ field: "history", phases: [3] }, "phases.0"],
  [{ field: "calls", event: "connect", number: "1" }, "number"],
  [{ field: "calls", event: "connect", customer: "+10000000" }, "customer"],
  [
    { field: "account_update", event: "ACCOUNT_RESTRICTION", restriction_info: [{}] },
    "restriction_info.0.restriction_type",
  ],
  [{ field: "messages", value: {}, more: 1 }, "more"],
])("%j is refused with the path %s", async (body, path) => {
  const answer = await happen(body);
  expect([answer.status, answer.body.error.path]).toEqual([400, path]);
  expect(bench.receiver.received).toEqual([]);
});

test("the number can be chosen by its id", async () => {
  expect((await happen({ field: "group_settings_update", number: NUMBER })).status).toBe(200);
});
