import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, changesOf, itemsOf, SHEENA, startBench, WABA } from "./test-support";

const DAY_MS = 86_400_000;
const TEN_SECONDS_MS = 10_000;

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
  bench.receiver.answer = () => 200;
});
afterAll(() => bench.close());

const inbound = (type = "text", more: object = { text: "Hi" }) =>
  bench.control("inbound", { from: SHEENA, type, ...more });
const clock = (body: object) => bench.control("clock", body);

test(
  "one clock moves windows, links, files, tokens, reviews and repeated webhooks",
  async () => {
    await clock({ frozen: true });

    // A template is reviewed.
    await bench.graph(`/${WABA}/message_templates`, {
      name: "soon",
      language: "en_US",
      category: "UTILITY",
      components: [{ type: "BODY", text: "Your order is on its way." }],
    });
    const review = () =>
      changesOf(bench.receiver).filter(({ field }) => field === "message_template_status_update");
    expect(review()).toEqual([]);
    await clock({ advanceMs: 60_000 });
    expect(review()).toMatchObject([{ value: { event: "APPROVED" } }]);

    // A link lives for five minutes, its file for a week.
    await inbound("image", {});
    const [file] = (await bench.control("state")).body.media;
    const { url } = (await bench.graph(`/${file?.id}`)).body;
    const download = async () =>
      (await fetch(url, { headers: { authorization: "Bearer sim-access-token" } })).status;
    await clock({ advanceMs: 299_000 });
    expect(await download()).toBe(200);
    await clock({ advanceMs: 1_000 });
    expect(await download()).toBe(404);
    expect((await bench.graph(`/${file?.id}`)).status).toBe(200);

    // The window closes a day after the last message, to the millisecond.
    const outcome = async () => {
      bench.receiver.received.length = 0;
      await bench.send();
      await clock({ advanceMs: 1_000 });
      return itemsOf(bench.receiver, "statuses").map(({ status }) => status);
    };
    await inbound();
    await clock({ advanceMs: DAY_MS - 1 });
    expect(await outcome()).toEqual(["sent", "delivered", "read"]);
    expect(await outcome()).toEqual(["failed"]);

    // A webhook that nobody takes is repeated at its times, and given up after a week.
    bench.receiver.answer = () => 500;
    bench.receiver.received.length = 0;
    await inbound();
    const times: number[] = [0];
    for (const advanceMs of [0, 30_000, 120_000, 600_000, 3_600_000]) {
      await clock({ advanceMs });
      times.push(bench.receiver.received.length);
    }
    expect(times).toEqual([0, 2, 3, 4, 5, 6]);
    await clock({ advanceMs: 8 * DAY_MS });
    const { length } = bench.receiver.received;
    await clock({ advanceMs: 8 * DAY_MS });
    expect(bench.receiver.received).toHaveLength(length);
    expect((await bench.graph(`/${file?.id}`)).status).toBe(400);

    // A token ends.
    await bench.control("tokens", { token: "sim-access-token", expiresInMs: 3_600_000 });
    await clock({ advanceMs: 3_599_999 });
    expect((await bench.graph("/me")).status).toBe(200);
    await clock({ advanceMs: 1 });
    expect((await bench.graph("/me")).body.error).toMatchObject({ code: 190, error_subcode: 463 });
  },
  TEN_SECONDS_MS,
);

describe("a clock that stands still", () => {
  test("gives byte-equal webhooks for the same seed", async () => {
    const story = async () => {
      await bench.control("reset", { seed: "frozen" });
      bench.receiver.received.length = 0;
      await clock({ set: 1_750_000_000_000, frozen: true });
      await inbound("image", { caption: "é" });
      await inbound("text", { text: "😀" });
      await bench.send();
      await clock({ advanceMs: 60_000 });
      return bench.receiver.received.map(({ bytes }) => bytes.toString());
    };
    const first = await story();
    expect(first).toHaveLength(5);
    expect(await story()).toEqual(first);
  });

  test("runs on from where it stood, and cannot be set while something is planned", async () => {
    await clock({ set: 1_000, frozen: true });
    expect(JSON.parse((await clock({})).text)).toEqual({ now: 1_000, frozen: true, speed: 1 });
    await bench.send();
    expect((await clock({ set: 5_000 })).body.error.path).toBe("set");
    const now = JSON.parse((await clock({ frozen: false })).text).now;
    expect(now).toBeGreaterThanOrEqual(1_000);
    expect(now).toBeLessThan(60_000);
  });
});

describe("expect", () => {
  const asked = async (query: string) => {
    const answer = await bench.control(`expect?${query}`);
    return [answer.status, JSON.parse(answer.text).count];
  };

  test("says whether the business has sent such messages", async () => {
    expect(await asked("type=text")).toEqual([409, 0]);
    expect(await asked("type=text&count=0")).toEqual([200, 0]);
    await inbound();
    await bench.send({ text: { body: "See you at ten" } });
    expect(await asked(`to=${encodeURIComponent(SHEENA)}&type=text&count=1`)).toEqual([200, 1]);
    expect(await asked("text=at%20ten")).toEqual([200, 1]);
    expect(await asked("text=at%20nine")).toEqual([409, 0]);
    expect(await asked("count=2")).toEqual([409, 1]);
    expect((await bench.control("expect?conut=2")).body.error.path).toBe("conut");
  });

  test("waits for what has not come yet", async () => {
    await inbound();
    const waiting = asked("status=read&waitMs=20000");
    await bench.send();
    await clock({ advanceMs: 60_000 });
    expect(await waiting).toEqual([200, 1]);
  });
});
