import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  change,
  closeApp,
  NUMBER,
  openApp,
  START,
  status,
  statusWebhook,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "ana");
});
afterEach(closeApp);

const at = (seconds: number) => START + seconds * 1000;
const stamp = (seconds: number) => String(at(seconds) / 1000);
/** A message of any type as it stands in `value.messages`. */
const item = (type: string, body: unknown, more: object = {}) => {
  const { text: _, ...message } = textMessage();
  return { ...message, type, [type]: body, ...more };
};
const field = (name: string, value: object) => ({
  entry: [{ id: NUMBER.wabaId, changes: [change(NUMBER.phoneNumberId, value, name)] }],
});
const echoes = (...items: object[]) =>
  field("smb_message_echoes", {
    message_echoes: items.map((echo) => ({ ...echo, from: "15550783881", to: CUSTOMER })),
  });
const thread = async () => {
  const [conversation] = await app.rows("conversations");
  if (conversation === undefined) throw new Error("no conversation");
  const paginationOpts = { numItems: 50, cursor: null };
  const { page } = await app
    .user("ana")
    .query(api.messages.list, { accountId, conversationId: conversation._id, paginationOpts });
  return page.reverse();
};
const only = async () => {
  const [message, ...more] = await thread();
  if (message === undefined || more.length > 0) throw new Error("not one message");
  return message;
};
const events = async () => (await app.rows("webhookEvents")).map(({ type }) => type);
const find = async (words: string) =>
  await app.backend.run(async (ctx) =>
    (
      await ctx.db
        .query("messages")
        .withSearchIndex("search_text", (q) => q.search("searchText", words).eq("accountId", accountId))
        .take(10)
    ).map(({ type }) => type),
  );

describe("what a message holds is stored in columns and found by its words", () => {
  it.each([
    [
      "location",
      item("location", { latitude: 37.4, longitude: -122.1, name: "Marlowe Bakery", address: "4 Hill Road" }),
      { location: { latitude: 37.4, longitude: -122.1, name: "Marlowe Bakery", address: "4 Hill Road" } },
      ["marlowe", "hill"],
    ],
    [
      "contacts",
      item("contacts", [{ name: { formatted_name: "Ines Duarte" }, phones: [{ phone: "+351912345678" }] }]),
      { contacts: [{ name: "Ines Duarte", phones: ["+351912345678"] }] },
      ["duarte", "351912345678"],
    ],
    [
      "interactive",
      item("interactive", {
        type: "list_reply",
        list_reply: { id: "t2", title: "Tuesday", description: "afternoon" },
      }),
      {
        text: "Tuesday",
        interactive: { kind: "list_reply", id: "t2", title: "Tuesday", description: "afternoon" },
      },
      ["tuesday", "afternoon"],
    ],
    [
      "interactive",
      item("interactive", {
        type: "nfm_reply",
        nfm_reply: { name: "flow", body: "Sent", response_json: '{"size":"large"}' },
      }),
      { interactive: { kind: "nfm_reply", title: "Sent", response: '{"size":"large"}' } },
      ["sent"],
    ],
    [
      "button",
      item("button", { payload: "track-7", text: "Track order" }),
      { text: "Track order", interactive: { kind: "button", id: "track-7", title: "Track order" } },
      ["track"],
    ],
    [
      "order",
      item("order", {
        catalog_id: "c1",
        text: "Please hurry",
        product_items: [
          { product_retailer_id: "croissant", quantity: "3", item_price: 2.5, currency: "EUR" },
        ],
      }),
      {
        order: {
          catalogId: "c1",
          itemCount: 1,
          items: [{ productId: "croissant", quantity: 3, price: 2.5, currency: "EUR" }],
        },
      },
      ["croissant", "hurry"],
    ],
    [
      "document",
      item("document", { id: "m1", filename: "invoice.pdf", caption: "October" }),
      {},
      ["invoice", "october"],
    ],
  ])("%s", async (type, message, columns, words) => {
    await app.deliver(webhook([message]));
    expect(await only()).toMatchObject({ type, ...columns });
    for (const word of words) expect(await find(word)).toEqual([type]);
    expect(await find("nothing-like-it")).toEqual([]);
  });

  it("a forwarded question about a product, from an advertisement", async () => {
    const context = { forwarded: true, referred_product: { catalog_id: "c1", product_retailer_id: "p1" } };
    const referral = { source_id: "ad7", source_type: "ad", headline: "Free coffee", ctwa_clid: "k" };
    await app.deliver(webhook([{ ...textMessage({ at: START }), context, referral }]));
    expect(await only()).toMatchObject({
      forwarded: true,
      product: { catalogId: "c1", productId: "p1" },
      referral: { sourceId: "ad7", sourceType: "ad", headline: "Free coffee", clickId: "k" },
    });
    expect((await app.rows("conversations"))[0]).toMatchObject({ referredAt: START });
    expect(await find("coffee")).toEqual(["text"]);
  });

  it("why Meta could not hand a file over", async () => {
    await app.deliver(webhook([item("image", { mime_type: "image/jpeg" }, { errors: [{ code: 131052 }] })]));
    expect((await app.rows("messages"))[0]?.media).toMatchObject({ state: "failed", reason: "graph_131052" });
  });
});

describe("edits and revocations", () => {
  const original = webhook([textMessage({ id: "wamid.M", text: "I want 10", at: at(0) })]);
  const edit = (text: string, id: string, seconds: number) =>
    webhook([
      item(
        "edit",
        { original_message_id: "wamid.M", message: { type: "text", text: { body: text } } },
        { id, timestamp: stamp(seconds) },
      ),
    ]);
  const revoke = webhook([
    item("revoke", { original_message_id: "wamid.M" }, { id: "wamid.R", timestamp: stamp(9) }),
  ]);

  it("show the latest state and keep every earlier one", async () => {
    await app.deliver(original);
    await app.deliver(edit("I want 12", "wamid.E1", 1));
    await app.deliver(edit("I want 20", "wamid.E2", 2));
    expect(await only()).toMatchObject({ text: "I want 20", editedAt: at(2), wamid: "wamid.M" });
    expect((await app.rows("conversations"))[0]).toMatchObject({ preview: "I want 20", inboundCount: 1 });
    const history = (await app.rows("messageEdits")).map(({ kind, content }) => [kind, content?.text]);
    expect(history.sort()).toEqual([
      ["edit", "I want 12"],
      ["edit", "I want 20"],
      ["original", "I want 10"],
    ]);
    expect(await find("20")).toEqual(["text"]);
    expect(await find("10")).toEqual([]);
    await app.deliver(revoke);
    expect(await only()).toMatchObject({ text: "I want 20", revokedAt: at(9) });
    expect((await app.rows("conversations"))[0]?.preview).toBe("Deleted a message");
    expect(await events()).toEqual([
      "message.inbound.received",
      "message.inbound.edited",
      "message.inbound.edited",
      "message.inbound.revoked",
    ]);
  });

  it("wait for their message when they come first, and move no window", async () => {
    await app.deliver(revoke);
    await app.deliver(edit("I want 20", "wamid.E2", 2));
    await app.deliver(edit("I want 12", "wamid.E1", 1));
    expect(await app.rows("messages")).toEqual([]);
    expect((await app.rows("conversations"))[0]?.windowExpiresAt).toBeUndefined();
    await app.deliver(original);
    expect(await only()).toMatchObject({ text: "I want 20", editedAt: at(2), revokedAt: at(9) });
    expect((await app.rows("conversations"))[0]?.windowExpiresAt).toBe(at(86_400));
    expect(await events()).toHaveLength(4);
  });

  it("of a picture fetch the new file, and of its caption only keep the file", async () => {
    const picture = (id: string, caption: string) => ({ id, mime_type: "image/jpeg", caption });
    const change = (image: object, id: string, seconds: number) =>
      webhook([
        item(
          "edit",
          { original_message_id: "wamid.P", message: { type: "image", image } },
          { id, timestamp: stamp(seconds) },
        ),
      ]);
    await app.deliver(webhook([item("image", picture("m1", "one"), { id: "wamid.P", timestamp: stamp(0) })]));
    await app.deliver(change(picture("m1", "two"), "wamid.E1", 1));
    expect((await app.rows("messages"))[0]).toMatchObject({ caption: "two", media: { graphMediaId: "m1" } });
    await app.deliver(change(picture("m2", "three"), "wamid.E2", 2));
    expect((await app.rows("messages"))[0]).toMatchObject({
      caption: "three",
      media: { graphMediaId: "m2", state: "pending" },
    });
  });

  it("change only what their author wrote", async () => {
    await app.deliver(original);
    await app.deliver(
      echoes({
        id: "wamid.X",
        timestamp: stamp(3),
        type: "revoke",
        revoke: { original_message_id: "wamid.M" },
      }),
    );
    expect((await only()).revokedAt).toBeUndefined();
  });

  it("by the business on its own phone change its message", async () => {
    await app.deliver(echoes(textMessage({ id: "wamid.B", text: "Tomorow", at: at(0) })));
    const message = { type: "text", text: { body: "Tomorrow" } };
    const body = { original_message_id: "wamid.B", message };
    await app.deliver(echoes({ id: "wamid.BE", timestamp: stamp(1), type: "edit", edit: body }));
    expect(await only()).toMatchObject({ direction: "outbound", text: "Tomorrow", editedAt: at(1) });
    expect(await events()).toEqual(["message.outbound.sent", "message.outbound.edited"]);
  });
});

describe("the history of the phone app", () => {
  const history = (...messages: object[]) =>
    field("history", {
      history: [
        { metadata: { phase: 0, chunk_order: 1, progress: 50 }, threads: [{ id: CUSTOMER, messages }] },
      ],
    });
  const old = (id: string, text: string, fromMe: boolean, statusWord: string) => ({
    ...textMessage({ id, text, at: START - 40 * 86_400_000 }),
    history_context: { status: statusWord, from_me: fromMe },
  });

  it("is stored without a window, unread messages or events", async () => {
    await app.deliver(history(old("wamid.1", "Hello?", false, "READ"), old("wamid.2", "Yes", true, "READ")));
    expect(await thread()).toMatchObject([
      { text: "Hello?", direction: "inbound", imported: true, status: "received" },
      { text: "Yes", direction: "outbound", imported: true, status: "read" },
    ]);
    const [conversation] = await app.rows("conversations");
    expect(conversation).toMatchObject({ inboundCount: 0, preview: "Yes" });
    expect(conversation?.windowExpiresAt).toBeUndefined();
    expect(await events()).toEqual([]);
  });

  it("that overlaps with what came live ends alike in both orders", async () => {
    const live = webhook([textMessage({ id: "wamid.1", text: "Hello", at: START })]);
    const copy = history({
      ...textMessage({ id: "wamid.1", text: "Hello", at: START }),
      history_context: { from_me: false },
    });
    const states = [];
    for (const order of [
      [live, copy],
      [copy, live],
    ]) {
      closeApp();
      app = openApp();
      accountId = await app.addAccount();
      for (const body of order) await app.deliver(body);
      const [conversation] = await app.rows("conversations");
      const [message] = await app.rows("messages");
      states.push([
        conversation?.inboundCount,
        conversation?.windowExpiresAt,
        message?.imported,
        await events(),
      ]);
    }
    expect(states[0]).toEqual([1, START + 86_400_000, undefined, ["message.inbound.received"]]);
    expect(states[1]).toEqual(states[0]);
  });

  it("fills the place of a file when the file comes", async () => {
    const place = { ...old("wamid.F", "", false, "READ"), type: "media_placeholder", text: undefined };
    await app.deliver(history(place));
    const file = item(
      "image",
      { id: "m9", caption: "cake" },
      { id: "wamid.F", history_context: { from_me: false } },
    );
    await app.deliver(field("history", { messages: [file] }));
    await app.deliver(history(place));
    expect(await only()).toMatchObject({ type: "image", caption: "cake", imported: true });
  });
});

describe("calls", () => {
  const call = (event: string, seconds: number, more: object = {}) => ({
    id: "wacid.1",
    from: CUSTOMER,
    to: "15550783881",
    event,
    direction: "USER_INITIATED",
    timestamp: stamp(seconds),
    ...more,
  });

  it("by a customer are one message that follows what is told, open the window and are unread once", async () => {
    await app.deliver(field("calls", { calls: [call("connect", 0)] }));
    expect(await only()).toMatchObject({ type: "call", direction: "inbound", call: { state: "ringing" } });
    const ended = field("calls", { calls: [call("terminate", 30, { status: "COMPLETED", duration: 25 })] });
    await app.deliver(ended);
    await app.deliver({ ...ended, again: true });
    expect(await only()).toMatchObject({
      call: { state: "ended", result: "COMPLETED", durationSeconds: 25 },
    });
    expect((await app.rows("conversations"))[0]).toMatchObject({
      inboundCount: 1,
      windowExpiresAt: at(86_400),
      windowSource: { kind: "call", wamid: "wacid.1" },
    });
    expect(await events()).toEqual(["call.updated", "call.updated"]);
  });
});

describe("the conversation", () => {
  it("names what moved its window last, and comes back from the archive with a new message only", async () => {
    await app.receive("first", { id: "wamid.1", at: at(10) });
    const [row] = await app.rows("conversations");
    await app.backend.run(async (ctx) => {
      if (row !== undefined) await ctx.db.patch(row._id, { archived: true, archivedAt: START });
    });
    await app.deliver(
      webhook([
        item("reaction", { message_id: "wamid.1", emoji: "👍" }, { id: "wamid.2", timestamp: stamp(20) }),
      ]),
    );
    expect((await app.rows("conversations"))[0]).toMatchObject({
      archived: true,
      windowExpiresAt: at(20 + 86_400),
      windowSource: { kind: "reaction", wamid: "wamid.2" },
    });
    await app.receive("older", { id: "wamid.0", at: at(5) });
    expect((await app.rows("conversations"))[0]).toMatchObject({
      archived: false,
      windowExpiresAt: at(20 + 86_400),
      preview: "first",
    });
    expect(await events()).toContain("conversation.updated");
  });

  it("keeps what a message costs and until when Meta charges nothing, which does not widen the window", async () => {
    await app.deliver(echoes(textMessage({ id: "wamid.B", at: at(0) })));
    const pricing = {
      billable: false,
      pricing_model: "PMP",
      type: "free_entry_point",
      category: "referral_conversion",
    };
    const conversation = {
      id: "c",
      expiration_timestamp: stamp(72 * 3600),
      origin: { type: "referral_conversion" },
    };
    await app.deliver(statusWebhook([status("sent", "wamid.B", at(1), { pricing, conversation })]));
    expect(await only()).toMatchObject({
      pricing: { category: "referral_conversion", type: "free_entry_point", at: at(1) },
    });
    const [row] = await app.rows("conversations");
    expect(row).toMatchObject({ freeEntryExpiresAt: at(72 * 3600) });
    expect(row?.windowExpiresAt).toBeUndefined();
  });
});
