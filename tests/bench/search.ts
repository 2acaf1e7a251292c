import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { systemClock } from "../../engine/clock";
import { openSqlite } from "../../engine/storage/driver";
import { openDatabase } from "../../engine/transaction/database";
import type { Database, JsonObject, JsonValue, Transaction } from "../../engine/types";
import { tempDir } from "../support/engine-process";
import { median, percentile, rounded, timedMs } from "./measure";
import { MessageCorpus, randomFrom } from "./message-corpus";

/** `PONS_BENCH_MESSAGES` makes a shorter run; the aim is stated for a million. */
const MESSAGES = Number(process.env["PONS_BENCH_MESSAGES"] ?? 1_000_000);
const MESSAGES_PER_COMMIT = 1_000;
const ROUNDS = 40;
const QUERIES_PER_ROUND = 5;
const RESULTS = 20;
const WRITES = 3_000;
const WRITES_PER_COMMIT = 10;
/** From these most used words the common word of a search is taken. */
const COMMON_WORDS = 20;

type Say = (line: string) => void;
type Query = {
  text: string;
  prefix: string;
  filter: { field: "conversation" | "account"; value: string } | null;
};

/** Searches over a million messages beside the same searches with SQLite's own full-text index, round by round. */
export async function benchSearch(say: Say): Promise<object> {
  const folder = tempDir("bench-search");
  const corpus = new MessageCorpus();
  const database = await openDatabase({
    dataDir: path.join(folder, "engine"),
    clock: systemClock,
    fsync: "full",
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const fts = openFts(path.join(folder, "fts.sqlite3"));
  try {
    const loaded = await load(database, fts, corpus, say);
    const searches = measureSearches(database, fts, corpus, say);
    return {
      bench: "search",
      messages: MESSAGES,
      ...loaded,
      ...searches,
      machine: {
        nproc: os.availableParallelism(),
        loadAverage: rounded(os.loadavg()[0] ?? 0),
        node: process.versions.node,
      },
    };
  } finally {
    await database.close();
    fts.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const schema = (searchIndexes: JsonValue[]): JsonValue => ({
  schemaValidation: false,
  tables: [{ tableName: "messages", indexes: [], searchIndexes, documentType: null }],
});

const SEARCH_INDEX = {
  indexDescriptor: "by_body",
  searchField: "body",
  filterFields: ["conversation", "account"],
};

async function load(database: Database, fts: Fts, corpus: MessageCorpus, say: Say) {
  await database.catalog.applySchema("", schema([]));
  const random = randomFrom(2);
  const plainMs = await timedMs(() =>
    writeMessages(database, corpus, WRITES, WRITES_PER_COMMIT, randomFrom(3)),
  );
  for (let done = WRITES; done < MESSAGES; done += MESSAGES_PER_COMMIT) {
    await writeMessages(database, corpus, MESSAGES_PER_COMMIT, MESSAGES_PER_COMMIT, random);
    if (done % 100_000 < MESSAGES_PER_COMMIT) say(`Wrote ${done} messages.`);
  }
  say("Building the search index ...");
  let longestTurnMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    longestTurnMs = Math.max(longestTurnMs, performance.now() - lastMs);
    lastMs = performance.now();
  }, 1);
  const backfillMs = await timedMs(() => database.catalog.applySchema("", schema([SEARCH_INDEX])));
  clearInterval(timer);
  const indexedMs = await timedMs(() =>
    writeMessages(database, corpus, WRITES, WRITES_PER_COMMIT, randomFrom(4)),
  );
  say("Building SQLite's own index ...");
  const ftsMs = await timedMs(() => fts.load(corpus));
  return {
    backfillPerSecond: rounded(MESSAGES / (backfillMs / 1000), 0),
    backfillLongestTurnMs: rounded(longestTurnMs, 0),
    ftsLoadPerSecond: rounded(MESSAGES / (ftsMs / 1000), 0),
    writeUsWithoutIndex: rounded((plainMs * 1000) / WRITES, 0),
    writeUsWithIndex: rounded((indexedMs * 1000) / WRITES, 0),
  };
}

async function writeMessages(
  database: Database,
  corpus: MessageCorpus,
  count: number,
  perCommit: number,
  random: () => number,
): Promise<void> {
  for (let done = 0; done < count; done += perCommit) {
    const transaction = database.begin({ kind: "mutation", nowMs: Date.now(), unlimited: true });
    for (let i = 0; i < perCommit; i++) {
      transaction.call("1.0/insert", JSON.stringify({ table: "messages", value: corpus.message(random) }));
    }
    await database.commit(transaction);
  }
}

function measureSearches(database: Database, fts: Fts, corpus: MessageCorpus, say: Say) {
  const random = randomFrom(5);
  const kinds: [string, () => Query][] = [
    ["common", () => commonQuery(corpus, random, null)],
    ["commonInAccount", () => commonQuery(corpus, random, "account")],
    ["commonInConversation", () => commonQuery(corpus, random, "conversation")],
    ["rare", () => rareQuery(corpus, random)],
  ];
  const samples = () => new Map<string, Cost[]>(kinds.map(([kind]) => [kind, []]));
  const own = samples();
  const theirs = samples();
  for (const [, make] of kinds) search(database, make());
  const rssBefore = process.memoryUsage().rss;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, make] of kinds) {
      for (let n = 0; n < QUERIES_PER_ROUND; n++) {
        const query = make();
        own.get(kind)?.push(timed(() => search(database, query)));
        if (n === 0) theirs.get(kind)?.push(timed(() => fts.search(query)));
      }
    }
  }
  const rssMiB = (process.memoryUsage().rss - rssBefore) / 1024 / 1024;
  const figures = kinds.map(([kind]) => {
    const costs = { own: figuresOf(own.get(kind) ?? []), fts5: figuresOf(theirs.get(kind) ?? []) };
    say(`${kind}: ${JSON.stringify(costs)}`);
    return [kind, costs];
  });
  return { searches: Object.fromEntries(figures), searchRssGrowthMiB: rounded(rssMiB, 0) };
}

/** The time on the processor tells on a busy machine what the elapsed time would be on an idle one. */
type Cost = { elapsedMs: number; cpuMs: number };

function timed(run: () => void): Cost {
  const startMs = performance.now();
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return { elapsedMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}

function figuresOf(costs: readonly Cost[]) {
  const elapsed = costs.map(({ elapsedMs }) => elapsedMs);
  const cpu = costs.map(({ cpuMs }) => cpuMs);
  return {
    p50Ms: rounded(median(elapsed)),
    p99Ms: rounded(percentile(elapsed, 0.99)),
    cpuP50Ms: rounded(median(cpu)),
    cpuP99Ms: rounded(percentile(cpu, 0.99)),
  };
}

const pick = (list: readonly string[], random: () => number): string =>
  list[Math.floor(random() * list.length)] ?? "";

function commonQuery(
  corpus: MessageCorpus,
  random: () => number,
  field: "conversation" | "account" | null,
): Query {
  const value =
    field === "account"
      ? `account${Math.floor(random() * 10)}`
      : `conversation${Math.floor(random() * 20_000)}`;
  return {
    text: pick(corpus.words.slice(0, COMMON_WORDS), random),
    prefix: pick(corpus.words.slice(0, 2_000), random).slice(0, 2),
    filter: field === null ? null : { field, value },
  };
}

const rareQuery = (corpus: MessageCorpus, random: () => number): Query => ({
  text: pick(corpus.words.slice(20_000), random),
  prefix: pick(corpus.words.slice(20_000), random).slice(0, 5),
  filter: null,
});

function search(database: Database, query: Query): void {
  const transaction = database.begin({ kind: "query", nowMs: Date.now() });
  const filters: JsonObject[] = [
    { type: "Search", fieldPath: "body", value: `${query.text} ${query.prefix}` },
  ];
  if (query.filter !== null) {
    filters.push({ type: "Eq", fieldPath: query.filter.field, value: query.filter.value });
  }
  const source = { type: "Search", indexName: "messages.by_body", filters };
  const { queryId } = callJson(transaction, "1.0/queryStream", {
    query: { source, operators: [{ limit: RESULTS }] },
  });
  while (callJson(transaction, "1.0/queryStreamNext", { queryId: queryId ?? null })["done"] !== true);
}

function callJson(transaction: Transaction, op: string, args: JsonObject): JsonObject {
  const answer: JsonObject = JSON.parse(transaction.call(op, JSON.stringify(args)));
  return answer;
}

type Fts = { load(corpus: MessageCorpus): void; search(query: Query): void; close(): void };

/** SQLite's full-text index over the same messages, filters as columns of their own. */
function openFts(file: string): Fts {
  const sqlite = openSqlite(file);
  sqlite.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
    CREATE VIRTUAL TABLE messages USING fts5(body, conversation, account, tokenize = "unicode61 remove_diacritics 0");
  `);
  const insert = sqlite.prepare("INSERT INTO messages (body, conversation, account) VALUES (?, ?, ?)");
  const find = sqlite.prepare(
    "SELECT rowid, body FROM messages WHERE messages MATCH ? ORDER BY rank LIMIT ?",
  );
  return {
    load(corpus) {
      const random = randomFrom(2);
      for (let done = 0; done < MESSAGES; done += MESSAGES_PER_COMMIT) {
        sqlite.transaction(() => {
          for (let i = 0; i < MESSAGES_PER_COMMIT; i++) {
            const { body, conversation, account } = corpus.message(random);
            insert.run(body, conversation, account);
          }
        });
      }
    },
    search({ text, prefix, filter }) {
      const words = `body : ("${text}" OR "${prefix}"*)`;
      find.all(filter === null ? words : `${words} AND ${filter.field} : "${filter.value}"`, RESULTS);
    },
    close: () => sqlite.close(),
  };
}
