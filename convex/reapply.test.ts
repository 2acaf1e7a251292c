import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, openApp, textMessage, webhook } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

let app: App;
let accountId: Id<"accounts">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "ana", "admin");
});
afterEach(closeApp);

const texts = async () => (await app.rows("messages")).map(({ text }) => text);
const dead = async () => await app.user("ana").query(api.webhookItems.listDeadItems, { accountId });
const switchAccount = async (state: "active" | "disabled") =>
  await app.backend.run(async (ctx) => await ctx.db.patch(accountId, { state }));
/** The only parked item. */
const parked = async () => {
  const [item, ...more] = await dead();
  if (item === undefined || more.length > 0) throw new Error("not one parked item");
  return item;
};

describe("what could not be applied", () => {
  it("is listed with its reason, and applied once when what stood in its way is mended", async () => {
    await switchAccount("disabled");
    await app.receive("anybody there?");
    const { _id: itemId, ...item } = await parked();
    expect(item).toMatchObject({ kind: "message", reason: "account_disabled", canReapply: true });
    const again = async () => await app.user("ana").mutation(api.webhookItems.reapply, { accountId, itemId });
    expect(await again()).toEqual({ state: "dead" });
    await switchAccount("active");
    expect(await again()).toEqual({ state: "processed" });
    expect(await again()).toEqual({ state: "processed" });
    expect(await texts()).toEqual(["anybody there?"]);
    expect(await dead()).toEqual([]);
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({ state: "processed", itemsDead: 0 });
  });

  it("is applied beside its neighbours, which stay as they are", async () => {
    await app.deliver(webhook([textMessage({ text: "before" }), 7, textMessage({ text: "after" })]));
    const [item] = await app.backend.query(internal.ingest.listDeadItems, {});
    if (item === undefined) throw new Error("nothing is parked");
    expect(item.reason).toBe("shape");
    expect(await app.backend.mutation(internal.ingest.reapplyItem, { itemId: item._id })).toEqual({
      state: "dead",
    });
    expect(await texts()).toEqual(["before", "after"]);
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({ state: "partial", itemsDead: 1 });
  });

  it("is read again by itself after the reader learned more, once per body", async () => {
    await switchAccount("disabled");
    await app.deliver(webhook(Array.from({ length: 60 }, (_, n) => textMessage({ text: `${n}` }))));
    await app.advance();
    await switchAccount("active");
    await app.backend.mutation(internal.ingest.reapply, {});
    await app.advance();
    expect(await texts()).toEqual([]);
    await app.backend.run(async (ctx) => {
      for (const log of await ctx.db.query("webhookLogs").collect())
        await ctx.db.patch(log._id, { readerVersion: 0 });
    });
    await app.backend.mutation(internal.ingest.reapply, {});
    await app.advance();
    expect(await texts()).toHaveLength(60);
    expect(await app.rows("webhookItems")).toHaveLength(60);
    expect((await app.rows("webhookLogs"))[0]).toMatchObject({
      state: "processed",
      itemsDone: 60,
      itemsDead: 0,
    });
  });

  it("stays parked when its body is gone, and says so", async () => {
    await switchAccount("disabled");
    await app.receive("too late");
    await app.backend.run(async (ctx) => {
      for (const log of await ctx.db.query("webhookLogs").collect())
        await ctx.db.patch(log._id, { bodyStored: false });
    });
    await switchAccount("active");
    const item = await parked();
    expect(item.canReapply).toBe(false);
    const answer = await app.user("ana").mutation(api.webhookItems.reapply, { accountId, itemId: item._id });
    expect(answer).toEqual({ state: "dead" });
  });

  it("of another account is not there", async () => {
    await app.addAccount({ name: "Florist", phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.receive("hello", { phoneNumberId: "900" });
    const [row] = await app.rows("webhookItems");
    if (row === undefined) throw new Error("nothing was recorded");
    const asked = app.user("ana").mutation(api.webhookItems.reapply, { accountId, itemId: row._id });
    await expect(asked).rejects.toMatchObject({ data: { code: "not_found" } });
  });
});
