import os from "node:os";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { type EngineProcess, tempDir } from "../support/engine-process";
import { type BareNext, openBareNext } from "./bare-next";
import { openBareWebhooks } from "./bare-webhooks";
import { readFlags, wholeNumber } from "./flags";
import { type InboxFacts, openInboxFacts } from "./inbox-facts";
import { fsyncP50Us, median, percentile, rounded, throughput } from "./measure";
import { openLoop } from "./open-loop";
import { identityToken, type Product, prepareProduct, startBuiltApp, withFolder } from "./product";
import { readContents, type StoredWrites, writesBetween } from "./stored-writes";
import { openWatchers } from "./watchers";
import { type Delivery, WebhookBodies } from "./webhook-bodies";
import { openWebhookLoad, requestBytes, type WebhookLoad } from "./webhook-load";

const IN_FLIGHT = 64;
/** Connections of the sender that keeps to a rate; more than are ever busy at once unless the server stands still. */
const OPEN_LOOP_CONNECTIONS = 256;
const THREAD_ROWS = 25;
/** The open loop runs this long before it counts. */
const OPEN_LOOP_WARM_UP_SECONDS = 2;
/** A limit that varies more than this between its rounds makes the run's ratios worthless. */
const LIMIT_SPREAD_MAX = 1.25;
/** Aims of the design, printed beside the figures. */
const AIMS = { siteOfBareDocs: 0.4, nextOfBareNext: 0.7, openLoopP99Ms: 50 };

type Say = (line: string) => void;

const DEFAULTS = {
  rounds: "5",
  /** Of one round, through the site door; the Next door and the limits get their share of it. */
  webhooks: "3000",
  warmUp: "10000",
  accounts: "8",
  conversations: "1000",
  operators: "20",
  subscribers: "1000",
  rate: "300",
  seconds: "30",
  /** What a subscriber watches: `thread` = the messages of one conversation, `inbox` = also its account's list. */
  watch: "thread",
};
type Settings = Record<Exclude<keyof typeof DEFAULTS, "watch">, number> & { watch: string };

function readSettings(flags: string[]): Settings {
  const given = readFlags(flags, DEFAULTS);
  const number = (name: Exclude<keyof typeof DEFAULTS, "watch">, least = 1) =>
    wholeNumber(given[name], name, least);
  return {
    rounds: number("rounds"),
    webhooks: number("webhooks", IN_FLIGHT),
    warmUp: number("warmUp"),
    accounts: number("accounts"),
    conversations: number("conversations"),
    operators: number("operators"),
    subscribers: number("subscribers"),
    rate: number("rate"),
    seconds: number("seconds"),
    watch: given.watch,
  };
}

/**
 * What it takes to acknowledge webhooks: per second through the backend's own door and through the app, beside servers
 * that do no more than they must, and the latency at a steady rate while dashboards are connected.
 */
export async function benchIngest(say: Say, flags: string[]): Promise<object> {
  const settings = readSettings(flags);
  return await withFolder(tempDir("bench-ingest"), async (folder) => {
    say("Deploying the product's functions ...");
    const operators = Array.from({ length: settings.operators }, (_, n) => `operator-${n}`);
    const product = await prepareProduct(folder, settings.accounts, operators);
    const bodies = new WebhookBodies({ count: settings.accounts, conversations: settings.conversations });
    try {
      const writes = await measureWrites(product, bodies);
      say(
        `One webhook writes ${writes.inserted.length} documents, changes ${writes.updated.length}, adds ${writes.entriesAdded} index entries and removes ${writes.entriesRemoved}.`,
      );
      const engine = await product.start();
      try {
        const rates = await measureRates({ folder, product, engine, bodies, writes, settings, say });
        const openLoop = await measureOpenLoop({ product, engine, bodies, operators, settings, say });
        return {
          bench: "ingest",
          ...{ settings, inFlight: IN_FLIGHT },
          ...rates,
          ...openLoop,
          writesPerWebhook: {
            documentsInserted: writes.inserted.length,
            documentsUpdated: writes.updated.length,
            entriesAdded: writes.entriesAdded,
            entriesRemoved: writes.entriesRemoved,
          },
          aims: AIMS,
          machine: machine(folder),
        };
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

/** Reads off the disk what a message of a known customer writes, so that the limit can be made to write as much. */
async function measureWrites(product: Product, bodies: WebhookBodies): Promise<StoredWrites> {
  const { conversations } = bodies.numbers;
  await deliverOnce(product, bodies.make(conversations));
  const before = readContents(product.dataDir);
  await deliverOnce(product, bodies.make(1));
  return writesBetween(before, readContents(product.dataDir));
}

async function deliverOnce(product: Product, deliveries: readonly Delivery[]): Promise<void> {
  const engine = await product.start();
  try {
    const load = await openWebhookLoad(engine.siteUrl, 8);
    await sendAll(load, prepared(`${engine.siteUrl}/webhook`, deliveries), 8);
    load.close();
  } finally {
    await engine.child.stop();
  }
}

const prepared = (url: string, deliveries: readonly Delivery[]): Buffer[] =>
  deliveries.map((delivery) => requestBytes(url, delivery));

/** Per second. */
const sendAll = (load: WebhookLoad, requests: readonly Buffer[], inFlight: number): Promise<number> =>
  throughput(requests.length, inFlight, (n) => load.post(requests[n] ?? Buffer.alloc(0)));

type Bench = {
  folder: string;
  product: Product;
  engine: EngineProcess;
  bodies: WebhookBodies;
  writes: StoredWrites;
  settings: Settings;
  say: Say;
};

/** Servers that do no more than they must; what they take is kept nowhere that the product could show it. */
const LIMITS = ["bareLog", "bareDocs", "bareNext"] as const;
type LimitName = (typeof LIMITS)[number];

type Subject = {
  name: "site" | "siteHotAccount" | "next" | LimitName;
  url: string;
  load: WebhookLoad;
  /** Webhooks of one round: each subject gets about as long as the others. */
  count: number;
  hot?: boolean;
};

async function measureRates(bench: Bench) {
  const { folder, product, engine, bodies, writes, settings, say } = bench;
  const bare = await openBareWebhooks(folder, writes);
  const app = await startBuiltApp(product, engine);
  if (app === null) say("The app is not built (.next/BUILD_ID): the Next route is left out.");
  else say("Building the bare app ...");
  const bareNext: BareNext | null = app === null ? null : await openBareNext();
  const inbox = await openInbox(product, engine);
  const share = (part: number) => Math.max(IN_FLIGHT, Math.floor(settings.webhooks * part));
  const subject = async (name: Subject["name"], url: string, count: number, hot = false) => {
    return { name, url, load: await openWebhookLoad(url, IN_FLIGHT), count, hot };
  };
  const siteUrl = `${engine.siteUrl}/webhook`;
  const subjects: Subject[] = [
    await subject("bareLog", bare.logUrl, share(5)),
    await subject("bareDocs", bare.docsUrl, share(2)),
    await subject("site", siteUrl, share(1)),
    await subject("siteHotAccount", siteUrl, share(1), true),
    ...(bareNext === null
      ? []
      : [
          await subject("bareNext", bareNext.webhookUrl, share(0.5)),
          await subject("next", `http://127.0.0.1:${product.env.PORT}/api/webhook`, share(0.5)),
        ]),
  ];
  try {
    const results = await runRounds(subjects, { bodies, inbox, settings, say });
    return summary(results);
  } finally {
    for (const { load } of subjects) load.close();
    inbox.close();
    await app?.stop();
    await bareNext?.close();
    await bare.close();
  }
}

async function openInbox({ env, accountIds }: Product, engine: EngineProcess): Promise<InboxFacts> {
  return openInboxFacts(engine.url, await identityToken(env, "user", "operator-0"), accountIds);
}

type Results = { rates: Map<Subject["name"], number[]>; visible: number[] };

async function runRounds(
  subjects: readonly Subject[],
  { bodies, inbox, settings, say }: Pick<Bench, "bodies" | "settings" | "say"> & { inbox: InboxFacts },
): Promise<Results> {
  const results: Results = { rates: new Map(subjects.map(({ name }) => [name, []])), visible: [] };
  let ingested = await inbox.visibleMessages();
  const run = async ({ name, url, load, count, hot }: Subject, times = 1) => {
    const requests = prepared(url, bodies.make(Math.ceil(count * times), { hot: hot === true }));
    const startMs = performance.now();
    const rate = await sendAll(load, requests, IN_FLIGHT);
    if (LIMITS.some((limit) => limit === name)) return { rate, visible: Number.NaN };
    ingested += requests.length;
    await untilVisible(inbox, ingested);
    return { rate, visible: requests.length / ((performance.now() - startMs) / 1000) };
  };
  for (const subject of subjects) {
    say(`Warming up: ${subject.name}`);
    await run(subject, settings.warmUp / settings.webhooks);
  }
  for (let round = 1; round <= settings.rounds; round++) {
    for (const subject of subjects) {
      const { rate, visible } = await run(subject);
      results.rates.get(subject.name)?.push(rate);
      if (subject.name === "site") results.visible.push(visible);
    }
    const newest = [...results.rates].map(([name, rates]) => `${name} ${rounded(rates.at(-1) ?? 0, 0)}`);
    say(`Acknowledged per second, round ${round}: ${newest.join(", ")}`);
  }
  return results;
}

/** How long acknowledged messages may take to be seen before the run is given up. */
const VISIBLE_WAIT_MS = 30_000;

async function untilVisible(inbox: InboxFacts, expected: number): Promise<void> {
  const endMs = performance.now() + VISIBLE_WAIT_MS;
  for (let seen = await inbox.visibleMessages(); seen !== expected; seen = await inbox.visibleMessages()) {
    if (performance.now() > endMs) throw new Error(`${expected} messages were sent and ${seen} can be seen.`);
    await setTimeout(20);
  }
}

function summary({ rates, visible }: Results) {
  const ratesOf = (name: Subject["name"]) => rates.get(name) ?? [];
  const rate = (name: Subject["name"]) => rounded(median(ratesOf(name)), 0);
  /** The median of what each round gave: a machine that slows down meanwhile slows both. */
  const ratio = (own: readonly number[], limit: Subject["name"]) =>
    rounded(median(own.map((value, round) => value / (ratesOf(limit)[round] ?? Number.NaN))));
  const spread = (name: Subject["name"]) => rounded(Math.max(...ratesOf(name)) / Math.min(...ratesOf(name)));
  const hasNext = rates.has("next");
  const limitSpread = {
    bareLog: spread("bareLog"),
    bareDocs: spread("bareDocs"),
    ...(hasNext && { bareNext: spread("bareNext") }),
  };
  return {
    siteAcksPerSecond: rate("site"),
    siteHotAccountAcksPerSecond: rate("siteHotAccount"),
    siteVisiblePerSecond: rounded(median(visible), 0),
    nextAcksPerSecond: hasNext ? rate("next") : null,
    bareLogPerSecond: rate("bareLog"),
    bareDocsPerSecond: rate("bareDocs"),
    bareNextPerSecond: hasNext ? rate("bareNext") : null,
    siteOfBareDocs: ratio(ratesOf("site"), "bareDocs"),
    siteVisibleOfBareDocs: ratio(visible, "bareDocs"),
    siteHotAccountOfBareDocs: ratio(ratesOf("siteHotAccount"), "bareDocs"),
    siteOfBareLog: ratio(ratesOf("site"), "bareLog"),
    nextOfBareNext: hasNext ? ratio(ratesOf("next"), "bareNext") : null,
    nextOfBareDocs: hasNext ? ratio(ratesOf("next"), "bareDocs") : null,
    nextOfSite: hasNext ? ratio(ratesOf("next"), "site") : null,
    limitSpread,
    isTooNoisy: Math.max(...Object.values(limitSpread)) > LIMIT_SPREAD_MAX,
  };
}

async function measureOpenLoop({
  product,
  engine,
  bodies,
  operators,
  settings,
  say,
}: Pick<Bench, "product" | "engine" | "bodies" | "settings" | "say"> & { operators: readonly string[] }) {
  const { rate, seconds, subscribers, watch } = settings;
  say(`Connecting ${subscribers} subscribers ...`);
  const watchers = await openWatchers(
    engine.url,
    await ordersFor(product, engine, operators, subscribers, watch),
  );
  const load = await openWebhookLoad(engine.siteUrl, OPEN_LOOP_CONNECTIONS);
  try {
    const requests = prepared(
      `${engine.siteUrl}/webhook`,
      bodies.make(rate * (OPEN_LOOP_WARM_UP_SECONDS + seconds)),
    );
    const warmUp = requests.splice(0, rate * OPEN_LOOP_WARM_UP_SECONDS);
    const post = (list: readonly Buffer[]) => (n: number) => load.post(list[n] ?? Buffer.alloc(0));
    await openLoop(warmUp.length, rate, post(warmUp));
    await watchers.count();
    const latencies = await openLoop(requests.length, rate, post(requests));
    const { updates, failures } = await watchers.count();
    if (failures > 0) throw new Error(`${failures} subscriptions failed.`);
    say(
      `${rate} webhooks a second beside ${subscribers} subscribers: p50 ${rounded(median(latencies))} ms, p99 ${rounded(percentile(latencies, 0.99))} ms, ${rounded(updates / seconds, 0)} updates a second`,
    );
    return {
      openLoopP50Ms: rounded(median(latencies)),
      openLoopP99Ms: rounded(percentile(latencies, 0.99)),
      openLoopMaxMs: rounded(Math.max(...latencies)),
      updatesPerSecond: rounded(updates / seconds, 0),
    };
  } finally {
    load.close();
    await watchers.close();
  }
}

/** Every conversation is watched by about as many sockets, and every operator has about as many of them. */
async function ordersFor(
  product: Product,
  engine: EngineProcess,
  operators: readonly string[],
  count: number,
  watch: string,
) {
  const inbox = await openInbox(product, engine);
  const conversations = await inbox.conversations();
  inbox.close();
  const tokens = await Promise.all(operators.map((operator) => identityToken(product.env, "user", operator)));
  const first = { numItems: THREAD_ROWS, cursor: null };
  return Array.from({ length: count }, (_, n) => {
    const { accountId = "", conversationId = "" } = conversations[n % conversations.length] ?? {};
    const thread = { path: "messages:list", args: { accountId, conversationId, paginationOpts: first } };
    const list = { path: "conversations:list", args: { accountId, paginationOpts: first } };
    return {
      token: tokens[n % tokens.length] ?? "",
      queries: watch === "inbox" ? [thread, list] : [thread],
    };
  });
}
