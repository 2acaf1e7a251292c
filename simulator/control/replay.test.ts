import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startSimulator } from "../simulator";
import { type Bench, SHEENA, startBench, startReceiver } from "../test-support";

let folder = "";
let bench: Bench;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "simulator-recording-"));
});
afterEach(() => bench.close());
afterAll(() => rm(folder, { recursive: true }));

const inbound = (text: string) => bench.control("inbound", { from: SHEENA, type: "text", text });
const bodies = () => bench.receiver.received.map(({ bytes }) => bytes.toString());

test("a range of the log is sent again, byte for byte and in order, each webhook once", async () => {
  bench = await startBench();
  bench.receiver.answer = (nth) => (nth === 2 ? 500 : 200);
  for (const text of ["one", "two", "three"]) await inbound(text);
  await bench.control("clock", { advanceMs: 1_000 });
  const before = [...new Set(bodies())];
  expect(before).toHaveLength(3);
  bench.receiver.received.length = 0;
  bench.receiver.answer = () => 200;
  const answer = await bench.control("replay", { from: 1 });
  expect(JSON.parse(answer.text)).toMatchObject({ replayed: 3, statuses: { "200": 3 } });
  expect(bodies()).toEqual(before);
  bench.receiver.received.length = 0;
  await bench.control("replay", { from: 1, to: 1 });
  expect(bodies()).toEqual(before.slice(0, 1));
  expect((await bench.control("replay", { from: 99 })).status).toBe(404);
});

test("shuffled, the order is another one, and the seed decides which", async () => {
  bench = await startBench();
  for (const text of ["a", "b", "c", "d", "e", "f"]) await inbound(text);
  const before = bodies();
  bench.receiver.received.length = 0;
  await bench.control("replay", { from: 1, to: 6, shuffle: true });
  expect(bodies()).not.toEqual(before);
  expect(bodies().sort()).toEqual(before.sort());
});

test("a recording holds every call and webhook, and another simulator plays its webhooks", async () => {
  const record = path.join(folder, "story.jsonl");
  bench = await startBench({ record });
  await inbound("recorded");
  await bench.graph("/me");
  const sent = bodies();
  await bench.close();
  const lines = (await readFile(record, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { type: "delivery", entry: { attempt: 1, status: 200, body: sent[0] } },
    { type: "request", entry: { method: "GET", path: "/v25.0/me", status: 200 } },
  ]);

  bench = await startBench();
  const recording = await readFile(record, "utf8");
  expect(JSON.parse((await bench.control("replay", { recording })).text)).toMatchObject({ replayed: 1 });
  expect(bodies()).toEqual(sent);

  const receiver = await startReceiver();
  const simulator = await startSimulator({ port: 0, webhookUrl: receiver.url, replay: record });
  try {
    expect((await receiver.arrived(1)).map(({ bytes }) => bytes.toString())).toEqual(sent);
  } finally {
    await simulator.close();
    await receiver.close();
  }
});

test("a file that is no recording, or cannot be written, is said at the start", async () => {
  bench = await startBench();
  const broken = path.join(folder, "broken.jsonl");
  await writeFile(broken, '{"type":"request"}\nnonsense\n');
  await expect(startSimulator({ port: 0, replay: broken })).rejects.toThrow(/line 2/);
  await expect(startSimulator({ port: 0, record: path.join(folder, "none", "x") })).rejects.toThrow(/ENOENT/);
});
