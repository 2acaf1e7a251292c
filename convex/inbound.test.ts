import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  APP_SECRET,
  type App,
  CUSTOMER,
  change,
  closeApp,
  NUMBER,
  openApp,
  START,
  textMessage,
  webhook,
} from "../tests/support/convex-app";
import { api } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
let apiKeyId: Id<"apiKeys">;

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId)).id;
});
afterEach(closeApp);

const read = async (contact: string) => await app.key(apiKeyId).query(api.mcp.getConversation, { contact });
const nameOf = async (contact: string) => {
  const answer = await read(contact);
  return "refused" in answer ? answer.reason : answer.conversation.contact.name;
};

/** A message of a person whom Meta names as given. */
const from = (
  person: { wa_id?: string; user_id?: string; name?: string; username?: string },
  text = "Hi",
) => {
  const { wa_id, user_id, name, username } = person;
  const profile = { ...(name && { name }), ...(username && { username }) };
  const { from: _, ...message } = textMessage({ text });
  return app.deliver({
    entry: [
      {
        id: NUMBER.wabaId,
        changes: [
          change(NUMBER.phoneNumberId, {
            contacts: [{ profile, ...(wa_id && { wa_id }), ...(user_id && { user_id }) }],
            messages: [
              { ...message, ...(wa_id && { from: wa_id }), ...(user_id && { from_user_id: user_id }) },
            ],
          }),
        ],
      },
    ],
  });
};

describe("contacts", () => {
  it.each([
    ["+1 650-555-1234"],
    ["16505551234"],
    ["(1) 650 555 1234"],
    ["@SheenaNelson"],
    ["@sheenanelson"],
    ["US.13491208655302741918"],
  ])("are found under %s", async (spelling) => {
    await from({
      wa_id: CUSTOMER,
      user_id: "US.13491208655302741918",
      name: "Sheena Nelson",
      username: "SheenaNelson",
    });
    expect(await nameOf(spelling)).toBe("Sheena Nelson");
    const [contact] = await app.rows("contacts");
    expect(await nameOf(contact?._id ?? "")).toBe("Sheena Nelson");
  });

  it.each([
    ["Brazil", "554188887777", "+55 41 98888-7777"],
    ["Mexico", "5215512345678", "+52 55 1234 5678"],
    ["Argentina", "541112345678", "+54 9 11 1234-5678"],
  ])("of %s are found under the number that people dial", async (_, waId, dialled) => {
    await from({ wa_id: waId, name: "Ana" });
    expect(await nameOf(dialled)).toBe("Ana");
    expect(await app.rows("contacts")).toHaveLength(1);
  });

  it("stay one contact when the number appears later or goes away", async () => {
    await from({ user_id: "US.1", username: "sheena" });
    await from({ user_id: "US.1", wa_id: CUSTOMER });
    await from({ user_id: "US.1" });
    await from({ wa_id: CUSTOMER });
    expect(await app.rows("contacts")).toHaveLength(1);
    expect((await app.rows("conversations"))[0]?.inboundCount).toBe(4);
  });

  it("are never merged: when number and user id point to two people, the number decides", async () => {
    await from({ wa_id: "16505550001", name: "One" });
    await from({ user_id: "US.2", name: "Two" });
    await from({ wa_id: "16505550001", user_id: "US.2" }, "whose?");
    expect(await app.rows("contacts")).toHaveLength(2);
    const answer = await read("+16505550001");
    expect("messages" in answer && answer.messages.map(({ text }) => text)).toEqual(["Hi", "whose?"]);
    expect(await nameOf("US.2")).toBe("Two");
  });

  it("are called by name, else @username, else number, else the beginning of their id", async () => {
    await from({ user_id: "US.13491208655302741918" });
    expect(await nameOf("US.13491208655302741918")).toBe("US.134912086…");
    await from({ user_id: "US.13491208655302741918", wa_id: CUSTOMER });
    expect(await nameOf(CUSTOMER)).toBe("+16505551234");
    await from({ wa_id: CUSTOMER, username: "sheena" });
    expect(await nameOf(CUSTOMER)).toBe("@sheena");
    await from({ wa_id: CUSTOMER, name: "Sheena" });
    expect(await nameOf(CUSTOMER)).toBe("Sheena");
  });

  it("give a username up when somebody else takes it", async () => {
    await from({ wa_id: "16505550001", name: "One", username: "shop" });
    await from({ wa_id: "16505550002", name: "Two", username: "shop" });
    expect(await nameOf("@shop")).toBe("Two");
    await from({ wa_id: "16505550002", username: "shop2" });
    expect(await nameOf("@shop")).toBe("not_found");
  });

  it("of one account are unknown to another, also with the same number", async () => {
    await app.addAccount({ name: "Florist", phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.receive("to the florist", { phoneNumberId: "900" });
    expect(await nameOf(CUSTOMER)).toBe("not_found");
    await app.receive("to the bakery");
    const answer = await read(CUSTOMER);
    expect("messages" in answer && answer.messages.map(({ text }) => text)).toEqual(["to the bakery"]);
  });
});

describe("kinds of messages", () => {
  const item = (type: string, body: unknown, more: object = {}) => {
    const { text: _, ...message } = textMessage();
    return { ...message, type, [type]: body, ...more };
  };
  const view = async () => {
    const answer = await read(CUSTOMER);
    if ("refused" in answer) throw new Error(answer.reason);
    return answer;
  };

  it("one that nobody knows is kept with all it said, and shown by its name", async () => {
    const type = "hologram";
    await app.deliver(webhook([item(type, { anything: { "$odd key": [1, { _private: null }] } })]));
    expect((await view()).messages).toMatchObject([{ type, unsupportedType: type, status: "received" }]);
    expect((await app.rows("messages"))[0]?.raw).toContain("$odd key");
  });

  it.each([
    ["order", { catalog_id: "1", product_items: [] }, { order: { catalogId: "1", itemCount: 0, items: [] } }],
    ["location", { latitude: 1, longitude: 2 }, { location: { latitude: 1, longitude: 2 } }],
    ["contacts", [{ name: { formatted_name: "Ana" } }], { contacts: [{ name: "Ana", phones: [] }] }],
  ])("%s is shown with what it says", async (type, body, content) => {
    await app.deliver(webhook([item(type, body)]));
    const [message] = (await view()).messages;
    expect(message).toMatchObject({ type, ...content });
    expect(message).not.toHaveProperty("unsupportedType");
  });

  it.each([
    ["image", { id: "m1", mime_type: "image/jpeg" }, "Photo"],
    ["image", { id: "m1", caption: "Look" }, "Look"],
    ["document", { id: "m1", filename: "menu.pdf" }, "menu.pdf"],
    ["location", { latitude: 1, longitude: 2 }, "Location"],
    ["hologram", {}, "Message of a kind that is not supported"],
  ])("%s gets a line in the list that a person understands", async (type, body, line) => {
    await app.deliver(webhook([item(type, body)]));
    expect((await view()).conversation.preview).toBe(line);
  });

  it("an answer shows what it quotes, also when that is a picture", async () => {
    await app.deliver(webhook([{ ...item("image", { id: "m1" }), id: "wamid.PIC" }]));
    await app.deliver(webhook([{ ...textMessage({ text: "this one" }), context: { id: "wamid.PIC" } }]));
    const { messages } = await view();
    expect(messages.at(-1)).toMatchObject({ replyTo: { wamid: "wamid.PIC", preview: "Photo" } });
  });

  it("a tap on a button has the button's words", async () => {
    const reply = { type: "button_reply", button_reply: { id: "yes", title: "Yes, please" } };
    await app.deliver(webhook([item("interactive", reply), item("button", { payload: "p", text: "Track" })]));
    expect((await view()).messages.map(({ text }) => text)).toEqual(["Yes, please", "Track"]);
  });

  it("a reaction is shown at its message, opens the window, and is neither a message nor unread", async () => {
    await app.receive("Hello", { id: "wamid.T", at: START });
    await app.advance(60_000);
    await app.deliver(webhook([item("reaction", { message_id: "wamid.T", emoji: "❤️" })]));
    const { messages, conversation } = await view();
    expect(messages).toMatchObject([{ text: "Hello", reactions: [{ emoji: "❤️", from: "customer" }] }]);
    expect(conversation).toMatchObject({ preview: "Hello", windowExpiresAt: START + 60_000 + 86_400_000 });
    expect((await app.rows("conversations"))[0]?.inboundCount).toBe(1);
  });

  it("reactions end alike in every order, also before their message, and the last one counts", async () => {
    const at = (seconds: number) => ({ timestamp: String(Math.floor(START / 1000) + seconds) });
    const steps = [
      webhook([textMessage({ id: "wamid.T", text: "Hello", at: START })]),
      webhook([item("reaction", { message_id: "wamid.T", emoji: "👍" }, at(1))]),
      webhook([item("reaction", { message_id: "wamid.T", emoji: "😀" }, at(2))]),
    ];
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [2, 0, 1],
    ];
    for (const order of orders) {
      closeApp();
      app = openApp();
      accountId = await app.addAccount();
      for (const step of order) await app.deliver(steps[step]);
      const [message] = await app.rows("messages");
      expect(message?.reactions).toEqual([{ emoji: "😀", from: "customer" }]);
      await app.deliver(webhook([item("reaction", { message_id: "wamid.T" }, at(3))]));
      expect((await app.rows("messages"))[0]?.reactions).toEqual([]);
    }
  });

  it("a message from the business's own phone is outbound, opens no window and is not unread", async () => {
    const echo = { ...textMessage({ text: "from my phone" }), from: "15550783881", to: CUSTOMER };
    const value = change(NUMBER.phoneNumberId, { message_echoes: [echo] }, "smb_message_echoes");
    await app.deliver({ entry: [{ id: NUMBER.wabaId, changes: [value] }] });
    const { messages, conversation } = await view();
    expect(messages).toMatchObject([{ direction: "outbound", status: "sent", sender: { kind: "phone" } }]);
    expect(conversation.windowExpiresAt).toBeUndefined();
    expect((await app.rows("conversations"))[0]?.inboundCount).toBe(0);
  });

  it("a notice of WhatsApp itself opens no window", async () => {
    await app.deliver(
      webhook([item("system", { type: "user_changed_number", body: "changed", wa_id: "1650555" })]),
    );
    expect((await app.rows("conversations"))[0]?.windowExpiresAt).toBeUndefined();
  });

  it("a message of a group is kept out of the one-to-one conversation", async () => {
    await app.deliver(webhook([{ ...textMessage(), group_id: "g1" }]));
    expect(await app.rows("messages")).toEqual([]);
    expect(await app.rows("webhookItems")).toMatchObject([{ state: "kept", reason: "group" }]);
  });

  it("texts with NUL and lone surrogates are cleaned, not lost", async () => {
    await app.deliver(
      JSON.stringify(webhook([textMessage({ text: "a-b-c" })])).replace("a-b-c", "a\\u0000b\\ud83dc"),
      APP_SECRET,
    );
    expect((await view()).messages).toMatchObject([{ text: "ab\ufffdc" }]);
  });
});

describe("order and clocks", () => {
  const thread = async () => {
    const answer = await read(CUSTOMER);
    return "messages" in answer ? answer.messages.map(({ text }) => text) : [];
  };

  it("shows messages by Meta's time, whatever order they came in", async () => {
    for (const n of [2, 0, 3, 1]) await app.receive(`${n}`, { at: START + n * 1000 });
    expect(await thread()).toEqual(["0", "1", "2", "3"]);
    expect((await app.rows("conversations"))[0]).toMatchObject({ preview: "3", lastMessageAt: START + 3000 });
  });

  it("does not let a clock that runs ahead pin a message to the end or hold the window open", async () => {
    await app.receive("from the future", { at: START + 365 * 86_400_000 });
    const [conversation] = await app.rows("conversations");
    expect(conversation?.lastMessageAt).toBe(START + 600_000);
    expect(conversation?.windowExpiresAt).toBe(START + 600_000 + 86_400_000);
  });

  it("marks a message that is older than Meta's repetitions can explain", async () => {
    await app.receive("late", { at: START - 9 * 86_400_000 });
    expect((await app.rows("messages"))[0]).toMatchObject({ late: true });
  });
});
