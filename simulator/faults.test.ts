import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Faults } from "./faults";
import { type Bench, SHEENA, startBench } from "./test-support";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

const fault = async (effect: object, more: object = {}) => {
  expect((await bench.control("faults", { effect, ...more })).status).toBe(200);
};
const inbound = (text = "Hello") => bench.control("inbound", { from: SHEENA, type: "text", text });
const stored = async () => (await bench.control("state")).body.messages.length;
const lastRequest = async () => (await bench.control("requests")).body.requests.at(-1);

describe("on Graph calls", () => {
  test("error: nothing is accepted, and the asked status and code are answered", async () => {
    await fault({ kind: "error", status: 429, code: 130429 }, { times: 1 });
    expect(await bench.send()).toMatchObject({ status: 429, body: { error: { code: 130429 } } });
    expect(await stored()).toBe(0);
    expect((await bench.send()).status).toBe(200);
  });

  test("html_error: the answer is not JSON", async () => {
    await fault({ kind: "html_error", status: 502 });
    const answer = await bench.send();
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("<html>");
    expect(await stored()).toBe(0);
  });

  test("accept_then_drop: accepted, but the caller learns nothing", async () => {
    await fault({ kind: "accept_then_drop" }, { times: 1 });
    await expect(bench.send()).rejects.toThrow();
    expect(await stored()).toBe(1);
    expect(await lastRequest()).toMatchObject({ method: "POST", status: null, response: null });
  });

  test("accept_then_error: accepted, but an error is answered", async () => {
    await fault({ kind: "accept_then_error", status: 503 });
    expect((await bench.send()).status).toBe(503);
    expect(await stored()).toBe(1);
  });

  test("reset: cut off with nothing accepted", async () => {
    await fault({ kind: "reset" }, { times: 1 });
    await expect(bench.send()).rejects.toThrow();
    expect(await stored()).toBe(0);
  });

  test("hang: no answer comes", async () => {
    await fault({ kind: "hang" }, { match: { endpoint: "messages" } });
    await expect(
      bench.graph("/106540352242922/messages", {}, { signal: AbortSignal.timeout(150) }),
    ).rejects.toThrow();
    expect(await lastRequest()).toMatchObject({ status: null });
  });

  test("delay: accepted at once, answered late", async () => {
    await fault({ kind: "delay", ms: 120 });
    const started = performance.now();
    expect((await bench.send()).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThanOrEqual(115);
  });

  test("only what matches is hit", async () => {
    await fault({ kind: "error" }, { match: { endpoint: "messages", to: "+16505551234", type: "text" } });
    expect((await bench.send()).status).toBe(500);
    expect((await bench.send({ to: "+4915112345678", text: { body: "x" } })).status).toBe(200);
    expect((await bench.send({ type: "location", location: { latitude: 1, longitude: 1 } })).status).toBe(
      200,
    );
    expect((await bench.graph("/me")).status).toBe(200);
    await bench.control("faults", undefined, "DELETE");
    expect((await bench.send()).status).toBe(200);
  });
});

describe("on webhooks", () => {
  test("duplicate: the same bytes so many times more", async () => {
    await fault({ kind: "duplicate", times: 2 });
    expect((await inbound()).body.deliveries).toHaveLength(3);
    expect(new Set(bench.receiver.received.map(({ bytes }) => bytes.toString())).size).toBe(1);
  });

  test("drop: nothing arrives", async () => {
    await fault({ kind: "drop" }, { match: { type: "text" } });
    expect((await inbound()).body.deliveries).toEqual([]);
    expect(bench.receiver.received).toEqual([]);
  });

  test("bad_signature: the bytes are signed with another secret", async () => {
    await fault({ kind: "bad_signature" });
    await inbound();
    const [first] = await bench.receiver.arrived(1);
    const right = createHmac("sha256", "sim-app-secret")
      .update(first?.bytes ?? "")
      .digest("hex");
    expect(first?.headers["x-hub-signature-256"]).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(first?.headers["x-hub-signature-256"]).not.toBe(`sha256=${right}`);
  });

  test("delay: arrives when the clock has come so far", async () => {
    await fault({ kind: "delay", ms: 3_600_000 }, { match: { endpoint: "webhook" } });
    expect((await inbound()).body.deliveries).toEqual([]);
    await bench.control("clock", { advanceMs: 3_599_000 });
    expect(bench.receiver.received).toHaveLength(0);
    await bench.control("clock", { advanceMs: 1_000 });
    expect(bench.receiver.received).toHaveLength(1);
  });

  test("reorder: the next webhook comes first", async () => {
    await fault({ kind: "reorder" }, { times: 1 });
    await inbound("first");
    await inbound("second");
    const received = await bench.receiver.arrived(2);
    expect(received.map(({ bytes }) => /"body":"(\w+)"/.exec(bytes.toString())?.[1])).toEqual([
      "second",
      "first",
    ]);
  });

  test("batch: several events come in one delivery", async () => {
    await fault({ kind: "batch" });
    await inbound("first");
    await inbound("second");
    await bench.control("clock", { advanceMs: 1_000 });
    const [only, ...others] = bench.receiver.received;
    expect(others).toEqual([]);
    expect(JSON.parse(only?.bytes.toString() ?? "").entry[0].changes).toHaveLength(2);
  });
});

describe("on media", () => {
  const link = async () => {
    await bench.control("inbound", {
      from: SHEENA,
      type: "document",
      data: Buffer.from("hello").toString("base64"),
    });
    const { media } = (await bench.control("state")).body;
    return (await bench.graph(`/${media.at(-1)?.id}`)).body.url;
  };
  const download = async () =>
    fetch(await link(), { headers: { authorization: "Bearer sim-access-token" }, redirect: "manual" });

  test("expired: the link is dead", async () => {
    await fault({ kind: "expired" });
    expect((await download()).status).toBe(404);
  });

  test("wrong_sha: the bytes are not those of the digest", async () => {
    await fault({ kind: "wrong_sha" });
    const text = await (await download()).text();
    expect(text).toHaveLength(5);
    expect(text).not.toBe("hello");
  });

  test("slow: the file comes late", async () => {
    await fault({ kind: "slow", ms: 120 });
    const url = await link();
    const started = performance.now();
    const response = await fetch(url, { headers: { authorization: "Bearer sim-access-token" } });
    expect([response.status, performance.now() - started >= 115]).toEqual([200, true]);
  });

  test("wrong_mime: the file comes under another type", async () => {
    await fault({ kind: "wrong_mime", mimeType: "text/html" });
    expect((await download()).headers.get("content-type")).toBe("text/html");
  });

  test("oversize: more comes than was said", async () => {
    await fault({ kind: "oversize" });
    expect((await (await download()).arrayBuffer()).byteLength).toBeGreaterThan(2 * 1024 * 1024);
  });

  test("redirect: the link leads elsewhere", async () => {
    await fault({ kind: "redirect", to: "http://169.254.169.254/" });
    const response = await download();
    expect([response.status, response.headers.get("location")]).toEqual([302, "http://169.254.169.254/"]);
  });
});

test("a rule applies as often as it says, and by its probability", () => {
  const chances = [0.1, 0.9, 0.2, 0.3];
  const faults = new Faults(() => chances.shift() ?? 1);
  faults.add({ match: {}, effect: { kind: "drop" }, times: 2, probability: 0.5 });
  const hits = [1, 2, 3, 4].map(() => faults.take({ place: "webhook" }).length);
  expect(hits).toEqual([1, 0, 1, 0]);
  expect(faults.list()).toMatchObject([{ used: 2 }]);
});
