import fc from "fast-check";
import { expect, it } from "vitest";
import {
  collect,
  insert,
  openTestDatabase,
  patch,
  remove,
  schemaOf,
  search,
  type TestDatabase,
} from "../transaction/test-database";
import type { JsonObject, Transaction } from "../types";

/** Few words that begin alike, so that searches find much and prefixes stand for many words. */
const WORDS = ["a", "ab", "abc", "b", "ba", "Bad", "c", "ça", "cab", "日本", "日本語"];
for (let i = 0; i < 20; i += 1) {
  WORDS.push(`m${String.fromCharCode(97 + i)}`);
}
const SEARCHED = [...WORDS, "m", "ca", "日", "zz"];
const CHATS = ["x", "y", null];
const WITH_INDEX = schemaOf({ messages: { searches: { by_body: ["body", "chat"] } } });
const WITHOUT_INDEX = schemaOf({ messages: {} });

type Doc = { body: unknown; chat: string | null; time: number };
type Model = Map<string, Doc>;
type Write =
  | { type: "insert"; body: unknown; chat: string | null }
  | { type: "patch"; target: number; body: unknown }
  | { type: "move"; target: number; chat: string | null }
  | { type: "touch" | "remove"; target: number };
type Query = { text: string; chat: string | null | undefined };
type Step =
  | { type: "commit"; writes: Write[] }
  | { type: "own"; writes: Write[]; query: Query }
  | { type: "hold" | "rebuild" | "reopen" }
  | { type: "find" | "findHeld"; query: Query };

const body = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(fc.constantFrom(...WORDS), { maxLength: 7 }).map((words) => words.join(" ")),
  },
  { weight: 1, arbitrary: fc.constant(7) },
);
const chat = fc.constantFrom(...CHATS);
const target = fc.nat(50);
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant("insert" as const), body, chat }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("patch" as const), target, body }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("move" as const), target, chat }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("touch" as const, "remove" as const), target }) },
);
const query: fc.Arbitrary<Query> = fc.record({
  text: fc.array(fc.constantFrom(...SEARCHED), { maxLength: 4 }).map((words) => words.join(" ")),
  chat: fc.constantFrom(undefined, undefined, ...CHATS),
});
const writes = fc.array(write, { minLength: 1, maxLength: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant("commit" as const), writes }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("own" as const), writes, query }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("find" as const), query }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("findHeld" as const), query }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("hold" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("rebuild" as const, "reopen" as const) }) },
);

const wordsOf = (text: unknown): string[] =>
  typeof text === "string" ? (text.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.toLowerCase()) : [];
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a search has to find among the documents of the model, with the score of each. */
function expected(model: Model, { text, chat: wanted }: Query): Map<string, { score: number; time: number }> {
  const terms = wordsOf(text);
  const prefix = terms.pop();
  const docs = [...model]
    .map(([id, doc]) => ({ id, doc, words: wordsOf(doc.body) }))
    .filter((d) => d.words.length > 0);
  const all = new Set(docs.flatMap((d) => d.words));
  const begun = [...all]
    .filter((word) => prefix !== undefined && word.startsWith(prefix))
    .sort(byBytes)
    .slice(0, 16);
  const boosts = new Map(begun.map((word) => [word, word === prefix ? 1 : 0.5]));
  for (const term of terms) {
    boosts.set(term, 1);
  }
  const average = docs.reduce((sum, d) => sum + d.words.length, 0) / docs.length;
  const found = new Map<string, { score: number; time: number }>();
  for (const { id, doc, words } of docs) {
    let score = 0;
    for (const [word, boost] of boosts) {
      const count = words.filter((w) => w === word).length;
      const having = docs.filter((d) => d.words.includes(word)).length;
      const rarity = Math.log(1 + (docs.length - having + 0.5) / (having + 0.5));
      score += (boost * rarity * 2.2 * count) / (count + 1.2 * (0.25 + (0.75 * words.length) / average));
    }
    if (score > 0 && (wanted === undefined || doc.chat === wanted)) {
      found.set(id, { score, time: doc.time });
    }
  }
  return found;
}

function check(transaction: Transaction, model: Model, { text, chat: wanted }: Query): void {
  const source = search("messages.by_body", "body", text, wanted === undefined ? {} : { chat: wanted });
  const rows = collect(transaction, source);
  const right = expected(model, { text, chat: wanted });
  const ids = rows.map((row) => String(row["_id"]));
  expect([...ids].sort()).toEqual([...right.keys()].sort());
  for (const [i, id] of ids.entries()) {
    const [here, next] = [right.get(id), right.get(ids[i + 1] ?? "")];
    expect(rows[i]?.["body"]).toEqual(model.get(id)?.body);
    if (here !== undefined && next !== undefined) {
      expect(here.score).toBeGreaterThan(next.score - 1e-5);
      if (here.score === next.score) {
        expect(here.time).toBeGreaterThan(next.time);
      }
    }
  }
  const few = collect(transaction, source, [{ limit: 3 }]).map((row) => row["_id"]);
  expect(few).toEqual(ids.slice(0, 3));
}

function apply(transaction: Transaction, model: Model, changes: readonly Write[]): void {
  for (const change of changes) {
    if (change.type === "insert") {
      const id = insert(transaction, "messages", { body: String(change.body), chat: change.chat });
      const [row] = collect(transaction, {
        type: "IndexRange",
        indexName: "messages.by_id",
        range: [{ type: "Eq", fieldPath: "_id", value: id }],
        order: null,
      });
      model.set(id, { body: String(change.body), chat: change.chat, time: Number(row?.["_creationTime"]) });
      continue;
    }
    const id = [...model.keys()][change.target % Math.max(1, model.size)];
    const doc = id === undefined ? undefined : model.get(id);
    if (id === undefined || doc === undefined) {
      continue;
    }
    if (change.type === "remove") {
      remove(transaction, id);
      model.delete(id);
      continue;
    }
    const fields: JsonObject =
      change.type === "patch"
        ? { body: change.body === 7 ? 7 : String(change.body) }
        : change.type === "move"
          ? { chat: change.chat }
          : { seen: true };
    patch(transaction, id, fields);
    model.set(id, { ...doc, ...fields });
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  let test: TestDatabase = await openTestDatabase();
  try {
    await test.db.catalog.applySchema("", WITH_INDEX);
    const model: Model = new Map();
    let held: { transaction: Transaction; model: Model } | null = null;
    for (const current of steps) {
      switch (current.type) {
        case "commit":
          await test.mutate((t) => apply(t, model, current.writes));
          break;
        case "own": {
          const transaction = test.begin("mutation");
          const own: Model = new Map(model);
          for (const change of current.writes) {
            apply(transaction, own, [change]);
            check(transaction, own, current.query);
          }
          break;
        }
        case "hold":
          held = { transaction: test.begin("query"), model: new Map(model) };
          break;
        case "find":
          check(test.begin("query"), model, current.query);
          break;
        case "findHeld":
          if (held !== null) check(held.transaction, held.model, current.query);
          break;
        case "rebuild":
          await test.db.catalog.applySchema("", WITHOUT_INDEX);
          await test.db.catalog.applySchema("", WITH_INDEX);
          held = null;
          break;
        case "reopen":
          test = await test.reopen();
          held = null;
      }
    }
  } finally {
    await test.close();
  }
}

it("a search finds what a look at every document would find, in any snapshot and over any own writes", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), run), { numRuns: 60 });
}, 120_000);
