import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type App,
  CUSTOMER,
  closeApp,
  openApp,
  START,
  status,
  statusWebhook,
  textMessage,
} from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id, TableNames } from "./_generated/dataModel";
import { DELETED_TABLES, DELETED_WITH_ANOTHER } from "./model/deletion";
import schema from "./schema";

/** What the erased person wrote, is called and was told; none of it may be left anywhere. */
const CANARY = "canary-7f3a";
const OTHER = "4915112345678";

let app: App;
let accountId: Id<"accounts">;
let apiKeyId: Id<"apiKeys">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId, { scopes: ["read", "write", "send"] })).id;
  await app.join(accountId, "ana", "owner");
});
afterEach(closeApp);

const tables = Object.keys(schema.tables).map((name) => name as TableNames);
/** Every row of every table as text, and every stored file. */
const everything = async () => {
  const texts: { table: string; text: string }[] = [];
  for (const table of tables) {
    for (const row of await app.rows(table)) {
      const bytes =
        "bytes" in row && row.bytes instanceof ArrayBuffer ? new TextDecoder().decode(row.bytes) : "";
      texts.push({ table, text: JSON.stringify(row) + bytes });
    }
  }
  const files = await app.backend.run(async (ctx) => {
    const found: string[] = [];
    for (const { _id } of await ctx.db.system.query("_storage").collect()) {
      found.push((await (await ctx.storage.get(_id))?.text()) ?? "");
    }
    return found;
  });
  return [...texts, ...files.map((text) => ({ table: "_storage", text }))];
};
const holding = async (needle: string) =>
  [
    ...new Set((await everything()).filter(({ text }) => text.includes(needle)).map(({ table }) => table)),
  ].sort();

const deliverFrom = (from: string, message: object) =>
  app.deliver({
    object: "whatsapp_business_account",
    entry: [
      {
        id: "102290129340398",
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
              contacts: [{ profile: { name: from === CUSTOMER ? `Name ${CANARY}` : "Otto" }, wa_id: from }],
              messages: [message],
            },
          },
        ],
      },
    ],
  });

/** A conversation with everything that can hang on it, and one with somebody else. */
async function talk(): Promise<Id<"contacts">> {
  await deliverFrom(OTHER, { ...textMessage({ text: "from another", id: "wamid.O1" }), from: OTHER });
  await deliverFrom(CUSTOMER, textMessage({ text: `secret ${CANARY}`, id: "wamid.C1" }));
  await deliverFrom(CUSTOMER, textMessage({ text: "STOP", id: "wamid.C2" }));
  await deliverFrom(CUSTOMER, {
    ...textMessage({ id: "wamid.C3" }),
    type: "reaction",
    reaction: { message_id: "wamid.C1", emoji: "👍" },
  });
  const key = app.key(apiKeyId);
  await key.mutation(api.mcp.sendText, {
    contact: CUSTOMER,
    text: `answer ${CANARY}`,
    clientRequestId: "r1",
  });
  await app.advance();
  await app.deliver(statusWebhook([status("delivered", "wamid.SENT1", START)]));
  await key.mutation(api.mcp.handoffToHuman, { contact: CUSTOMER, reason: `because ${CANARY}` });
  const contact = (await app.rows("contacts")).find(({ waId }) => waId === CUSTOMER);
  if (contact === undefined) throw new Error("no contact");
  await app.backend.run(async (ctx) => {
    const message = (await ctx.db.query("messages").collect()).find(({ wamid }) => wamid === "wamid.C1");
    if (message === undefined) throw new Error("no message");
    const storageId = await ctx.storage.store(new Blob([`file of ${CANARY}`]));
    await ctx.db.insert("storedFiles", { storageId, accountId, holders: 1 });
    await ctx.db.patch(message._id, { media: { state: "ready", graphMediaId: "1", storageId, bytes: 9 } });
  });
  const conversation = (await app.rows("conversations")).find(({ contactId }) => contactId === contact._id);
  if (conversation === undefined) throw new Error("no conversation");
  await app.user("ana").mutation(api.conversations.markSeen, { accountId, conversationId: conversation._id });
  return contact._id;
}

const jobs = () => app.user("ana").query(api.jobs.list, { accountId });
/** Runs a job to its end, losing its runner after each single step. Returns how often it was lost. */
async function runLosingEachStep(jobId: Id<"jobs">): Promise<number> {
  for (let lost = 0; lost < 200; lost++) {
    const job = (await app.rows("jobs")).find(({ _id }) => _id === jobId);
    if (job === undefined || job.state === "done") return lost;
    await app.cancelScheduled();
    await app.backend.mutation(internal.jobs.work, { jobId, ticket: job.ticket });
    await app.cancelScheduled();
    await app.advance(3 * 60_000);
    await app.cancelScheduled();
    const before = (await app.rows("jobs")).find(({ _id }) => _id === jobId);
    await app.backend.mutation(internal.jobs.sweep, {});
    await app.cancelScheduled();
    const after = (await app.rows("jobs")).find(({ _id }) => _id === jobId);
    if (before?.state === "running") expect(after?.ticket).toBe((before?.ticket ?? 0) + 1);
  }
  throw new Error("the job never ends");
}
const verify = () => app.backend.query(internal.audit.verifyChain, { accountId });

describe("the erasure of a contact", () => {
  const erase = (contactId: Id<"contacts">) =>
    app.user("ana").mutation(api.jobs.eraseContact, { accountId, contactId });

  it("leaves nothing of the person in any table or file, everything of the others, and a chain that holds", async () => {
    const contactId = await talk();
    expect(await holding(CANARY)).toEqual([
      "_storage",
      "contacts",
      "conversations",
      "handoffs",
      "messages",
      "outbox",
      "webhookBodies",
      "webhookEvents",
    ]);
    const sequence = (await app.rows("webhookEvents")).map(({ seq, eventId }) => [seq, eventId]);
    await erase(contactId);
    await app.advance();
    expect(await jobs()).toMatchObject([{ kind: "erasure", state: "done" }]);
    expect(await holding(CANARY)).toEqual([]);
    expect(await holding(CUSTOMER)).toEqual([]);
    expect(await holding("wamid.C1")).toEqual(["webhookEvents"]);
    expect(await holding("from another")).toEqual(
      expect.arrayContaining(["messages", "webhookBodies", "webhookEvents"]),
    );
    expect((await app.rows("webhookEvents")).map(({ seq, eventId }) => [seq, eventId])).toEqual(sequence);
    expect(await verify()).toMatchObject({ state: "intact" });
  });

  it("keeps an opt-out for when the same person comes back", async () => {
    await erase(await talk());
    await app.advance();
    expect(await app.rows("consentStates")).toEqual([]);
    await deliverFrom(CUSTOMER, textMessage({ text: "Hello again", id: "wamid.NEW" }));
    expect(await app.key(apiKeyId).query(api.mcp.getConsent, { contact: CUSTOMER })).toMatchObject({
      marketing: { state: "withdrawn", source: "keyword" },
      entries: [],
    });
  });

  it("goes on where it stood, whatever step its runner is lost at", async () => {
    const jobId = await erase(await talk());
    expect(await runLosingEachStep(jobId)).toBeGreaterThan(5);
    expect(await holding(CANARY)).toEqual([]);
    expect(await verify()).toMatchObject({ state: "intact" });
  });

  it("is asked for once, however often it is asked for; afterwards there is nobody to erase", async () => {
    const contactId = await talk();
    expect(await erase(contactId)).toBe(await erase(contactId));
    await app.advance();
    await expect(erase(contactId)).rejects.toMatchObject({ data: { code: "not_found" } });
  });
});

describe("the deletion of an account", () => {
  const start = () =>
    app.backend.mutation(internal.jobs.startDeletion, { accountId, requestedBy: "user:ana" });

  it("knows every table of the schema", () => {
    const kept = tables.filter((table) => table.startsWith("auth_"));
    // Sessions of MCP clients belong to a key, hold nothing of a customer and are gone within a day.
    const sessions = ["mcpSessions"];
    const ofAll = ["instance", "mediaLinkPeriods", "storedFileSweeps"];
    const notOfAnAccount = [...ofAll, "jobs", "webhookLogs", ...sessions, ...kept];
    const known = new Set([...DELETED_TABLES, ...DELETED_WITH_ANOTHER, ...notOfAnAccount]);
    // A new table needs a line in model/deletion (and in model/erasure, if it can name a person).
    expect(tables.filter((table) => !known.has(table))).toEqual([]);
  });

  it("removes all rows and files of the account, and nothing of another one", async () => {
    await talk();
    const otherId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.receive("for the other account", { phoneNumberId: "900", id: "wamid.X" });
    await start();
    await app.advance();
    expect(await holding(CANARY)).toEqual([]);
    expect(await holding("from another")).toEqual([]);
    expect(await holding(accountId)).toEqual(["auditLog", "jobs", "webhookLogs"]);
    expect(await holding("for the other account")).toEqual(
      expect.arrayContaining(["messages", "webhookBodies", "webhookEvents"]),
    );
    expect((await app.rows("accounts")).map(({ _id }) => _id)).toEqual([otherId]);
    expect(await app.backend.query(internal.audit.verifyChain, {})).toMatchObject({ state: "intact" });
    expect(await app.backend.query(internal.audit.verifyChain, { accountId: otherId })).toMatchObject({
      state: "intact",
    });
  });

  it("goes on where it stood, whatever step its runner is lost at", async () => {
    await talk();
    await runLosingEachStep(await start());
    expect(await holding(CANARY)).toEqual([]);
    expect(await app.rows("accounts")).toEqual([]);
  });

  it("switches the account off at once", async () => {
    await talk();
    await start();
    const send = app.key(apiKeyId).mutation(api.mcp.sendText, { contact: CUSTOMER, text: "Hi" });
    expect(await send).toMatchObject({ refused: true, reason: "not_found" });
  });
});

describe("the export of an account", () => {
  const start = () => app.user("ana").mutation(api.exports.start, { accountId });
  const texts = async () =>
    await app.backend.run(async (ctx) => {
      const [job] = await ctx.db.query("jobs").collect();
      const parts: Record<string, unknown[]> = {};
      for (const { name, storageId } of job?.files ?? []) {
        const text = (await (await ctx.storage.get(storageId))?.text()) ?? "";
        parts[name.split("-")[0] ?? ""] = text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
      }
      return parts;
    });

  it("writes every kind as lines of JSON, with links that end after a week", async () => {
    await talk();
    const jobId = await start();
    await app.advance();
    expect(await jobs()).toMatchObject([{ kind: "export", state: "done" }]);
    const parts = await texts();
    expect(Object.keys(parts).sort()).toEqual(
      ["audit", "consent", "contacts", "conversations", "events", "handoffs", "media", "messages"].sort(),
    );
    expect(parts["messages"]).toHaveLength((await app.rows("messages")).length);
    expect(parts["media"]).toMatchObject([{ wamid: "wamid.C1", state: "ready" }]);
    expect(JSON.stringify(parts)).not.toContain("Sealed");
    const links = await app.user("ana").query(api.exports.links, { accountId, jobId });
    expect(links).toHaveLength(8);
    await app.advance(8 * 86_400_000);
    await app.backend.mutation(internal.retention.run, {});
    await app.advance();
    expect(await app.user("ana").query(api.exports.links, { accountId, jobId })).toEqual([]);
    expect(await holding(`secret ${CANARY}`)).not.toContain("_storage");
  });

  it("goes on after its worker was lost, and a late twin's file is not kept", async () => {
    await talk();
    const jobId = await start();
    await app.cancelScheduled();
    await app.advance(3 * 60_000);
    await app.backend.mutation(internal.jobs.sweep, {});
    await app.backend.action(internal.exports.write, { jobId, ticket: 0 });
    await app.advance();
    expect(await jobs()).toMatchObject([{ state: "done" }]);
    expect(Object.keys(await texts())).toHaveLength(8);
  });
});

describe("jobs of one account", () => {
  it("run one at a time, in the order in which they were asked for, and can be stopped", async () => {
    const contactId = await talk();
    const exportId = await app.user("ana").mutation(api.exports.start, { accountId });
    const erasureId = await app.user("ana").mutation(api.jobs.eraseContact, { accountId, contactId });
    await app.backend.mutation(internal.jobs.work, { jobId: erasureId, ticket: 0 });
    expect((await app.rows("jobs")).map(({ state }) => state)).toEqual(["queued", "queued"]);
    await app.user("ana").mutation(api.jobs.cancel, { accountId, jobId: exportId });
    await app.advance();
    expect((await app.rows("jobs")).map(({ state }) => state)).toEqual(["cancelled", "done"]);
  });
});

describe("a job that does not get on", () => {
  it("is given up after ten restarts without a step, says so, and lets the next one run", async () => {
    const contactId = await talk();
    const exportId = await app.user("ana").mutation(api.exports.start, { accountId });
    await app.backend.mutation(internal.jobs.work, { jobId: exportId, ticket: 0 });
    await app.user("ana").mutation(api.jobs.eraseContact, { accountId, contactId });
    for (let restart = 0; restart <= 10; restart++) {
      await app.cancelScheduled();
      await app.advance(3 * 60_000);
      await app.cancelScheduled();
      await app.backend.mutation(internal.jobs.sweep, {});
    }
    await app.advance();
    expect((await app.rows("jobs")).map(({ state, failure }) => [state, failure])).toEqual([
      ["failed", "no_progress"],
      ["done", undefined],
    ]);
  });
});

describe("a job that failed", () => {
  const giveUp = async (jobId: Id<"jobs">) => {
    await app.backend.mutation(internal.jobs.work, { jobId, ticket: 0 });
    for (let restart = 0; restart <= 10; restart++) {
      await app.cancelScheduled();
      await app.advance(3 * 60_000);
      await app.cancelScheduled();
      await app.backend.mutation(internal.jobs.sweep, {});
    }
    expect(await jobs()).toMatchObject([{ state: "failed", failure: "no_progress" }]);
  };
  const retry = (userId: string, jobId: Id<"jobs">) =>
    app.user(userId).mutation(api.jobs.retry, { accountId, jobId });
  beforeEach(async () => await app.join(accountId, "ben"));

  it("goes on with all that it needs when somebody asks who may ask for such work, and leaves nothing", async () => {
    const contactId = await talk();
    const jobId = await app.user("ana").mutation(api.jobs.eraseContact, { accountId, contactId });
    await giveUp(jobId);
    await expect(retry("ben", jobId)).rejects.toMatchObject({ data: { code: "forbidden" } });
    await retry("ana", jobId);
    await app.advance();
    expect(await jobs()).toMatchObject([{ state: "done" }]);
    for (const needle of [CANARY, CUSTOMER]) expect(await holding(needle)).toEqual([]);
    const lines = (await app.rows("auditLog")).map(({ action, outcome }) => [action, outcome]);
    expect(lines).toEqual(expect.arrayContaining([["erasure.retry", "queued"]]));
  });

  it("is not repeated beside the same work, when it was cancelled, or where a new one is as good", async () => {
    const contactId = await talk();
    const erase = () => app.user("ana").mutation(api.jobs.eraseContact, { accountId, contactId });
    const conflict = { data: { code: "conflict" } };
    const failedId = await erase();
    await giveUp(failedId);
    const secondId = await erase();
    await expect(retry("ana", failedId)).rejects.toMatchObject(conflict);
    await app.user("ana").mutation(api.jobs.cancel, { accountId, jobId: secondId });
    await expect(retry("ana", secondId)).rejects.toMatchObject(conflict);
    const exportId = await app.user("ana").mutation(api.exports.start, { accountId });
    await expect(retry("ana", exportId)).rejects.toMatchObject(conflict);
  });
});

describe("a job of another account", () => {
  it("does not exist, for its files and for stopping it", async () => {
    const jobId = await app.user("ana").mutation(api.exports.start, { accountId });
    const otherId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.join(otherId, "ben", "owner");
    const ben = app.user("ben");
    const notFound = { data: { code: "not_found" } };
    await expect(ben.query(api.exports.links, { accountId: otherId, jobId })).rejects.toMatchObject(notFound);
    await expect(ben.mutation(api.jobs.cancel, { accountId: otherId, jobId })).rejects.toMatchObject(
      notFound,
    );
    await expect(ben.mutation(api.jobs.cancel, { accountId, jobId })).rejects.toMatchObject(notFound);
  });
});
