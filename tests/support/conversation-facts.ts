import { change, NUMBER, START } from "./convex-app";

/** One thing that Meta tells about a conversation, as it stands in a webhook, and the field that it comes in. */
export interface Fact {
  readonly field: "messages" | "smb_message_echoes" | "history";
  readonly list: "messages" | "statuses" | "message_echoes" | "history";
  readonly body: object;
  readonly name?: string;
}

/**
 * Everything that can happen in one conversation: messages of both sides, edits and revocations by the author and by
 * somebody else, reactions and their removal, statuses, an imported copy. Meta's time differs for each message,
 * because of two messages of one second the one that comes first stands first.
 */
export function conversationFacts(customer: string): Fact[] {
  const id = (name: string) => `wamid.${customer}.${name}`;
  const stamp = (second: number) => String(START / 1000 + second);
  const inbound = (name: string, second: number, type: string, content: unknown, profile?: string): Fact => ({
    field: "messages",
    list: "messages",
    body: {
      from: customer,
      from_user_id: `US.${customer}`,
      id: id(name),
      timestamp: stamp(second),
      type,
      [type]: content,
    },
    ...(profile !== undefined && { name: profile }),
  });
  const echo = (name: string, second: number, type: string, content: unknown): Fact => ({
    field: "smb_message_echoes",
    list: "message_echoes",
    body: {
      from: "15550783881",
      to: customer,
      id: id(name),
      timestamp: stamp(second),
      type,
      [type]: content,
    },
  });
  const status = (word: string, name: string, second: number, more: object = {}): Fact => ({
    field: "messages",
    list: "statuses",
    body: { id: id(name), status: word, timestamp: stamp(second), recipient_id: customer, ...more },
  });
  const edited = (name: string, text: string) => ({
    original_message_id: id(name),
    message: { type: "text", text: { body: text } },
  });
  const paid = (category: string) => ({
    pricing: { billable: true, pricing_model: "PMP", type: "regular", category },
  });
  return [
    inbound("hello", 0, "text", { body: "I want 10" }, "Sheena"),
    inbound("hello-edit-1", 20, "edit", edited("hello", "I want 12"), "Sheena N."),
    inbound("hello-edit-2", 21, "edit", edited("hello", "I want 20")),
    inbound("cake", 30, "location", { latitude: 1, longitude: 2, name: "Home" }, "Sheena Nelson"),
    inbound("cake-revoke", 40, "revoke", { original_message_id: id("cake") }),
    inbound("hello-react-1", 41, "reaction", { message_id: id("reply"), emoji: "👍" }),
    inbound("hello-react-2", 42, "reaction", { message_id: id("reply"), emoji: "" }),
    inbound("forged-edit", 43, "edit", edited("reply", "Free for you")),
    echo("reply", 10, "text", { body: "Yes" }),
    echo("reply-edit", 44, "edit", edited("reply", "Yes, tomorrow")),
    echo("reply-react", 45, "reaction", { message_id: id("hello"), emoji: "❤️" }),
    echo("forged-revoke", 46, "revoke", { original_message_id: id("hello") }),
    status("sent", "reply", 11, paid("service")),
    status("delivered", "reply", 12, paid("utility")),
    status("read", "reply", 14),
    status("failed", "reply", 12, { errors: [{ code: 131026, title: "Message undeliverable" }] }),
    {
      field: "history",
      list: "history",
      body: {
        metadata: { phase: 0, chunk_order: 1, progress: 10 },
        threads: [
          {
            id: customer,
            messages: [
              {
                from: customer,
                id: id("hello"),
                timestamp: stamp(0),
                type: "text",
                text: { body: "I want 10" },
                history_context: { from_me: false, status: "READ" },
              },
            ],
          },
        ],
      },
    },
  ];
}

/** One delivery that holds these facts in this order; each field is a change of its own, as Meta sends them. */
export function deliveryOf(customer: string, facts: readonly Fact[]) {
  const changes = facts.map(({ field, list, body, name }) => {
    const contacts = [
      { wa_id: customer, user_id: `US.${customer}`, ...(name !== undefined && { profile: { name } }) },
    ];
    return change(NUMBER.phoneNumberId, { contacts, [list]: [body] }, field);
  });
  return { object: "whatsapp_business_account", entry: [{ id: NUMBER.wabaId, changes }] };
}

type Rows = readonly Record<string, unknown>[];
export type ReadTable = (table: (typeof TABLES)[number]) => Rows;

/** What the state of a conversation is made of. */
const TABLES = [
  "messages",
  "conversations",
  "contacts",
  "contactIdentities",
  "contactDuplicates",
  "messageStatuses",
  "messageEdits",
  "reactions",
  "webhookEvents",
] as const;

/**
 * Fields that say in what order things came here and not what they are: our own ids and clock, the numbers that are
 * given on arrival, and the text of an event, which shows the moment at which it was told.
 */
const OF_ARRIVAL = new Set(["_id", "_creationTime", "seq", "conversationSeq", "eventId", "body", "late"]);

/** The state of the conversation with one customer, in a form that two orders of arrival can be compared in. */
export function conversationState(read: ReadTable, customer: string): string {
  const names = new Map<unknown, string>();
  const mine: Record<string, unknown>[] = [];
  for (const row of read("contacts")) {
    if (row["waId"] === customer) names.set(row["_id"], "the contact");
  }
  for (const row of read("conversations")) {
    if (names.has(row["contactId"])) names.set(row["_id"], "the conversation");
  }
  for (const row of read("messages")) {
    if (names.has(row["contactId"])) names.set(row["_id"], String(row["wamid"]));
  }
  for (const table of TABLES) {
    for (const row of read(table)) {
      const belongs =
        names.has(row["_id"]) || names.has(row["contactId"]) || JSON.stringify(row).includes(`.${customer}.`);
      if (belongs) mine.push({ table, ...comparable(row, names) });
    }
  }
  return mine
    .map((row) => JSON.stringify(row))
    .sort()
    .join("\n");
}

function comparable(row: Record<string, unknown>, names: ReadonlyMap<unknown, string>) {
  const fields = Object.entries(row)
    .filter(([field]) => !OF_ARRIVAL.has(field))
    .map(([field, value]) => [field, names.get(value) ?? sorted(value)] as const);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
