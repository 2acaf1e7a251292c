import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, changesOf, itemsOf, SHEENA, startBench } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
});
afterAll(() => bench.close());

const attach = (script: string | null, more: object = {}) =>
  bench.control("personas", { customer: SHEENA, script, ...more });
const open = async () => {
  await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
  bench.receiver.received.length = 0;
};
const advance = (advanceMs = 60_000) => bench.control("clock", { advanceMs });
const said = () => itemsOf(bench.receiver, "messages");
const buttons = {
  type: "interactive",
  interactive: {
    type: "button",
    body: { text: "Sure?" },
    action: {
      buttons: [
        { type: "reply", reply: { id: "yes", title: "Yes" } },
        { type: "reply", reply: { id: "no", title: "No" } },
      ],
    },
  },
};
const list = {
  type: "interactive",
  interactive: {
    type: "list",
    body: { text: "Which?" },
    action: {
      button: "Choose",
      sections: [
        {
          rows: [
            { id: "a", title: "One" },
            { id: "b", title: "Two" },
          ],
        },
      ],
    },
  },
};

describe("a script answers each message that reaches the phone", () => {
  const answers = async (script: string, message?: object, more?: object) => {
    await open();
    await attach(script, more);
    const sent = await bench.send(message);
    expect(sent.status).toBe(200);
    await advance();
    return { id: sent.body.messages[0]?.id, messages: said() };
  };

  test("echo", async () => {
    const { messages } = await answers("echo", { type: "text", text: { body: "Come again?" } });
    expect(messages).toMatchObject([{ type: "text", text: { body: "Come again?" } }]);
  });

  test("faq: one question after the other", async () => {
    const { messages } = await answers("faq");
    expect(messages).toHaveLength(2);
    expect(new Set(messages.map(({ text }) => JSON.stringify(text))).size).toBe(2);
  });

  test("button_tapper: the button that it was told, by id or by position", async () => {
    const { id, messages } = await answers("button_tapper", buttons, { choice: "no" });
    expect(messages).toMatchObject([
      { interactive: { type: "button_reply", button_reply: { id: "no", title: "No" } }, context: { id } },
    ]);
    await attach("button_tapper", { choice: 0 });
    await bench.send(buttons);
    await advance();
    expect(said().at(-1)).toMatchObject({ interactive: { button_reply: { id: "yes" } } });
  });

  test("list_picker", async () => {
    const { messages } = await answers("list_picker", list, { choice: "Two" });
    expect(messages).toMatchObject([{ interactive: { list_reply: { id: "b", title: "Two" } } }]);
  });

  test("quoter, reactor, editor, deleter, forwarder", async () => {
    const quoted = await answers("quoter");
    expect(quoted.messages).toMatchObject([{ context: { id: quoted.id } }]);
    const reacted = await answers("reactor");
    expect(reacted.messages).toMatchObject([
      { reaction: { message_id: reacted.id, emoji: "👍" } },
      { reaction: { message_id: reacted.id } },
    ]);
    expect(reacted.messages[1]?.["reaction"]).not.toHaveProperty("emoji");
    expect((await answers("editor")).messages.map(({ type }) => type)).toEqual(["text", "edit"]);
    expect((await answers("deleter")).messages.map(({ type }) => type)).toEqual(["text", "revoke"]);
    expect((await answers("forwarder")).messages).toMatchObject([{ context: { forwarded: true } }]);
  });

  test("stop: says so, and marketing then fails", async () => {
    await answers("stop");
    expect(itemsOf(bench.receiver, "user_preferences")).toMatchObject([{ value: "stop" }]);
    expect((await bench.control("state")).body.customers[0]).toMatchObject({ optedOut: true });
  });

  test("orderer, media_sender, flow_filler, owner_answers", async () => {
    expect((await answers("orderer")).messages).toMatchObject([
      { type: "order", order: { product_items: [{ currency: "USD" }] } },
    ]);
    expect((await answers("media_sender")).messages).toMatchObject([{ type: "image" }]);
    expect((await answers("flow_filler")).messages).toEqual([]);
    await answers("owner_answers");
    expect(changesOf(bench.receiver).map(({ field }) => field)).toContain("smb_message_echoes");
  });
});

describe("a script may begin by itself", () => {
  test.each([
    ["burst", 50],
    ["prompt_injection", 5],
    ["strange_texts", 6],
    ["ad_visitor", 1],
    ["number_changer", 2],
    ["user_id_changer", 2],
  ])("%s writes %i messages", async (script, count) => {
    await attach(script);
    await advance();
    expect(said()).toHaveLength(count);
  });

  test("from an advertisement, which makes the answer free for three days", async () => {
    await attach("ad_visitor");
    await advance();
    expect(said()).toMatchObject([{ referral: { source_type: "ad", ctwa_clid: expect.any(String) } }]);
    await bench.send();
    await advance();
    const [sent, delivered] = itemsOf(bench.receiver, "statuses");
    const free = {
      billable: false,
      pricing_model: "PMP",
      type: "free_entry_point",
      category: "referral_conversion",
    };
    expect(sent).toMatchObject({ pricing: free, conversation: { origin: { type: "referral_conversion" } } });
    expect(sent?.["conversation"]).toHaveProperty("expiration_timestamp");
    expect(delivered?.["conversation"]).not.toHaveProperty("expiration_timestamp");
    await advance(72 * 3_600_000);
    await bench.control("inbound", { from: SHEENA, type: "text", text: "Still there?" });
    bench.receiver.received.length = 0;
    await bench.send();
    await advance();
    expect(itemsOf(bench.receiver, "statuses")[0]).toMatchObject({ pricing: { type: "regular" } });
  });
});

test("acts take the person's latency, by the virtual clock", async () => {
  await attach("burst", { latencyMs: 3_600_000 });
  await advance(3_500_000);
  expect(said()).toHaveLength(0);
  await advance(3_600_000);
  expect(said()).toHaveLength(1);
  await advance(48 * 3_600_000);
  expect(said()).toHaveLength(49);
});

test("the same seed makes a person do the same", async () => {
  const story = async () => {
    await bench.control("reset", { seed: "again" });
    bench.receiver.received.length = 0;
    await bench.control("inbound", { from: SHEENA, type: "text", text: "Hi" });
    await attach("button_tapper");
    for (let n = 0; n < 5; n++) {
      await bench.send(buttons);
      await advance();
    }
    return JSON.stringify(said().map(({ id, interactive, context }) => [id, interactive, context]));
  };
  expect(await story()).toBe(await story());
});

test("a script can be taken away, a wrong one is refused", async () => {
  await open();
  await attach("echo");
  await attach(null);
  await bench.send();
  await advance();
  expect(said()).toEqual([]);
  expect((await attach("dance")).body.error.path).toBe("script");
  expect((await bench.control("personas", { customer: "nobody", script: "echo" })).status).toBe(404);
});

test("two machines that answer each other come to an end", async () => {
  await bench.control("settings", { rateLimits: false });
  await open();
  await attach("echo", { latencyMs: 0 });
  for (let n = 0; n < 210; n++) await bench.send();
  await advance();
  expect(said()).toHaveLength(200);
});
