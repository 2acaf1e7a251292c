import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { rounded, throughput } from "./measure";

/** So many messages, each with three webhooks, must not make the process grow. */
const MESSAGES = 100_000;
const SAMPLES = 10;
const IN_FLIGHT = 32;
const STATUSES_PER_MESSAGE = 3;
/** How long the last webhooks may take after the last send. */
const DRAIN_MS = 60_000;
const PHONE_NUMBER_ID = "106540352242922";
const CUSTOMER = "+16505551234";

type Say = (line: string) => void;

/** Sends per second with all their status webhooks to a receiver, and the memory of the process along the way. */
export async function benchSimulator(say: Say): Promise<object> {
  const receiver = await startReceiver();
  const simulator = await startSimulatorProcess(receiver.url);
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  try {
    const call = (path: string, body: object) => post(agent, `${simulator.url}${path}`, body);
    // The limits of a real number are far below what is measured here.
    await call("/_sim/settings", { rateLimits: false });
    await call("/_sim/inbound", { from: CUSTOMER, type: "text", text: "Hi" });
    const message = {
      messaging_product: "whatsapp",
      to: CUSTOMER,
      type: "text",
      text: { body: "x".repeat(120) },
    };
    const send = () => call(`/v25.0/${PHONE_NUMBER_ID}/messages`, message);
    const rates: number[] = [];
    const rssMb: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      rates.push(await throughput(MESSAGES / SAMPLES, IN_FLIGHT, send));
      rssMb.push(rssOf(simulator.child));
      say(
        `${(sample + 1) * (MESSAGES / SAMPLES)} messages: ${rounded(rates.at(-1) ?? 0, 0)}/s, RSS ${rssMb.at(-1)} MB`,
      );
    }
    const expected = MESSAGES * STATUSES_PER_MESSAGE;
    const deadline = Date.now() + DRAIN_MS;
    while (receiver.statuses() < expected && Date.now() < deadline) await setTimeout(50);
    const half = rssMb.slice(SAMPLES / 2);
    return {
      bench: "simulator",
      messages: MESSAGES,
      sendsPerSecond: rounded(MESSAGES / rates.reduce((sum, rate) => sum + MESSAGES / SAMPLES / rate, 0), 0),
      statusWebhooks: receiver.statuses(),
      statusWebhooksExpected: expected,
      rssMb,
      /** What the second half of the run added; flat means that it is a small part of the whole. */
      rssGrowthOfSecondHalfMb: rounded((half.at(-1) ?? 0) - (half[0] ?? 0), 1),
      machine: {
        nproc: os.availableParallelism(),
        loadAverage: rounded(os.loadavg()[0] ?? 0),
        node: process.versions.node,
      },
    };
  } finally {
    agent.destroy();
    await simulator.close();
    await receiver.close();
  }
}

/** A callback that answers at once and counts statuses. */
async function startReceiver() {
  let statuses = 0;
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://receiver");
    if (request.method === "GET") {
      response.end(url.searchParams.get("hub.challenge"));
      return;
    }
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (body.includes('"statuses"')) statuses++;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The receiver has no port.");
  return {
    url: `http://127.0.0.1:${address.port}/webhook`,
    statuses: () => statuses,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The simulator as users run it, in a process of its own whose memory can be told apart. */
async function startSimulatorProcess(webhookUrl: string) {
  const args = ["--import", "tsx", "simulator/main.ts", "--port", "0", "--webhook-url", webhookUrl];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", (line) => resolve(line.replace("ready ", "")))),
    ended.then(() => Promise.reject(new Error("The simulator did not start."))),
  ]);
  const close = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url, child, close };
}

function rssOf(child: ChildProcess): number {
  const status = fs.readFileSync(`/proc/${child.pid}/status`, "utf8");
  return rounded(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024, 0);
}

function post(agent: http.Agent, url: string, body: object): Promise<void> {
  const text = JSON.stringify(body);
  const headers = {
    authorization: "Bearer sim-access-token",
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method: "POST", headers }, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    });
    request.once("error", reject);
    request.end(text);
  });
}
