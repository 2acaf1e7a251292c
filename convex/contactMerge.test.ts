import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MINUTE_MS } from "#shared/time";
import { type App, CUSTOMER, closeApp, openApp, START, textMessage } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const OTHER = "4915112345678";
const NAMES: Record<string, string> = { [CUSTOMER]: "Sheena", [OTHER]: "Sheena at work" };

let app: App;
let accountId: Id<"accounts">;
let duplicateId: Id<"contactDuplicates">;

const deliver = (from: string, message: object) =>
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
              contacts: [{ profile: { name: NAMES[from] }, wa_id: from }],
              messages: [{ ...message, from }],
            },
          },
        ],
      },
    ],
  });
const contactOf = async (waId: string) => {
  const contact = (await app.rows("contacts")).find((row) => row.waId === waId);
  if (contact === undefined) throw new Error("There is no such contact.");
  return contact;
};
const conversationOf = async (contactId: Id<"contacts">) =>
  (await app.rows("conversations")).find((row) => row.contactId === contactId);
const ana = () => app.user("ana");
const accept = async (keptId: Id<"contacts">) => {
  const [pair] = await ana().query(api.contactDuplicates.list, { accountId });
  const keep = pair?.first.id === keptId ? "first" : "second";
  return await ana().mutation(api.contactDuplicates.accept, { accountId, duplicateId, keep });
};

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "ana", "owner");
  for (let count = 1; count <= 45; count++) {
    const at = START - 3_600_000 + count * 1000;
    await deliver(OTHER, textMessage({ text: `work ${count}`, id: `wamid.W${count}`, at }));
  }
  await deliver(OTHER, textMessage({ text: "STOP", id: "wamid.STOP", at: START - 60_000 }));
  await deliver(CUSTOMER, textMessage({ text: "home", id: "wamid.H1", at: START }));
  const pair = [(await contactOf(CUSTOMER))._id, (await contactOf(OTHER))._id].sort();
  const [firstId, secondId] = pair;
  if (firstId === undefined || secondId === undefined) throw new Error("There are no two contacts.");
  duplicateId = await app.backend.run(
    async (ctx) =>
      await ctx.db.insert("contactDuplicates", {
        accountId,
        firstId,
        secondId,
        reason: "same_sender",
        state: "open",
        suggestedAt: START,
      }),
  );
});
afterEach(closeApp);

describe("joining two contacts", () => {
  it("moves all that was said to the kept one, with unique numbers, the later window and the opt-out", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    const before = await conversationOf(merged._id);
    if (before === undefined) throw new Error("There is no conversation.");
    await ana().mutation(api.conversations.markSeen, { accountId, conversationId: before._id });
    await accept(kept._id);
    await app.advance();
    const conversations = await app.rows("conversations");
    expect(conversations).toMatchObject([
      { contactId: kept._id, inboundCount: 47, preview: "home", windowExpiresAt: START + 24 * 3_600_000 },
    ]);
    const messages = await app.rows("messages");
    expect(new Set(messages.map(({ seq }) => seq)).size).toBe(47);
    expect(new Set(messages.map(({ contactId }) => contactId))).toEqual(new Set([kept._id]));
    const seen = await app.rows("conversationSeen");
    expect(seen).toMatchObject([{ conversationId: conversations[0]?._id, inboundCountSeen: 46 }]);
    expect(await app.rows("consentStates")).toMatchObject([
      { contactId: kept._id, marketing: { state: "withdrawn", source: "keyword" } },
    ]);
    expect(await app.rows("contactDuplicates")).toMatchObject([{ state: "merged", keptId: kept._id }]);
    expect(await ana().query(api.contactDuplicates.list, { accountId })).toEqual([]);
    expect(await ana().query(api.jobs.list, { accountId })).toMatchObject([{ kind: "merge", state: "done" }]);
  });

  it("takes what arrives later, and during the move, under either number", async () => {
    const kept = await contactOf(CUSTOMER);
    await accept(kept._id);
    await deliver(OTHER, textMessage({ text: "again from work", id: "wamid.W99", at: START + 1000 }));
    await app.advance();
    await deliver(OTHER, textMessage({ text: "and again", id: "wamid.W100", at: START + 2000 }));
    expect(await app.rows("conversations")).toMatchObject([{ inboundCount: 49, preview: "and again" }]);
    expect((await app.rows("contacts")).filter(({ mergedInto }) => mergedInto === undefined)).toHaveLength(1);
  });

  it("goes on where it stood when its runner is lost", async () => {
    const jobId = await accept((await contactOf(CUSTOMER))._id);
    for (let lost = 0; lost < 40; lost++) {
      const job = (await app.rows("jobs")).find(({ _id }) => _id === jobId);
      if (job === undefined || job.state === "done") break;
      await app.cancelScheduled();
      await app.backend.mutation(internal.jobs.work, { jobId, ticket: job.ticket });
    }
    expect(await app.rows("jobs")).toMatchObject([{ state: "done" }]);
    expect(await app.rows("conversations")).toMatchObject([{ inboundCount: 47 }]);
  });

  it("that failed goes on where it stood when any member asks for it", async () => {
    const kept = await contactOf(CUSTOMER);
    const jobId = await accept(kept._id);
    await app.join(accountId, "ben");
    // Nobody works on it: each time the sweeper starts it, its runner is lost.
    for (let lost = 0; lost <= 11; lost++) {
      await app.cancelScheduled();
      await app.backend.run(async (ctx) => await ctx.db.patch(jobId, { state: "running" }));
      await app.advance(3 * MINUTE_MS);
      await app.backend.mutation(internal.jobs.sweep, {});
      const [job] = await app.rows("jobs");
      if (job?.failure !== undefined) break;
    }
    const jobs = () => ana().query(api.jobs.list, { accountId });
    expect(await jobs()).toMatchObject([{ kind: "merge", state: "failed", failure: "no_progress" }]);
    const retry = () => app.user("ben").mutation(api.jobs.retry, { accountId, jobId });
    await retry();
    await retry();
    await app.advance();
    const [job] = await jobs();
    expect(job).toMatchObject({ kind: "merge", state: "done" });
    expect(job).not.toHaveProperty("failure");
    expect(await app.rows("conversations")).toMatchObject([{ contactId: kept._id, inboundCount: 47 }]);
    await retry();
    expect(await jobs()).toMatchObject([{ state: "done" }]);
  });

  it("is erased as one person afterwards", async () => {
    const kept = await contactOf(CUSTOMER);
    await accept(kept._id);
    await app.advance();
    await ana().mutation(api.jobs.eraseContact, { accountId, contactId: kept._id });
    await app.advance();
    for (const table of ["contacts", "conversations", "messages", "contactDuplicates"] as const) {
      expect(await app.rows(table)).toEqual([]);
    }
    const left = JSON.stringify([await app.rows("webhookEvents"), await app.rows("webhookItems")]);
    for (const needle of [OTHER, CUSTOMER, "work 45", "home"]) expect(left).not.toContain(needle);
    expect((await app.rows("webhookItems")).filter(({ contactId }) => contactId !== undefined)).toEqual([]);
  });
});

describe("a decision", () => {
  it("that they are two people ends the suggestion, and can be said again", async () => {
    const dismiss = () => ana().mutation(api.contactDuplicates.dismiss, { accountId, duplicateId });
    await dismiss();
    await dismiss();
    expect(await app.rows("contactDuplicates")).toMatchObject([{ state: "dismissed", decidedBy: "ana" }]);
    await expect(accept((await contactOf(CUSTOMER))._id)).rejects.toMatchObject({
      data: { code: "conflict" },
    });
  });

  it("to join is taken once, and not taken back", async () => {
    const kept = await contactOf(CUSTOMER);
    const jobId = await accept(kept._id);
    await expect(accept(kept._id)).rejects.toMatchObject({ data: { code: "conflict" } });
    await expect(ana().mutation(api.jobs.cancel, { accountId, jobId })).rejects.toMatchObject({
      data: { code: "conflict" },
    });
  });
});
