import { systemClock } from "../../engine/clock";
import { openDatabase } from "../../engine/transaction/database";
import type { Database, JsonObject, JsonValue } from "../../engine/types";
import { MessageCorpus, randomFrom } from "./message-corpus";
import { customerOf } from "./webhook-bodies";

const ROWS_PER_COMMIT = 1_000;
const MESSAGES_PER_CONVERSATION = 50;
/** The messages lie within the last hours, so that every window is open. */
const SPAN_MS = 20 * 60 * 60 * 1000;

type Say = (line: string) => void;
type Row = JsonObject & { _id: string };

/** How many conversations share so many messages. */
export const conversationsFor = (messages: number): number =>
  Math.max(10, Math.ceil(messages / MESSAGES_PER_CONVERSATION));

/**
 * Fills a store that holds the rows of one webhook up to `messages` messages. The new rows are copies of those rows
 * with other people, words and times, written through the engine's data layer: the same documents, indexes and checks
 * as by ingest, without running its functions a million times. The conversations take turns, as in life, so the
 * messages of one are spread over the whole file. Customers are those of `customerOf`, from 1 on.
 */
export async function fillStore(dataDir: string, messages: number, say: Say): Promise<void> {
  const database = await openDatabase({ dataDir, clock: systemClock, fsync: "full", log: say });
  try {
    const sample = readSample(database);
    const conversations = await writeConversations(database, sample, conversationsFor(messages));
    const newest = await writeMessages(database, sample, conversations, messages, say);
    await inBatches(database, conversations.length, (write, n) => {
      const last = newest[n];
      const id = conversations[n]?.id;
      if (last !== undefined && id !== undefined) write("1.0/shallowMerge", { id, value: last });
    });
  } finally {
    await database.close();
  }
}

type Sample = { contact: Row; identities: Row[]; conversation: Row; message: Row };

function readSample(database: Database): Sample {
  const one = (table: string): Row => {
    const [row] = readAll(database, table);
    if (row === undefined) throw new Error(`The table ${table} has no row to copy.`);
    return row;
  };
  const identities = readAll(database, "contactIdentities");
  return {
    contact: one("contacts"),
    identities,
    conversation: one("conversations"),
    message: one("messages"),
  };
}

function readAll(database: Database, table: string): Row[] {
  const transaction = database.begin({ kind: "query", nowMs: Date.now(), unlimited: true });
  const ask = (op: string, args: JsonObject) => JSON.parse(transaction.call(op, JSON.stringify(args)));
  const source = { type: "FullTableScan", tableName: table, order: "asc" };
  const { queryId } = ask("1.0/queryStream", { query: { source, operators: [] } });
  const rows: Row[] = [];
  for (let next = ask("1.0/queryStreamNext", { queryId }); !next.done; ) {
    rows.push(next.value);
    next = ask("1.0/queryStreamNext", { queryId });
  }
  return rows;
}

type Conversation = { id: string; contactId: string };

async function writeConversations(database: Database, sample: Sample, count: number) {
  const conversations: Conversation[] = [];
  await inBatches(database, count, (write, n) => {
    const waId = customerOf(n + 1);
    const contact = {
      ...fieldsOf(sample.contact),
      waId,
      phone: `+${waId}`,
      profileName: `Customer ${n + 1}`,
    };
    const contactId = write("1.0/insert", { table: "contacts", value: contact });
    for (const identity of sample.identities) {
      const value = { ...fieldsOf(identity), contactId, value: waId };
      write("1.0/insert", { table: "contactIdentities", value });
    }
    const value = { ...fieldsOf(sample.conversation), contactId };
    conversations.push({ contactId, id: write("1.0/insert", { table: "conversations", value }) });
  });
  return conversations;
}

/** Answers what the newest message of each conversation makes of its row. */
async function writeMessages(
  database: Database,
  sample: Sample,
  conversations: readonly Conversation[],
  count: number,
  say: Say,
): Promise<JsonObject[]> {
  const corpus = new MessageCorpus();
  const random = randomFrom(11);
  const firstMs = Date.now() - SPAN_MS;
  const newest: JsonObject[] = [];
  await inBatches(database, count, (write, n) => {
    const at = n % conversations.length;
    const conversation = conversations[at];
    if (conversation === undefined) throw new Error("There is no conversation to write to.");
    const text = corpus.message(random).body;
    const timestamp = Math.floor((firstMs + (n / count) * SPAN_MS) / 1000) * 1000;
    const seq = Math.floor(n / conversations.length);
    const value = {
      ...fieldsOf(sample.message),
      ...{ conversationId: conversation.id, contactId: conversation.contactId },
      ...{ text, searchText: text, wamid: `wamid.BENCH${n}`, timestamp, sortAt: timestamp, seq },
    };
    const previewMessageId = write("1.0/insert", { table: "messages", value });
    const counted = { nextSeq: seq + 1, inboundCount: seq + 1 };
    newest[at] = { ...counted, preview: text, previewMessageId, lastMessageAt: timestamp };
    if (n > 0 && n % 100_000 === 0) say(`Wrote ${n} of ${count} messages.`);
  });
  return newest;
}

type Write = (op: "1.0/insert" | "1.0/shallowMerge", args: JsonObject) => string;

/** Calls `one` for 0 to `count` - 1, so many in a commit. */
async function inBatches(
  database: Database,
  count: number,
  one: (write: Write, n: number) => void,
): Promise<void> {
  for (let done = 0; done < count; done += ROWS_PER_COMMIT) {
    const transaction = database.begin({ kind: "mutation", nowMs: Date.now(), unlimited: true });
    const write: Write = (op, args) => String(JSON.parse(transaction.call(op, JSON.stringify(args)))._id);
    for (let n = done; n < Math.min(count, done + ROWS_PER_COMMIT); n++) one(write, n);
    await database.commit(transaction);
  }
}

function fieldsOf(row: Row): { [field: string]: JsonValue } {
  const { _id, _creationTime, ...fields } = row;
  return fields;
}
