import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { type EngineProcess, tempDir } from "../support/engine-process";
import { FlagError, readFlags, wholeNumber } from "./flags";
import { conversationsFor, fillStore } from "./growth-fill";
import { type HttpLoad, openHttpLoad } from "./http-load";
import { fsyncP50Us, median, percentile, rounded, timedMs } from "./measure";
import { MessageCorpus, randomFrom } from "./message-corpus";
import { identityToken, type Product, prepareProduct, withFolder } from "./product";
import { customerOf, WebhookBodies } from "./webhook-bodies";
import { openWebhookLoad, requestBytes } from "./webhook-load";

const OPERATOR = "bench-operator";
const ROUNDS = 5;
const CALLS_PER_ROUND = 60;
/** V8 settles after some thousand calls; before that the first size would pay for all. */
const WARM_UP_CALLS = 300;
const PAGE_ROWS = 25;
/** Words that are looked for: used often enough that many messages have them. */
const SEARCHED_WORDS = 500;
/** How much the cost of an operation may grow between the smallest and the largest store (issue: "done when"). */
const AIM_RATIO = 1.5;
/** A number sends 80 messages in a second; the sends of a round are gone well within this. */
const SENDS_GONE_WAIT_MS = 30_000;

type Say = (line: string) => void;

/**
 * What it costs to list, open, search and send when the store holds more and more messages. The stores stand side by
 * side, each with an engine of its own, and take turns, so that a busy machine slows all of them.
 */
export async function benchGrowth(say: Say, flags: string[]): Promise<object> {
  const given = readFlags(flags, {
    sizes: "1000,100000,1000000",
    rounds: String(ROUNDS),
    calls: String(CALLS_PER_ROUND),
    warmUp: String(WARM_UP_CALLS),
  });
  const sizes = given.sizes.split(",").map((size) => wholeNumber(size, "sizes"));
  if (sizes.length < 2) throw new FlagError("--sizes takes at least two sizes, such as 1000,100000.");
  const rounds = wholeNumber(given.rounds, "rounds");
  const calls = wholeNumber(given.calls, "calls");
  const warmUp = wholeNumber(given.warmUp, "warmUp");
  return await withFolder(tempDir("bench-growth"), async (folder) => {
    say("Deploying the product's functions ...");
    const product = await prepareProduct(folder, 1, [OPERATOR]);
    const stores: Store[] = [];
    try {
      const prepared = await prepareSample(product);
      for (const size of sizes) stores.push(await openStore(product, prepared, folder, size, say));
      const samples = await measure(stores, { rounds, calls, warmUp }, say);
      return { bench: "growth", ...figures(sizes, samples), aimRatio: AIM_RATIO, machine: machine(folder) };
    } finally {
      for (const store of stores) await store.close();
      await product.close();
    }
  });
}

type Prepared = { apiKeyId: string; keyToken: string; userToken: string };

/** One webhook through the product's door makes the rows that the stores are filled with copies of. */
async function prepareSample(product: Product): Promise<Prepared> {
  const engine = await product.start();
  try {
    const [delivery] = new WebhookBodies({ count: 1, conversations: 1 }).make(1);
    if (delivery === undefined) throw new Error("No delivery was made.");
    const load = await openWebhookLoad(engine.siteUrl, 1);
    await load.post(requestBytes(`${engine.siteUrl}/webhook`, delivery));
    load.close();
    const created = await runFunction(engine, "keysAdmin:create", {
      ...{ accountId: product.accountIds[0], name: "bench", scopes: ["read", "send"] },
      ...{ rpm: 1_000_000, dailyCap: 1_000_000 },
    });
    const apiKeyId = z.object({ id: z.string() }).parse(created).id;
    return {
      apiKeyId,
      keyToken: await identityToken(product.env, "mcp", apiKeyId),
      userToken: await identityToken(product.env, "user", OPERATOR),
    };
  } finally {
    await engine.child.stop();
  }
}

type Store = {
  size: number;
  /** Sends so far, each with words of its own: the same text twice in a minute is refused. */
  sent: number;
  random: () => number;
  key: HttpLoad;
  member: HttpLoad;
  product: Product;
  close(): Promise<void>;
};

async function openStore(
  product: Product,
  prepared: Prepared,
  folder: string,
  size: number,
  say: Say,
): Promise<Store> {
  const dataDir = path.join(folder, `store-${size}`);
  fs.cpSync(product.dataDir, dataDir, { recursive: true });
  say(`Filling a store with ${size} messages ...`);
  const ms = await timedMs(() => fillStore(dataDir, size, say));
  say(`Filled in ${rounded(ms / 1000, 1)} s.`);
  const engine: EngineProcess = await product.start(dataDir);
  const key = openHttpLoad(engine.url, 1, prepared.keyToken);
  const member = openHttpLoad(engine.url, 1, prepared.userToken);
  return {
    ...{ size, sent: 0, random: randomFrom(size), key, member, product },
    close: async () => {
      key.close();
      member.close();
      await engine.child.stop();
    },
  };
}

const corpus = new MessageCorpus();
const below = (count: number, random: () => number): number => Math.floor(random() * count);

/** Somebody who writes in this store. */
const customerIn = ({ size, random }: Store): string => customerOf(1 + below(conversationsFor(size), random));

/** Each answers with the text of the answer, which must not be a refusal. */
const OPERATIONS: Readonly<Record<string, (store: Store) => Promise<string>>> = {
  listByKey: ({ key }) => key.ask("query", "mcp:listConversations", { limit: PAGE_ROWS }),
  listByMember: ({ member, product }) =>
    member.ask("query", "conversations:list", {
      accountId: product.accountIds[0],
      paginationOpts: { numItems: PAGE_ROWS, cursor: null },
    }),
  open: (store) =>
    store.key.ask("query", "mcp:getConversation", { contact: customerIn(store), limit: PAGE_ROWS }),
  search: ({ key, random }) =>
    key.ask("query", "mcpReads:searchMessages", { query: corpus.words[below(SEARCHED_WORDS, random)] ?? "" }),
  send: (store) =>
    store.key.ask("mutation", "mcp:sendText", {
      contact: customerIn(store),
      text: `Your order ${++store.sent} of ${store.size} is ready.`,
    }),
};

type Samples = Map<string, Map<number, number[][]>>;

/** Times of every operation, by size and round. */
async function measure(
  stores: readonly Store[],
  { rounds, calls, warmUp }: { rounds: number; calls: number; warmUp: number },
  say: Say,
): Promise<Samples> {
  const samples: Samples = new Map();
  for (const [name, run] of Object.entries(OPERATIONS)) {
    const bySize = new Map(stores.map((store): [number, number[][]] => [store.size, []]));
    samples.set(name, bySize);
    for (const store of stores) await timesOf(run, store, warmUp);
    for (let round = 0; round < rounds; round++) {
      for (const store of stores) bySize.get(store.size)?.push(await timesOf(run, store, calls));
    }
    const p50s = stores.map(({ size }) => `${size}: ${rounded(median(bySize.get(size)?.flat() ?? []))} ms`);
    say(`${name}, p50 by messages stored: ${p50s.join(", ")}`);
  }
  return samples;
}

async function timesOf(
  run: (store: Store) => Promise<string>,
  store: Store,
  calls: number,
): Promise<number[]> {
  const sentBefore = store.sent;
  const { graph } = store.product;
  const takenBefore = graph.sends();
  const times: number[] = [];
  for (let n = 0; n < calls; n++) {
    times.push(
      await timedMs(async () => {
        const answer = await run(store);
        if (answer.includes('"refused":true'))
          throw new Error(`An operation was refused: ${answer.slice(0, 300)}`);
      }),
    );
  }
  // What the sends set off must not cost the next store its turn.
  const expected = takenBefore + store.sent - sentBefore;
  for (const end = Date.now() + SENDS_GONE_WAIT_MS; graph.sends() < expected; await setTimeout(20)) {
    if (Date.now() > end) throw new Error(`${expected - graph.sends()} sends did not leave.`);
  }
  return times;
}

function figures(sizes: readonly number[], samples: Samples) {
  const [smallest = 0] = sizes;
  const operations: Record<string, object> = {};
  const ratios: number[] = [];
  for (const [name, bySize] of samples) {
    const first = bySize.get(smallest) ?? [];
    const ofSizes: Record<number, object> = {};
    for (const [size, rounds] of bySize) {
      const p50OfSmallest = median(rounds.map((times, round) => median(times) / median(first[round] ?? [])));
      const p99OfSmallest = percentile(rounds.flat(), 0.99) / percentile(first.flat(), 0.99);
      if (size !== smallest) ratios.push(p50OfSmallest);
      ofSizes[size] = {
        p50Ms: rounded(median(rounds.flat()), 3),
        p99Ms: rounded(percentile(rounds.flat(), 0.99), 3),
        p50OfSmallest: rounded(p50OfSmallest),
        p99OfSmallest: rounded(p99OfSmallest),
      };
    }
    operations[name] = ofSizes;
  }
  return { sizes, operations, worstP50Ratio: rounded(Math.max(...ratios)) };
}

const machine = (folder: string) => ({
  nproc: os.availableParallelism(),
  loadAverage: rounded(os.loadavg()[0] ?? 0),
  node: process.versions.node,
  fsyncP50Us: rounded(fsyncP50Us(folder), 0),
});
