import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MINUTE_MS } from "#shared/time";
import { type App, CUSTOMER, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const OTHER = "4915112345678";

let app: App;
let accountId: Id<"accounts">;
/** Whom Meta has on its list, by the number as it was told. */
let metaList: Set<string>;
/** Each call about the list, as `block +1650...`. */
let told: string[];
/** What Meta answers about a number in place of doing it. */
let refusals: Map<string, () => Response | Promise<Response>>;

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "ana");
  metaList = new Set();
  told = [];
  refusals = new Map();
  app.graph.answerAlways(async ({ method, url, body }) => {
    if (!url.pathname.endsWith("/block_users")) return app.graph.describe(url);
    const [{ user = "" } = {}] = (body as { block_users: { user?: string }[] }).block_users;
    const change = method === "POST" ? "block" : "unblock";
    told.push(`${change} ${user}`);
    const refusal = refusals.get(user);
    if (refusal !== undefined) return await refusal();
    if (method === "POST") metaList.add(user);
    else metaList.delete(user);
    return Response.json({ block_users: { added_users: [{ input: user }] } });
  });
  await app.backend.run(async (ctx) => {
    for (const waId of [CUSTOMER, OTHER]) {
      const contactId = await ctx.db.insert("contacts", { accountId, waId, phone: `+${waId}` });
      for (const kind of ["wa_id", "phone"] as const)
        await ctx.db.insert("contactIdentities", { accountId, contactId, kind, value: waId });
    }
  });
});
afterEach(closeApp);

const ana = () => app.user("ana");
const contactOf = async (waId: string): Promise<Id<"contacts">> => {
  const identity = (await app.rows("contactIdentities")).find(({ value }) => value === waId);
  if (identity === undefined) throw new Error("There is no such contact.");
  return identity.contactId;
};
const setBlocked = async (contactId: Id<"contacts">, blocked: boolean) =>
  await ana().mutation(api.consent.setBlocked, { accountId, contactId, blocked });
const consentOf = async (contactId: Id<"contacts">) =>
  await ana().query(api.consent.get, { accountId, contactId });

/** A member says that both are one person; the first one stays. */
const join = async (keptId: Id<"contacts">, mergedId: Id<"contacts">) => {
  const [firstId, secondId] = keptId < mergedId ? [keptId, mergedId] : [mergedId, keptId];
  const duplicateId = await app.backend.run(
    async (ctx) =>
      await ctx.db.insert("contactDuplicates", {
        ...{ accountId, firstId, secondId, suggestedAt: START },
        reason: "same_sender",
        state: "open",
      }),
  );
  const keep = firstId === keptId ? "first" : "second";
  return await ana().mutation(api.contactDuplicates.accept, { accountId, duplicateId, keep });
};

describe("when two contacts are joined, Meta's block list", () => {
  it("has both numbers of somebody of whom the other one was blocked", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    await setBlocked(merged, true);
    await app.advance(MINUTE_MS);
    await join(kept, merged);
    expect(await consentOf(kept)).toMatchObject({ all: { state: "withdrawn", source: "block" } });
    await app.advance();
    expect(metaList).toEqual(new Set([`+${CUSTOMER}`, `+${OTHER}`]));
    // The one that was blocked already is not told again: Meta refuses whoever has not written for a day.
    expect(told).toEqual([`block +${OTHER}`, `block +${CUSTOMER}`]);
    expect(await consentOf(kept)).toMatchObject({ whatsapp: { wanted: "block", state: "done" } });
  });

  it("has neither number when the later word was that the person may write", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    await setBlocked(merged, true);
    await app.advance(MINUTE_MS);
    await setBlocked(kept, true);
    await setBlocked(kept, false);
    await app.advance();
    await join(kept, merged);
    await app.advance();
    expect(metaList).toEqual(new Set());
    expect(await consentOf(kept)).toMatchObject({
      all: { state: "granted" },
      whatsapp: { wanted: "unblock", state: "done" },
    });
  });

  it("is left alone when nobody was ever blocked, or both stand there already", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    for (const contact of [kept, merged]) await setBlocked(contact, true);
    await app.advance();
    await join(kept, merged);
    await app.advance();
    expect(told.sort()).toEqual([`block +${CUSTOMER}`, `block +${OTHER}`]);
  });

  it("follows later changes for both numbers, whichever id names the person", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    await join(kept, merged);
    await app.advance();
    expect(told).toEqual([]);
    await setBlocked(kept, true);
    await app.advance(MINUTE_MS);
    expect(metaList).toEqual(new Set([`+${CUSTOMER}`, `+${OTHER}`]));
    await setBlocked(merged, false);
    await app.advance(MINUTE_MS);
    expect(metaList).toEqual(new Set());
  });

  it("that Meta would not change for one number says so, and is changed when somebody asks again", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    const error = { message: "not within 24 hours", type: "O", code: 139100 };
    refusals.set(`+${CUSTOMER}`, () => Response.json({ error }, { status: 400 }));
    await join(kept, merged);
    await setBlocked(kept, true);
    await app.advance(MINUTE_MS);
    expect(metaList).toEqual(new Set([`+${OTHER}`]));
    expect(await consentOf(kept)).toMatchObject({
      whatsapp: { state: "failed", reason: "graph_139100", refused: [`+${CUSTOMER}`] },
    });
    refusals.clear();
    await setBlocked(kept, true);
    await app.advance(MINUTE_MS);
    expect(metaList).toEqual(new Set([`+${CUSTOMER}`, `+${OTHER}`]));
    expect((await consentOf(kept)).whatsapp).toEqual({ wanted: "block", state: "done" });
  });

  it("is told although the first worker is lost, and after a disturbance", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    await setBlocked(merged, true);
    await app.advance(MINUTE_MS);
    let disturbances = 2;
    refusals.set(`+${CUSTOMER}`, () => {
      if (disturbances-- === 0) refusals.clear();
      return Response.json({ error: { message: "busy", type: "O", code: 139102 } }, { status: 500 });
    });
    await join(kept, merged);
    await app.cancelScheduled();
    expect(metaList).toEqual(new Set([`+${OTHER}`]));
    await app.backend.mutation(internal.consent.sweepPushes, {});
    for (let minutes = 0; minutes < 120; minutes += 10) await app.advance(10 * MINUTE_MS);
    expect(metaList).toEqual(new Set([`+${CUSTOMER}`, `+${OTHER}`]));
  });

  it("hears the survivor's state last, although a call about the other was on its way", async () => {
    const [kept, merged] = [await contactOf(CUSTOMER), await contactOf(OTHER)];
    await setBlocked(kept, true);
    await app.advance(MINUTE_MS);
    await setBlocked(kept, false);
    await app.advance(MINUTE_MS);
    // The block of the other was said before, but its call is slow: the two become one while it is under way.
    await app.backend.run(async (ctx) => {
      await ctx.db.insert("consentStates", {
        ...{ accountId, contactId: merged, all: { state: "withdrawn", source: "block", at: START } },
        remoteBlock: { wanted: "block", state: "pending", attempt: 0, dueAt: START, users: [`+${OTHER}`] },
      });
    });
    refusals.set(`+${OTHER}`, async () => {
      refusals.clear();
      await join(kept, merged);
      metaList.add(`+${OTHER}`);
      return Response.json({ block_users: { added_users: [{ input: `+${OTHER}` }] } });
    });
    await app.backend.action(internal.consent.pushBlock, { contactId: merged });
    await app.advance(MINUTE_MS);
    expect(told.slice(-2)).toEqual([`block +${OTHER}`, `unblock +${OTHER}`]);
    expect(metaList).toEqual(new Set());
  });
});

describe("two changes of mind about one contact", () => {
  it("reach Meta in their order, although the first call is slow", async () => {
    const kept = await contactOf(CUSTOMER);
    refusals.set(`+${CUSTOMER}`, async () => {
      refusals.clear();
      await setBlocked(kept, false);
      await app.backend.action(internal.consent.pushBlock, { contactId: kept });
      metaList.add(`+${CUSTOMER}`);
      return Response.json({ block_users: { added_users: [{ input: `+${CUSTOMER}` }] } });
    });
    await setBlocked(kept, true);
    await app.advance(MINUTE_MS);
    expect(told).toEqual([`block +${CUSTOMER}`, `unblock +${CUSTOMER}`]);
    expect(metaList).toEqual(new Set());
    expect(await consentOf(kept)).toMatchObject({ whatsapp: { wanted: "unblock", state: "done" } });
  });
});
