import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startSimulator } from "./simulator";
import { type Bench, itemsOf, SHEENA, startBench, WABA } from "./test-support";

let bench: Bench;
let folder: string;
beforeAll(async () => {
  bench = await startBench();
  folder = await mkdtemp(path.join(tmpdir(), "simulator-"));
});
beforeEach(async () => {
  await bench.control("reset", { seed: "1" });
  bench.receiver.received.length = 0;
});
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true, force: true });
});

const inbound = (body: object) => bench.control("inbound", { from: SHEENA, ...body });
/** The world without what every moment changes. */
const world = async (of: Bench = bench) => {
  const { clock, subscriptions, ...state } = JSON.parse((await of.control("state")).text);
  return state;
};
const snapshot = async () => JSON.parse((await bench.control("snapshot")).text);

describe("a snapshot", () => {
  test("brings back messages, files, tokens, templates, people and the clock", async () => {
    await bench.control("clock", { advanceMs: 5 * 86_400_000 });
    await inbound({ type: "image", caption: "Look" });
    await inbound({ type: "raw", message: { type: "odd", odd: { $map: [1], plain: {} } } });
    await bench.control("customers", { phone: SHEENA, newPhone: "+16505559876" });
    await bench.control("tokens", { token: "sim-access-token", expiresInMs: 86_400_000 });
    await bench.send({ to: "+16505559876", text: { body: "Hi" } });
    await bench.control("clock", { advanceMs: 60_000 });
    const before = await world();
    const taken = await snapshot();

    await bench.control("reset", { seed: "other" });
    expect(await world()).not.toEqual(before);
    expect((await bench.control("snapshot", taken)).status).toBe(200);
    expect(await world()).toEqual(before);
    const [file] = (await bench.control("state")).body.media;
    const { url } = (await bench.graph(`/${file?.id}`)).body;
    const download = await fetch(url, { headers: { authorization: "Bearer sim-access-token" } });
    expect(
      Buffer.from(await download.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
    const { now } = (await bench.control("state")).body.clock;
    expect(now).toBeGreaterThan(Date.now() + 4 * 86_400_000);
  });

  test("gives no id a second time", async () => {
    const taken = await snapshot();
    const first = await inbound({ type: "text", text: "one" });
    await bench.control("snapshot", taken);
    expect((await inbound({ type: "text", text: "one" })).body.messageId).toBe(first.body.messageId);
    const later = await snapshot();
    await bench.control("snapshot", later);
    expect((await inbound({ type: "text", text: "two" })).body.messageId).not.toBe(first.body.messageId);
  });

  test("lets what was planned go on", async () => {
    await bench.control("clock", { frozen: true });
    await inbound({ type: "text", text: "Hi" });
    await bench.send();
    await bench.graph(`/${WABA}/message_templates`, {
      name: "soon",
      language: "en_US",
      category: "UTILITY",
      components: [{ type: "BODY", text: "Your order is on its way." }],
    });
    const taken = await snapshot();
    await bench.control("reset", {});
    await bench.control("snapshot", taken);
    await bench.control("clock", { advanceMs: 60_000 });
    expect(itemsOf(bench.receiver, "statuses").map(({ status }) => status)).toEqual([
      "sent",
      "delivered",
      "read",
    ]);
    expect(await world()).toMatchObject({
      templates: expect.arrayContaining([expect.objectContaining({ name: "soon", status: "APPROVED" })]),
    });
  });

  test("that was changed, cut or made up is refused, and nothing happens", async () => {
    await inbound({ type: "text", text: "Hi" });
    const before = await world();
    const taken = await snapshot();
    const wrong: [object, string][] = [
      [{ ...taken, seed: "x" }, "digest"],
      [{ ...taken, world: {} }, "digest"],
      [{ ...taken, version: 99 }, "version"],
      [{ ...taken, clock: { aheadMs: "1", frozenAt: null } }, "clock.aheadMs"],
      [{}, "version"],
    ];
    for (const [body, field] of wrong) {
      const answer = await bench.control("snapshot", body);
      expect([answer.status, answer.body.error.path]).toEqual([400, field]);
    }
    expect(await world()).toEqual(before);
  });
});

describe("a snapshot file", () => {
  test("carries the world from one run to the next", async () => {
    const file = path.join(folder, "world.json");
    const first = await startBench({ snapshot: file });
    await first.control("inbound", { from: SHEENA, type: "text", text: "Remember me" });
    const before = await world(first);
    await first.close();
    const second = await startBench({ snapshot: file });
    try {
      expect(await world(second)).toEqual(before);
      await second.control("inbound", { from: SHEENA, type: "text", text: "And again" });
      // The second run has a receiver of its own, which wins over the one that the file remembers.
      expect(itemsOf(second.receiver, "messages")).toHaveLength(1);
    } finally {
      await second.close();
    }
    expect(JSON.parse(await readFile(file, "utf8"))).toHaveProperty("digest");
  });

  test("that is no snapshot keeps the simulator from starting", async () => {
    const file = path.join(folder, "broken.json");
    await writeFile(file, "{");
    await expect(startSimulator({ port: 0, snapshot: file })).rejects.toThrow("is not a snapshot");
  });
});
