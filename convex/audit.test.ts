import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, openApp } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";

const DAY = 86_400_000;

let app: App;
let accountId: Id<"accounts">;
let apiKeyId: Id<"apiKeys">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  apiKeyId = (await app.addKey(accountId, { scopes: ["read", "write", "send"] })).id;
});
afterEach(closeApp);

const verify = () => app.backend.query(internal.audit.verifyChain, { accountId });
const lines = async () =>
  (await app.rows("auditLog")).filter(({ chain }) => chain === accountId).sort((a, b) => a.seq - b.seq);
const tamper = async (
  change: (rows: Doc<"auditLog">[]) => { patch?: Partial<Doc<"auditLog">>; remove?: true; seq: number },
) => {
  const rows = await lines();
  const { patch, remove, seq } = change(rows);
  const row = rows.find((line) => line.seq === seq);
  if (row === undefined) throw new Error("no such line");
  await app.backend.run(async (ctx) => {
    if (remove) await ctx.db.delete(row._id);
    else if (patch !== undefined) await ctx.db.patch(row._id, patch);
  });
};
/** A few lines of different kinds. */
const act = async () => {
  await app.receive("Hello");
  const send = (text: string) => app.key(apiKeyId).mutation(api.mcp.sendText, { contact: CUSTOMER, text });
  await send("one");
  await send("one");
  await app.advance();
};

describe("the audit log", () => {
  it("says which key sent and why it was refused, newest first, page by page", async () => {
    await app.join(accountId, "ana", "admin");
    await act();
    const first = await app.user("ana").query(api.audit.list, { accountId, limit: 2 });
    expect(first.lines).toMatchObject([
      { principal: `key:${apiKeyId}`, action: "message.send", outcome: "duplicate_suspected" },
      { principal: `key:${apiKeyId}`, action: "message.send", outcome: "queued" },
    ]);
    if (first.next === null) throw new Error("no second page");
    const rest = await app.user("ana").query(api.audit.list, { accountId, before: first.next });
    expect(rest.lines.map(({ seq }) => seq)).toEqual([2, 1]);
    expect(rest.next).toBeNull();
  });

  it("is a chain that holds as long as nobody touches it", async () => {
    await act();
    const all = await lines();
    expect(await verify()).toEqual({
      state: "intact",
      checked: all.length,
      first: 1,
      last: { seq: all.length, hash: all.at(-1)?.hash },
    });
    expect(await app.backend.query(internal.audit.verifyChain, {})).toMatchObject({ state: "intact" });
  });

  it.each([
    [
      "a changed line",
      () => ({ seq: 2, patch: { outcome: "something else" } }),
      { seq: 2, problem: "changed" },
    ],
    ["a removed line", () => ({ seq: 2, remove: true as const }), { seq: 2, problem: "out_of_order" }],
    [
      "the last line removed",
      (rows: unknown[]) => ({ seq: rows.length, remove: true as const }),
      { problem: "wrong_end" },
    ],
    ["a moved line", () => ({ seq: 2, patch: { seq: 99 } }), { seq: 2, problem: "out_of_order" }],
  ])("finds %s", async (_, change, found) => {
    await act();
    await tamper(change);
    expect(await verify()).toMatchObject({ state: "broken", ...found });
  });

  it("can still be checked after retention has removed its oldest lines, and when it begins anew", async () => {
    await act();
    const before = (await lines()).length;
    await app.advance(401 * DAY);
    await app.backend.mutation(internal.retention.run, {});
    await app.advance();
    expect(await lines()).toEqual([]);
    expect(await verify()).toMatchObject({ state: "intact", checked: 0 });
    await act();
    const after = await lines();
    expect(after[0]?.seq).toBe(before + 1);
    expect(await verify()).toMatchObject({ state: "intact", first: before + 1 });
    await tamper(() => ({ seq: before + 1, remove: true }));
    expect(await verify()).toMatchObject({ state: "broken" });
  });
});
