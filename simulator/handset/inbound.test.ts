import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, itemsOf, SHEENA, startBench } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
});
afterAll(() => bench.close());

const act = (body: object) => bench.control("inbound", { from: SHEENA, ...body });
const only = async (body: object) => {
  expect(await act(body)).toMatchObject({ status: 200, body: { deliveries: [{ status: 200 }] } });
  return itemsOf(bench.receiver, "messages").at(-1) ?? {};
};
const COMMON = ["from", "from_user_id", "id", "timestamp", "type"];
const FILE = ["mime_type", "sha256", "id", "url"];
const inner = (value: unknown) =>
  typeof value === "object" && value !== null ? Object.keys(value).sort() : [];

/** Written from Meta's reference by hand: the object under the type's key, and its keys. */
test.each([
  ["text", { type: "text", text: "x" }, ["body"]],
  ["image", { type: "image", caption: "x" }, ["caption", ...FILE]],
  ["video", { type: "video" }, FILE],
  ["document", { type: "document" }, ["filename", ...FILE]],
  ["audio", { type: "audio" }, ["voice", ...FILE]],
  ["audio", { type: "voice" }, ["voice", ...FILE]],
  ["sticker", { type: "sticker" }, ["animated", ...FILE]],
  ["location", { type: "location", latitude: 1, longitude: 2 }, ["latitude", "longitude"]],
  ["reaction", { type: "reaction", message_id: "wamid.X", emoji: "👍" }, ["emoji", "message_id"]],
  ["reaction", { type: "reaction", message_id: "wamid.X" }, ["message_id"]],
  ["button", { type: "button", text: "Yes" }, ["payload", "text"]],
  ["interactive", { type: "button_reply", reply_id: "a", title: "A" }, ["type", "button_reply"]],
  ["interactive", { type: "list_reply", reply_id: "a", title: "A" }, ["type", "list_reply"]],
  ["interactive", { type: "nfm_reply", response: { a: 1 } }, ["type", "nfm_reply"]],
  ["interactive", { type: "call_permission_reply", response: "accept" }, ["type", "call_permission_reply"]],
  ["edit", { type: "edit", message_id: "wamid.X", text: "y" }, ["message", "original_message_id"]],
  ["revoke", { type: "revoke", message_id: "wamid.X" }, ["original_message_id"]],
  ["unsupported", { type: "unsupported", label: "poll" }, ["type"]],
  [
    "order",
    {
      type: "order",
      order: {
        catalog_id: "1",
        product_items: [{ product_retailer_id: "a", quantity: "2", item_price: 1.5, currency: "EUR" }],
      },
    },
    ["catalog_id", "product_items"],
  ],
])("%s %j has the documented keys and no other", async (type, body, keys) => {
  const message = await only(body);
  const extra = type === "unsupported" ? ["errors"] : [];
  expect(Object.keys(message).sort()).toEqual([...COMMON, type, ...extra].sort());
  expect(message["type"]).toBe(type);
  expect(inner(message[type])).toEqual([...keys].sort());
});

test("contacts are a list of cards", async () => {
  const card = { name: { formatted_name: "Ana" }, phones: [{ phone: "+1", wa_id: "1", type: "HOME" }] };
  expect(await only({ type: "contacts", contacts: [card] })).toMatchObject({ contacts: [card] });
});

test("the answer to a flow is a text of JSON, or of anything", async () => {
  expect(await only({ type: "nfm_reply", response: { size: "M" } })).toMatchObject({
    interactive: { nfm_reply: { name: "flow", body: "Sent", response_json: '{"size":"M"}' } },
  });
  expect(await only({ type: "nfm_reply", response_json: "{" })).toMatchObject({
    interactive: { nfm_reply: { response_json: "{" } },
  });
  const meta = {
    type: "nfm_reply",
    nfm_reply: { name: "address_message", body: "Sent", response_json: "{}" },
  };
  expect(await only({ type: "interactive", interactive: meta })).toMatchObject({ interactive: meta });
});

describe("on a message of any type", () => {
  const referral = { source_url: "https://fb.me/x", source_id: "1", source_type: "ad", headline: "Offer" };

  test.each([
    ["a referral", { referral }, { referral }],
    ["a group", { group_id: "G1" }, { group_id: "G1" }],
    ["forwarded", { forwarded: true }, { context: { forwarded: true } }],
    ["forwarded often", { frequently_forwarded: true }, { context: { frequently_forwarded: true } }],
    [
      "a product, as Meta writes it",
      { context: { id: "wamid.P", referred_product: { catalog_id: "1", product_retailer_id: "2" } } },
      {
        context: {
          from: "15550783881",
          id: "wamid.P",
          referred_product: { catalog_id: "1", product_retailer_id: "2" },
        },
      },
    ],
  ])("%s", async (_, body, expected) => {
    for (const type of ["image", "sticker"]) {
      const message = await only({ type, ...body });
      expect(message).toMatchObject(expected);
      expect(message["context"]).toEqual("context" in expected ? expected.context : undefined);
    }
  });
});

describe("a change of the customer is a message from the old number, and is true", () => {
  const customer = async () => (await bench.control("state")).body.customers[0];

  test("of the number: the chat goes on, and the old one is nobody's", async () => {
    await act({ type: "text", text: "Before" });
    const before = await customer();
    const message = await only({ type: "system", change: "number", new_phone: "+16505559876" });
    expect(message).toMatchObject({
      from: "16505551234",
      type: "system",
      system: { type: "user_changed_number", wa_id: "16505559876", previous_user_id: before?.userId },
    });
    expect(await customer()).toMatchObject({ phone: "+16505559876", waId: "16505559876" });
    const body = JSON.parse(bench.receiver.received.at(-1)?.bytes.toString() ?? "");
    expect(body.entry[0].changes[0].value).not.toHaveProperty("contacts");
    expect((await bench.control("state")).body.messages).toMatchObject([{ peer: "16505559876" }, {}]);
    await bench.send({ to: "+16505559876", text: { body: "Hi" } });
    await bench.send({ to: "+16505551234", text: { body: "Hi" } });
    await bench.control("clock", { advanceMs: 1_000 });
    const statuses = itemsOf(bench.receiver, "statuses").map(({ status }) => status);
    expect(statuses.sort()).toEqual(["delivered", "failed", "read", "sent"]);
  });

  test("of the number, as Meta writes it", async () => {
    await only({ type: "system", system: { type: "user_changed_number", wa_id: "16505559876" } });
    expect(await customer()).toMatchObject({ phone: "+16505559876" });
  });

  test("of the user id and of the identity", async () => {
    const before = await customer();
    expect(await only({ type: "system", change: "user_id" })).toMatchObject({
      system: { type: "user_changed_user_id", previous_user_id: before?.userId },
    });
    const after = await customer();
    expect(after?.userId).toMatch(/^US\.\d{20}$/);
    expect(after?.userId).not.toBe(before?.userId);
    const message = await only({ type: "system", change: "identity" });
    expect(message).toMatchObject({ system: { type: "customer_identity_changed", customer: "16505551234" } });
    await act({ type: "text", text: "Still me" });
    const refused = await bench.send({ text: { body: "x" }, recipient_identity_key_hash: "old" });
    expect(refused.body.error.code).toBe(137000);
  });

  test("by the control of customers, which can also hide a number, block and opt out", async () => {
    const change = (body: object) => bench.control("customers", { phone: SHEENA, ...body });
    const answer = await change({ blocksUs: true, username: "sheena.n", phoneHidden: true });
    expect(answer.body).toMatchObject({ blocksUs: true, username: "sheena.n", phoneHidden: true });
    expect(JSON.parse((await change({ username: null })).text)).not.toHaveProperty("username");
    expect((await change({ blocksUs: false, optedOut: true })).body.deliveries).toHaveLength(1);
    expect((await change({ optedOut: true })).body.deliveries).toEqual([]);
    expect((await change({ newPhone: "+16505559876" })).body).toMatchObject({ phone: "+16505559876" });
    expect((await bench.control("customers", { phone: "+447700900999", name: "Tom" })).body).toMatchObject({
      name: "Tom",
      waId: "447700900999",
    });
  });
});

test("an edit and a removal change the message that they are about", async () => {
  const { body } = await act({ type: "text", text: "Frist" });
  await act({ type: "edit", message_id: body.messageId, text: "First" });
  expect((await bench.control("state")).body.messages[0]).toMatchObject({
    content: { body: "First" },
    edited: true,
  });
  await act({ type: "revoke", revoke: { original_message_id: body.messageId } });
  expect((await bench.control("state")).body.messages[0]).toMatchObject({ revoked: true });
  const other = await bench.control("inbound", {
    from: "+4915112345678",
    type: "revoke",
    message_id: body.messageId,
  });
  expect([other.status, other.body.error.path]).toEqual([400, "message_id"]);
});

test.each([
  [{ type: "contacts", contacts: [] }, "contacts"],
  [{ type: "contacts", contacts: [{ name: {} }] }, "contacts.0.name.formatted_name"],
  [{ type: "order", order: { catalog_id: "1", product_items: [] } }, "order.product_items"],
  [{ type: "order" }, "order"],
  [{ type: "system" }, "change"],
  [{ type: "system", change: "number" }, "new_phone"],
  [{ type: "system", change: "number", new_phone: "+4915112345678" }, "new_phone"],
  [{ type: "system", change: "number", new_phone: "x" }, "new_phone"],
  [{ type: "edit", message_id: "x" }, "text"],
  [{ type: "edit", text: "x" }, "message_id"],
  [{ type: "revoke" }, "message_id"],
  [{ type: "nfm_reply", response: [] }, "response"],
  [{ type: "call_permission_reply", response: "maybe" }, "response"],
  [{ type: "text", text: "x", referral: { source_url: "x" } }, "referral.source_id"],
  [{ type: "text", text: "x", forwarded: false }, "forwarded"],
  [{ type: "location", latitude: 1 }, "longitude"],
])("%j is refused with the path %s", async (body, path) => {
  const answer = await act(body);
  expect([answer.status, answer.body.error.path]).toEqual([400, path]);
  expect(bench.receiver.received).toEqual([]);
});
