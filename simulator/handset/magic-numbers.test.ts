import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, itemsOf, startBench } from "../test-support";
import { RateLimits } from "./rate-limits";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
});
afterAll(() => bench.close());

const text = (to: string) => bench.send({ to, type: "text", text: { body: "Hello" } });
const offer = async (to: string) => {
  const id = await bench.upload("image/png");
  return bench.send({
    to,
    type: "template",
    template: {
      name: "spring_offer",
      language: { code: "en_US" },
      components: [
        { type: "header", parameters: [{ type: "image", image: { id } }] },
        { type: "body", parameters: ["Sheena", "20%"].map((word) => ({ type: "text", text: word })) },
      ],
    },
  });
};
const advance = (advanceMs: number) => bench.control("clock", { advanceMs });
const statuses = () => itemsOf(bench.receiver, "statuses").map(({ status }) => status);
const errors = () =>
  itemsOf(bench.receiver, "statuses").flatMap(({ errors: list }) =>
    Array.isArray(list) ? list.map(({ code }) => code) : [],
  );

describe("the last seven digits decide, in any country", () => {
  test.each([["+16505550001"], ["+3165550001"], ["+4930 555 00 01"]])("0001: %s always reads", async (to) => {
    expect((await text(to)).status).toBe(200);
    await advance(1_000);
    expect(statuses()).toEqual(["sent", "delivered", "read"]);
  });

  test("0002: delivered and never read", async () => {
    await text("+16505550002");
    await advance(60_000);
    expect(statuses()).toEqual(["sent", "delivered"]);
  });

  test("0003: accepted, and fails as undeliverable", async () => {
    expect((await text("+16505550003")).status).toBe(200);
    await advance(1_000);
    expect(errors()).toEqual([131026]);
  });

  test("0004: never wrote, so only templates arrive", async () => {
    await text("+16505550004");
    await advance(1_000);
    expect(errors()).toEqual([131047]);
    await offer("+16505550004");
    await advance(1_000);
    expect(statuses()).toEqual(["failed", "sent", "delivered", "read"]);
  });

  test.each([
    ["0005: has opted out", "+16505550005", 131050],
    ["0006: has had enough", "+16505550006", 131049],
  ])("%s of marketing, and of nothing else", async (_, to, code) => {
    await offer(to);
    await advance(1_000);
    expect(errors()).toEqual([code]);
    await text(to);
    await advance(1_000);
    expect(statuses()).toEqual(["failed", "sent", "delivered", "read"]);
  });

  test("0007: the pair limit is always used up", async () => {
    expect((await text("+16505550007")).body.error.code).toBe(131056);
    await advance(86_400_000);
    expect((await text("+16505550007")).body.error.code).toBe(131056);
  });

  test("0008: has a user id and no number", async () => {
    const answer = await text("+16505550008");
    expect(JSON.parse(answer.text).contacts).toEqual([
      { input: "+16505550008", user_id: expect.stringMatching(/^US\./) },
    ]);
    await advance(1_000);
    expect(itemsOf(bench.receiver, "statuses").some((status) => "recipient_id" in status)).toBe(false);
    expect(statuses()).toEqual(["sent", "delivered", "read"]);
  });

  test("0009: answers, edits and deletes", async () => {
    await text("+16505550009");
    await advance(60_000);
    const messages = itemsOf(bench.receiver, "messages");
    expect(messages.map(({ type }) => type)).toEqual(["text", "edit", "text", "revoke"]);
    expect(messages[1]?.["edit"]).toMatchObject({ original_message_id: messages[0]?.["id"] });
    expect(messages[3]?.["revoke"]).toEqual({ original_message_id: messages[2]?.["id"] });
  });

  test.each([
    ["0010: Brazil's lose the 9", "+5541985550010", "554185550010"],
    ["0011: Mexico's get a 1", "+525555550011", "5215555550011"],
    ["0012: Argentina's get a 9", "+541125550012", "5491125550012"],
  ])("%s", async (_, to, waId) => {
    expect((await text(to)).body.contacts).toEqual([{ input: to, wa_id: waId }]);
    await advance(1_000);
    expect(itemsOf(bench.receiver, "statuses").map(({ recipient_id }) => recipient_id)).toEqual([
      waId,
      waId,
      waId,
    ]);
  });

  test("0013: takes a hundred times as long", async () => {
    await text("+16505550013");
    await advance(400);
    expect(statuses()).toEqual([]);
    await advance(2_000);
    expect(statuses()).toEqual(["sent", "delivered"].slice(0, statuses().length));
    await advance(10_000);
    expect(statuses()).toEqual(["sent", "delivered", "read"]);
  });

  test("0014: has blocked the business, and cannot write either", async () => {
    await text("+16505550014");
    await advance(1_000);
    expect(errors()).toEqual([131026]);
    const answer = await bench.control("inbound", { from: "+16505550014", type: "text", text: "Hi" });
    expect([answer.status, answer.body.error.path]).toEqual([400, "from"]);
  });

  test("their windows never close", async () => {
    await text("+16505550001");
    await advance(7 * 86_400_000);
    bench.receiver.received.length = 0;
    await text("+16505550001");
    await advance(1_000);
    expect(statuses()).toEqual(["sent", "delivered", "read"]);
  });
});

describe("anybody's WhatsApp id in Brazil, Mexico and Argentina", () => {
  test.each([
    ["+5541988887779", "554188887779"],
    ["+554133334444", "554133334444"],
    ["+525512340000", "5215512340000"],
    ["+541122223333", "5491122223333"],
    ["+5491122223333", "5491122223333"],
    ["+447700900456", "447700900456"],
  ])("%s is %s, whichever of both is written to", async (phone, waId) => {
    await bench.control("inbound", { from: phone, type: "text", text: "Hi" });
    expect(itemsOf(bench.receiver, "messages")[0]?.["from"]).toBe(waId);
    for (const to of [phone, `+${waId}`]) expect((await text(to)).body.contacts[0]?.wa_id).toBe(waId);
    await advance(1_000);
    expect(errors()).toEqual([]);
  });
});

describe("how fast messages may be sent", () => {
  test("45 to one person at once, then one every six seconds", async () => {
    const codes = await Promise.all(
      Array.from({ length: 46 }, async () => (await bench.send()).body.error?.code),
    );
    expect(codes.filter((code) => code === 131056)).toHaveLength(1);
    await advance(6_000);
    expect((await bench.send()).status).toBe(200);
    expect((await bench.send()).body.error.code).toBe(131056);
  });

  test("80 a second from one number, of which a refused one takes nothing", () => {
    const limits = new RateLimits();
    const take = (person: number, now: number) => limits.take("n", String(person), now);
    const first = Array.from({ length: 81 }, (_, person) => take(person, 0));
    expect(first.filter((result) => result === "number")).toHaveLength(1);
    expect(take(81, 12)).toBe("number");
    expect(take(82, 13)).toBe(null);
    expect(limits.take("other", "1", 0)).toBe(null);
  });

  test("is not limited when that is switched off", async () => {
    await bench.control("settings", { rateLimits: false });
    const answers = await Promise.all(Array.from({ length: 60 }, () => bench.send()));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});
