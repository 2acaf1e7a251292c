import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, openApp } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import { REFUSAL_LINES_PER_HOUR } from "./model/rateLimits";

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
      {
        principal: `key:${apiKeyId}`,
        action: "message.send",
        outcome: "refused",
        reason: "duplicate_suspected",
      },
      { principal: `key:${apiKeyId}`, action: "message.send", outcome: "queued" },
    ]);
    if (first.next === null) throw new Error("no second page");
    const rest = await app.user("ana").query(api.audit.list, { accountId, before: first.next });
    expect(rest.lines.map(({ seq }) => seq)).toEqual([2, 1]);
    expect(rest.next).toBeNull();
  });

  it("says why a member, and a key that may not, were refused", async () => {
    await app.join(accountId, "ana", "admin");
    await app.receive("Hello");
    const [conversation] = await app.rows("conversations");
    if (conversation === undefined) throw new Error("The customer's message was not stored.");
    await app.advance(2 * DAY);
    await app.user("ana").mutation(api.messages.sendText, {
      accountId,
      conversationId: conversation._id,
      text: "Too late",
      clientRequestId: "late",
    });
    const { id: reader } = await app.addKey(accountId, { scopes: ["read"] });
    const send = { contact: CUSTOMER, text: "May I?" };
    await app.key(reader).mutation(api.mcp.sendText, { ...send, validateOnly: true });
    await app.key(reader).mutation(api.mcp.sendText, send);
    const refused = (await lines()).filter(({ outcome }) => outcome === "refused");
    expect(refused).toMatchObject([
      { principal: "user:ana", action: "message.send", reason: "window_closed", target: conversation._id },
      { principal: `key:${reader}`, action: "message.send", reason: "scope_missing" },
    ]);
    expect(await verify()).toMatchObject({ state: "intact" });
  });

  it("holds so many refusals of an hour and one line for the rest, and of other keys all the same", async () => {
    await app.receive("Hello");
    const { id: other } = await app.addKey(accountId, { scopes: ["read"] });
    const { id: reader } = await app.addKey(accountId, { scopes: ["read"] });
    const refuse = async (id: Id<"apiKeys">) =>
      await app.key(id).mutation(api.mcp.sendText, { contact: CUSTOMER, text: "May I?" });
    for (let call = 0; call < REFUSAL_LINES_PER_HOUR + 5; call++) await refuse(reader);
    await refuse(other);
    const actionsOf = async (id: Id<"apiKeys">) =>
      (await lines())
        .filter(({ principal, outcome }) => principal === `key:${id}` && outcome === "refused")
        .map(({ action }) => action);
    const all = Array.from({ length: REFUSAL_LINES_PER_HOUR }, () => "message.send");
    expect(await actionsOf(reader)).toEqual([...all, "refusals.left_out"]);
    expect(await actionsOf(other)).toEqual(["message.send"]);
    await app.advance(3_600_000);
    await refuse(reader);
    expect(await actionsOf(reader)).toEqual([...all, "refusals.left_out", "message.send"]);
    expect(await verify()).toMatchObject({ state: "intact" });
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
