import os from "node:os";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { type EngineProcess, tempDir } from "../support/engine-process";
import { type BareNext, openBareNext } from "./bare-next";
import { cpuTimeMs } from "./cpu-time";
import { FlagError, readFlags, wholeNumber } from "./flags";
import { openInboxFacts } from "./inbox-facts";
import { measurePush } from "./mcp-push";
import { type Era, mcpBody, mcpHeaders, mcpRequestBytes } from "./mcp-requests";
import { fsyncP50Us, median, rounded, throughput } from "./measure";
import { identityToken, type Product, prepareProduct, startBuiltApp, withFolder } from "./product";
import { WebhookBodies } from "./webhook-bodies";
import { openWebhookLoad, requestBytes, type WebhookLoad } from "./webhook-load";

const OPERATOR = "bench-operator";
const ERAS: readonly Era[] = ["2026-07-28", "2025-11-25"];
/** A limit that varies more than this between its rounds makes the run's ratios worthless. */
const LIMIT_SPREAD_MAX = 1.25;
/** Aims of the issue, printed beside the figures. */
const AIMS = { pushP99Ms: 300, callsOfBare: 0.7 };
/** Messages before the first that counts: the code of the path is compiled by then. */
const PUSH_WARM_UP_MESSAGES = 50;

const DEFAULTS = {
  streams: "200",
  messages: "200",
  /** Messages in a second. */
  rate: "10",
  /** Conversations that the messages take turns in; every stream is subscribed to all of them. */
  conversations: "20",
  /** Keys that the streams share; a key has at most 50 streams. */
  keys: "4",
  rounds: "5",
  /** Calls of a tool in one round, of each subject. */
  calls: "1500",
  inFlight: "8",
};
type Settings = Record<keyof typeof DEFAULTS, number>;
type Say = (line: string) => void;

function readSettings(flags: string[]): Settings {
  const given = readFlags(flags, DEFAULTS);
  const number = (name: keyof typeof DEFAULTS) => wholeNumber(given[name], name);
  return {
    streams: number("streams"),
    messages: number("messages"),
    rate: number("rate"),
    conversations: number("conversations"),
    keys: number("keys"),
    rounds: number("rounds"),
    calls: number("calls"),
    inFlight: number("inFlight"),
  };
}

/**
 * What the MCP endpoint of the built app costs: from a signed webhook at the backend's door to the notice in every open
 * stream, and calls of a tool with one indexed read beside the bare SDK in a bare app of the same Next version.
 */
export async function benchMcp(say: Say, flags: string[]): Promise<object> {
  const settings = readSettings(flags);
  return await withFolder(tempDir("bench-mcp"), async (folder) => {
    say("Deploying the product's functions ...");
    const product = await prepareProduct(folder, 1, [OPERATOR]);
    try {
      const engine = await product.start();
      try {
        const app = await startBuiltApp(product, engine);
        if (app === null) throw new FlagError("The app is not built: run `npm run build` first.");
        try {
          const pids = { app: app.pid, engine: engine.child.pid };
          const bench = { ...(await openBench(product, engine, settings, say)), pids };
          const push = await pushFigures(bench);
          const calls = await callFigures(bench);
          return { bench: "mcp", settings, ...push, ...calls, aims: AIMS, machine: machine(folder) };
        } finally {
          await app.stop();
        }
      } finally {
        await engine.child.stop();
      }
    } finally {
      await product.close();
    }
  });
}

const machine = (folder: string) => ({
  nproc: os.availableParallelism(),
  loadAverage: rounded(os.loadavg()[0] ?? 0),
  node: process.versions.node,
  fsyncP50Us: rounded(fsyncP50Us(folder), 0),
});

type Pids = { app: number; engine: number };

type Bench = {
  pids: Pids;
  mcpUrl: string;
  webhookUrl: string;
  keys: string[];
  bodies: WebhookBodies;
  /** The resource of each conversation, in the order in which `bodies` writes to them. */
  uris: string[];
  settings: Settings;
  say: Say;
};

/** Makes the keys, and lets every customer write once, so that their conversations are there. */
async function openBench(
  product: Product,
  engine: EngineProcess,
  settings: Settings,
  say: Say,
): Promise<Omit<Bench, "pids">> {
  const [accountId = ""] = product.accountIds;
  const keys: string[] = [];
  for (let n = 0; n < settings.keys; n++) keys.push(await createKey(engine, accountId));
  const bodies = new WebhookBodies({ count: 1, conversations: settings.conversations });
  const webhookUrl = `${engine.siteUrl}/webhook`;
  const inbox = openInboxFacts(
    engine.url,
    await identityToken(product.env, "user", OPERATOR),
    product.accountIds,
  );
  const load = await openWebhookLoad(webhookUrl, 1);
  const uris: string[] = [];
  try {
    for (const delivery of bodies.make(settings.conversations)) {
      await load.post(requestBytes(webhookUrl, delivery));
      const known = await inbox.conversations();
      const added = known.map(({ conversationId }) => `pons://conversations/${conversationId}`);
      uris.push(...added.filter((uri) => !uris.includes(uri)));
    }
  } finally {
    load.close();
    inbox.close();
  }
  const mcpUrl = `http://127.0.0.1:${product.env.PORT}/api/mcp`;
  return { mcpUrl, webhookUrl, keys, bodies, uris, settings, say };
}

async function createKey(engine: EngineProcess, accountId: string): Promise<string> {
  const created = await runFunction(engine, "keysAdmin:create", {
    ...{ accountId, name: "bench", scopes: ["read"] },
    // Limits that no run reaches; asking for requests costs one transaction in many calls, as for any busy key.
    ...{ rpm: 1_000_000, dailyCap: 1_000_000 },
  });
  return z.object({ key: z.string() }).parse(created).key;
}

async function pushFigures(bench: Bench) {
  const { mcpUrl, webhookUrl, keys, bodies, uris, settings, say } = bench;
  const streams = Array.from({ length: settings.streams }, (_, n) => ({
    era: ERAS[n % ERAS.length] ?? "2026-07-28",
    key: keys[Math.floor(n / ERAS.length) % keys.length] ?? "",
    uris,
  }));
  const run = async (count: number) => {
    const messages = bodies
      .make(count)
      .map((delivery, n) => ({ delivery, uri: uris[n % uris.length] ?? "" }));
    return await measurePush({ mcpUrl, webhookUrl, streams, messages, perSecond: settings.rate });
  };
  say(`Opening ${settings.streams} streams, twice: to warm up, and to measure ...`);
  await run(Math.ceil(PUSH_WARM_UP_MESSAGES / uris.length) * uris.length);
  const figures = await run(settings.messages);
  say(
    `Webhook to notice, ${figures.noticesHeard} notices: p50 ${figures.pushP50Ms} ms, p99 ${figures.pushP99Ms} ms, max ${figures.pushMaxMs} ms, ${figures.noticesLost} lost`,
  );
  return figures;
}

type Subject = {
  of: "bare" | "product";
  era: Era;
  load: WebhookLoad;
  request: Buffer;
  /** The process that answers. */
  pid: number;
};

async function callFigures(bench: Bench) {
  const { mcpUrl, keys, pids, settings, say } = bench;
  const [key = ""] = keys;
  say("Building the bare app ...");
  const bare: BareNext = await openBareNext();
  const call = {
    method: "tools/call",
    params: { name: "get_message_status", arguments: { message_id: await anyMessage(bench) } },
  };
  const subjects: Subject[] = [];
  try {
    for (const era of ERAS) {
      const sides = [
        { of: "bare", url: bare.mcpUrl, pid: bare.pid },
        { of: "product", url: mcpUrl, pid: pids.app },
      ] as const;
      for (const { of, url, pid } of sides) {
        const load = await openWebhookLoad(url, settings.inFlight);
        subjects.push({ of, era, load, pid, request: mcpRequestBytes(url, era, call, key) });
      }
    }
    return summary(await runRounds(subjects, pids.engine, settings, say));
  } finally {
    for (const { load } of subjects) load.close();
    await bare.close();
  }
}

/** The id of a message that the key may read. */
async function anyMessage({ mcpUrl, keys: [key = ""] }: Bench): Promise<string> {
  const request = { method: "tools/call", params: { name: "get_messages", arguments: { limit: 1 } } };
  const era: Era = "2025-11-25";
  const response = await fetch(mcpUrl, {
    method: "POST",
    headers: mcpHeaders(era, request, { key }),
    body: mcpBody(era, request),
  });
  const page = z.object({ messages: z.tuple([z.object({ id: z.string() })]) });
  const answer = z.object({ result: z.object({ structuredContent: page }) }).parse(await response.json());
  return answer.result.structuredContent.messages[0].id;
}

type Samples = Record<Era, Record<Subject["of"], number[]>>;
/** Calls in a second, and the processor time of one call (ms) in the process that answers and in the engine. */
type Results = { rates: Samples; cpuMs: Samples; engineCpuMs: Samples };

const noSamples = (): Samples => ({
  "2026-07-28": { bare: [], product: [] },
  "2025-11-25": { bare: [], product: [] },
});

async function runRounds(
  subjects: readonly Subject[],
  enginePid: number,
  settings: Settings,
  say: Say,
): Promise<Results> {
  const results: Results = { rates: noSamples(), cpuMs: noSamples(), engineCpuMs: noSamples() };
  const run = async ({ load, request }: Subject) =>
    await throughput(settings.calls, settings.inFlight, async () => {
      const answer = await load.post(request);
      if (!answer.includes('"structuredContent"')) throw new Error(answer.slice(0, 500));
    });
  for (const subject of subjects) await run(subject);
  for (let round = 1; round <= settings.rounds; round++) {
    for (const subject of subjects) {
      const { era, of, pid } = subject;
      const before = [cpuTimeMs(pid), cpuTimeMs(enginePid)] as const;
      results.rates[era][of].push(await run(subject));
      results.cpuMs[era][of].push(cpuOf(before[0], cpuTimeMs(pid), settings));
      results.engineCpuMs[era][of].push(cpuOf(before[1], cpuTimeMs(enginePid), settings));
    }
    const newest = subjects.map(
      ({ era, of }) => `${of} ${era} ${rounded(results.rates[era][of].at(-1) ?? 0, 0)}`,
    );
    say(`Calls per second, round ${round}: ${newest.join(", ")}`);
  }
  return results;
}

const cpuOf = (before: number | null, after: number | null, { calls }: Settings): number =>
  before === null || after === null ? Number.NaN : (after - before) / calls;

function summary({ rates, cpuMs, engineCpuMs }: Results) {
  const { "2026-07-28": newer, "2025-11-25": older } = rates;
  const cpu = (samples: Samples[Era], engine: Samples[Era]) => ({
    app: rounded(median(samples.product)),
    engine: rounded(median(engine.product)),
    bare: rounded(median(samples.bare)),
  });
  const perSecond = (samples: readonly number[]) => rounded(median(samples), 0);
  /** The median of what each round gave: a machine that slows down meanwhile slows both. */
  const ratio = ({ bare, product }: Samples[Era]) =>
    rounded(median(product.map((value, round) => value / (bare[round] ?? Number.NaN))));
  const spread = (samples: readonly number[]) => rounded(Math.max(...samples) / Math.min(...samples));
  const limitSpread = { newer: spread(newer.bare), older: spread(older.bare) };
  return {
    callsPerSecond: perSecond(newer.product),
    bareCallsPerSecond: perSecond(newer.bare),
    callsOfBare: ratio(newer),
    olderCallsPerSecond: perSecond(older.product),
    olderBareCallsPerSecond: perSecond(older.bare),
    olderCallsOfBare: ratio(older),
    cpuMsPerCall: cpu(cpuMs["2026-07-28"], engineCpuMs["2026-07-28"]),
    olderCpuMsPerCall: cpu(cpuMs["2025-11-25"], engineCpuMs["2025-11-25"]),
    limitSpread,
    isTooNoisy: Math.max(limitSpread.newer, limitSpread.older) > LIMIT_SPREAD_MAX,
  };
}
