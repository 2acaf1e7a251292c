// @vitest-environment node
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { GraphClient } from "#shared/whatsapp/client";
import { type RunningSimulator, startSimulator } from "../simulator/simulator";
import { downloadMedia } from "./model/mediaDownload";

/** The download against the simulator's media faults, over a real network. */
const TOKEN = "sim-access-token";
/** Shorter than the slow file takes; the others have all the time that a busy machine needs. */
const SLOW_DEADLINE_MS = 300;

let simulator: RunningSimulator;
let elsewhere: Server;
let asked: number;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 });
  elsewhere = createServer((_request, response) => {
    asked++;
    response.end("hello");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await simulator.close();
  elsewhere.closeAllConnections();
  await new Promise((resolve) => elsewhere.close(resolve));
});
beforeEach(() => {
  asked = 0;
  vi.stubEnv("META_MEDIA_HOSTS", new URL(simulator.url).host);
});
afterEach(() => vi.unstubAllEnvs());

const control = async (path: string, body: object) => {
  const response = await fetch(new URL(path, simulator.url), { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
};
/** The id of a document that a customer has just sent. */
const receiveFile = async () => {
  await control("/_sim/reset", {});
  await fetch(new URL("/_sim/faults", simulator.url), { method: "DELETE" });
  const data = Buffer.from("hello").toString("base64");
  await control("/_sim/inbound", { from: "+16505551234", type: "document", data });
  const state = await (await fetch(new URL("/_sim/state", simulator.url))).json();
  const { media } = state as { media: { id: string }[] };
  return media.at(-1)?.id ?? "";
};
const options = () => ({ baseUrl: simulator.url, version: "v25.0", accessToken: TOKEN, fetch });
const download = async (id: string, deadlineMs = 20_000) =>
  await downloadMedia(new GraphClient({ ...options(), deadlineMs }), id, undefined);
const port = () => (elsewhere.address() as AddressInfo).port;

it.each([
  ["is slower than its time allows", () => ({ kind: "slow", ms: 30_000 }), "timeout"],
  ["has other bytes than its digest says", () => ({ kind: "wrong_sha" }), "wrong_digest"],
  ["is larger than was said", () => ({ kind: "oversize" }), "wrong_size"],
  ["leads elsewhere", () => ({ kind: "redirect", to: `http://127.0.0.1:${port()}/` }), "http_302"],
  ["is behind a link that is too old each time", () => ({ kind: "expired" }), "http_404"],
])("a file that %s is not taken, and may be asked for again", async (_, effect, reason) => {
  const id = await receiveFile();
  await control("/_sim/faults", { match: {}, effect: effect() });
  const deadlineMs = reason === "timeout" ? SLOW_DEADLINE_MS : undefined;
  expect(await download(id, deadlineMs)).toEqual({ ok: false, reason, final: false });
  expect(asked).toBe(0);
});

it("a file behind a link that is too old once is fetched by a fresh one", async () => {
  const id = await receiveFile();
  await control("/_sim/faults", { match: {}, effect: { kind: "expired" }, times: 1 });
  const file = await download(id);
  expect(file.ok && Buffer.from(file.bytes).toString()).toBe("hello");
});
