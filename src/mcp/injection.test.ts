import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { flagsOf } from "#shared/domain/flagged-text";
import { visibleText } from "#shared/domain/visible-text";
import { signatureHeader } from "#shared/signature";
import { INJECTIONS, type InjectionItem } from "../../tests/fixtures/injection";
import {
  APP_SECRET,
  BUSINESS,
  type InProcess,
  SITE_URL,
  startInProcess,
} from "../../tests/support/in-process";
import { mcpRequest } from "../../tests/support/mcp-request";

/** Items of one delivery, as Meta batches them. */
const BATCH = 20;

/** Fields that hold what a customer wrote. Everything else is ours, or WhatsApp's. */
const CUSTOMER_FIELDS = new Set(["text", "caption", "name", "preview", "filename", "address", "title"]);

/**
 * In `content` stands what the customer tapped, chose or shared, by the names that WhatsApp has for its parts, and in
 * `payload` the same as webhooks carry it.
 */
const isOfCustomer = (path: string[]): boolean =>
  CUSTOMER_FIELDS.has(path.at(-1) ?? "") || path.includes("content") || path.includes("payload");

let product: InProcess;
let answerMcp: typeof import("./endpoint").answerMcp;
let drainAudit: typeof import("./audit").drainAudit;
let key: string;

/** All that an agent reads before it reads a customer, and the errors that it meets. */
let before: Surface;
/** Where those lists stood before anybody wrote. */
const starts: Record<string, unknown> = {};
type Surface = Awaited<ReturnType<typeof surface>>;

beforeAll(async () => {
  product = await startInProcess();
  ({ answerMcp } = await import("./endpoint"));
  ({ drainAudit } = await import("./audit"));
  const accountId = (await product.addBusiness()).id;
  ({ key } = await product.createKey(accountId, ["read", "write", "send"], { rpm: 60_000 }));
  before = await surface();
  for (const tool of ["get_messages", "list_events"] as const) {
    const { result } = structured.parse(await callTool(tool, {}));
    starts[tool] = result.structuredContent?.["next_cursor"];
  }
  for (let at = 0; at < INJECTIONS.length; at += BATCH) await deliver(INJECTIONS.slice(at, at + BATCH));
}, 60_000);
afterAll(async () => {
  await drainAudit();
  await product.stop();
});

async function deliver(items: readonly InjectionItem[]): Promise<void> {
  const { takeDelivery } = await import("../server/webhook");
  const body = JSON.stringify({
    object: "whatsapp_business_account",
    entry: items.map(({ from, profileName, message, name }) => ({
      id: BUSINESS.wabaId,
      changes: [
        {
          field: "messages",
          value: {
            messaging_product: "whatsapp",
            metadata: {
              display_phone_number: BUSINESS.phoneNumber.slice(1),
              phone_number_id: BUSINESS.phoneNumberId,
            },
            contacts: [{ profile: { name: profileName }, wa_id: from }],
            messages: [
              { from, id: `wamid.${name}`, timestamp: String(Math.floor(Date.now() / 1000)), ...message },
            ],
          },
        },
      ],
    })),
  });
  const headers = { "x-hub-signature-256": await signatureHeader(APP_SECRET, body) };
  const response = await takeDelivery(
    new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers }),
  );
  expect(response.status).toBe(200);
  await product.backend.t.finishInProgressScheduledFunctions();
}

async function rpc(method: string, params: object = {}): Promise<Record<string, unknown>> {
  const response = await answerMcp(mcpRequest(key, method, params));
  return z.record(z.string(), z.unknown()).parse(await response.json());
}

const callTool = async (name: string, args: object) => await rpc("tools/call", { name, arguments: args });

const structured = z.looseObject({
  result: z.looseObject({
    content: z.tuple([z.looseObject({ text: z.string() })]),
    structuredContent: z.record(z.string(), z.unknown()).optional(),
  }),
});

async function surface() {
  return {
    initialize: await rpc("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    }),
    tools: await rpc("tools/list"),
    prompts: await rpc("prompts/list"),
    triage: await rpc("prompts/get", { name: "triage_inbox" }),
    draft: await rpc("prompts/get", { name: "draft_reply", arguments: { contact: INJECTIONS[0]?.from } }),
    templates: await rpc("resources/templates/list"),
    policy: await rpc("resources/read", { uri: "pons://accounts" }),
    unknownTool: await callTool("no_such_tool", {}),
    unknownContact: await callTool("get_conversation", { contact: "+19995550000" }),
    unknownResource: await rpc("resources/read", { uri: "pons://conversations/none" }),
    badArguments: await callTool("get_conversation", { contact: "+19995550000", limit: 0 }),
    badCursor: await callTool("list_conversations", { cursor: "made-up" }),
  };
}

/** Every place of a value in which a customer's text stands, with whether it is inside something marked untrusted. */
function places(value: unknown, sought: string, path: string[] = [], marked = false): Place[] {
  if (typeof value === "string") return value.includes(sought) ? [{ path, marked, value }] : [];
  if (typeof value !== "object" || value === null) return [];
  const inside = marked || ("untrusted" in value && value.untrusted === true);
  return Object.entries(value).flatMap(([name, part]) => [
    ...(name.includes(sought) ? [{ path: [...path, name], marked: false, value: name }] : []),
    ...places(part, sought, [...path, name], inside),
  ]);
}
type Place = { path: string[]; marked: boolean; value: string };

/** The value with the text of every field of a customer taken out. */
function withoutCustomer(value: unknown, path: string[] = []): unknown {
  if (Array.isArray(value)) return value.map((part) => withoutCustomer(part, path));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      typeof part === "string" && isOfCustomer([...path, name])
        ? "…"
        : withoutCustomer(part, [...path, name]),
    ]),
  );
}

describe("two hundred messages that try to be more than messages", () => {
  it("are two hundred", () => {
    expect(INJECTIONS).toHaveLength(200);
    expect(new Set(INJECTIONS.map(({ name }) => name)).size).toBe(200);
  });

  it("are flagged, but for those that are merely a lie, as they came and as they are shown", () => {
    const missed = INJECTIONS.filter(({ text }) => flagsOf(text).length === 0);
    expect([...new Set(missed.map(({ name }) => name.split(" ")[0]))]).toEqual(["quote", "ownerVoice"]);
    for (const { text } of INJECTIONS) expect(flagsOf(visibleText(text))).toEqual(flagsOf(text));
  });

  it("change no description, instruction, prompt, resource or error", async () => {
    expect(await surface()).toEqual(before);
  });

  it("give no resource a name", async () => {
    const listed = JSON.stringify(await rpc("resources/list"));
    for (const { text } of INJECTIONS) {
      expect(listed).not.toContain(JSON.stringify(text).slice(1, -1));
      expect(listed).not.toContain(JSON.stringify(visibleText(text)).slice(1, -1));
    }
  });

  it.each(INJECTIONS)("$name stands in marked fields only, and changes no other field", async (item) => {
    const { result } = structured.parse(await callTool("get_conversation", { contact: `+${item.from}` }));
    const data = result.structuredContent ?? {};
    expect(JSON.parse(result.content[0].text)).toEqual(data);
    expectMarked(data, item.text);
    const [message, ...others] = z.array(z.looseObject({})).parse(data["messages"]);
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      direction: "inbound",
      type: item.message["type"],
      untrusted: true,
      sender: { kind: "customer" },
    });
    const plain = INJECTIONS.find(({ name }) => name === item.name.replace(/^\w+/, "override"));
    const other = structured.parse(await callTool("get_conversation", { contact: `+${plain?.from}` })).result;
    expect(shapeOf(data)).toEqual(shapeOf(other.structuredContent));
  });

  it.each([
    ["list_conversations", "conversations", "cursor"],
    ["list_unanswered", "conversations", "cursor"],
    ["get_messages", "messages", "after"],
    ["list_events", "events", "after"],
  ] as const)("appear by %s in marked fields only", async (tool, field, cursorName) => {
    let cursor = starts[tool];
    let rows = 0;
    for (let isLast = false; !isLast; ) {
      const args = { limit: 50, ...(cursor !== undefined && { [cursorName]: cursor }) };
      const { result } = structured.parse(await callTool(tool, args));
      const data = result.structuredContent ?? {};
      rows += z.array(z.unknown()).parse(data[field]).length;
      for (const { text } of INJECTIONS) expectMarked(data, text);
      cursor = data["next_cursor"];
      isLast = data["more"] === undefined ? cursor === undefined : data["more"] === false;
    }
    expect(rows).toBeGreaterThanOrEqual(INJECTIONS.length);
  });

  it("are found, and read as resources, in marked fields only", async () => {
    for (const { from, text } of INJECTIONS.filter((_, at) => at % 5 === 0)) {
      const { result } = structured.parse(await callTool("search_contacts", { query: `+${from}` }));
      expectMarked(result.structuredContent ?? {}, text);
    }
    const list = z.looseObject({
      result: z.looseObject({ resources: z.array(z.looseObject({ uri: z.string() })) }),
    });
    const { resources } = list.parse(await rpc("resources/list")).result;
    const contents = z.looseObject({
      result: z.looseObject({ contents: z.tuple([z.looseObject({ text: z.string() })]) }),
    });
    for (const { uri } of resources) {
      const { result } = contents.parse(await rpc("resources/read", { uri }));
      const data: unknown = JSON.parse(result.contents[0].text);
      for (const { text } of INJECTIONS) expectMarked(data, text);
    }
  });
});

/** Wherever a customer's text stands in a value, it is a customer's field of something that is marked. */
function expectMarked(value: unknown, text: string): void {
  for (const { path, marked, value: shown } of places(value, visibleText(text))) {
    expect(marked, path.join(".")).toBe(true);
    expect(isOfCustomer(path), path.join(".")).toBe(true);
    expect(visibleText(shown)).toBe(shown);
  }
}

/** The value with everything taken out that differs between any two customers: texts, ids and times. */
const shapeOf = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(withoutCustomer(value), (name, part: unknown) =>
      ["id", "wamid", "phone", "timestamp", "expires_at", "at", "uri"].includes(name) ? "…" : part,
    ),
  );
