/// <reference types="vite/client" />
import { getFunctionName } from "convex/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, CUSTOMER, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

/** What holds of all doors, and what they show. Who may come in is the matter of `tenantMatrix.test.ts`. */
const modules: Record<string, Record<string, unknown>> = import.meta.glob(["./*.ts", "!./*.*.ts"], {
  eager: true,
});

let app: App;
let own: World;
let foreign: World;

interface World {
  accountId: Id<"accounts">;
  conversationId: Id<"conversations">;
  apiKeyId: Id<"apiKeys">;
  number: string;
}

/** An account with a member, a key and one conversation. */
async function world(userId: string, number: { phoneNumberId: string; phoneNumber: string }): Promise<World> {
  const accountId = await app.addAccount({ ...number, name: userId });
  await app.join(accountId, userId);
  await app.receive(`for ${userId}`, { phoneNumberId: number.phoneNumberId, at: START });
  const conversation = (await app.rows("conversations")).find((row) => row.accountId === accountId);
  const { id } = await app.addKey(accountId, { scopes: ["read", "write", "send"] });
  if (conversation === undefined) throw new Error("The customer's message was not stored.");
  return { accountId, conversationId: conversation._id, apiKeyId: id, number: number.phoneNumber };
}

beforeEach(async () => {
  app = openApp();
  own = await world("ana", { phoneNumberId: "106540352242922", phoneNumber: "+15550783881" });
  foreign = await world("ben", { phoneNumberId: "900", phoneNumber: "+15550001111" });
});
afterEach(closeApp);

const paginationOpts = { numItems: 10, cursor: null };

const code = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: unknown) => (error instanceof Error && "data" in error ? error.data : error),
  );

describe("every public function", () => {
  const isFunction = (
    value: unknown,
  ): value is { isPublic?: true; exportArgs(): string; exportReturns(): string } =>
    typeof value === "function" && "exportArgs" in value;

  const functions = Object.entries(modules).flatMap(([path, module]) =>
    Object.entries(module)
      .filter(([, value]) => isFunction(value))
      .map(([name, value]) => ({ name: `${path.slice(2, -3)}:${name}`, value })),
  );

  /** Whether it declares both, and, where strangers may call it, leaves nothing open. */
  const speaks = (value: unknown): boolean => {
    if (!isFunction(value)) return false;
    const [args, returns] = [value.exportArgs(), value.exportReturns()];
    const isClosed = !value.isPublic || !(args + returns).includes('"any"');
    return JSON.parse(args).type === "object" && JSON.parse(returns) !== null && isClosed;
  };

  it("says what it takes and what it returns", () => {
    expect(functions.length).toBeGreaterThan(100);
    expect(functions.filter(({ value }) => !speaks(value)).map(({ name }) => name)).toEqual([]);
  });

  it("is named in the generated api as it is called here", () => {
    expect(getFunctionName(api.mcp.sendText)).toBe("mcp:sendText");
  });
});

describe("functions of an API key", () => {
  it("ends with its time, also when the token was minted before", async () => {
    const { id } = await app.addKey(own.accountId, { expiresAt: START + 60_000 });
    const read = () => code(app.key(id).query(api.mcp.listConversations, {}));
    expect(await read()).not.toHaveProperty("code");
    await app.advance(60_001);
    expect(await read()).toMatchObject({ code: "unauthorized" });
    expect(
      (await app.backend.query(internal.keysAdmin.list, {})).find((key) => key.id === id)?.revokedAt,
    ).toBe(START + 60_001);
  });

  it("asks which number is meant when the key may use several", async () => {
    const { id } = await app.addKey(own.accountId, { scopes: ["read"], numbers: ["+1 555 078 3881", "900"] });
    const as = app.key(id);
    expect(await as.query(api.mcp.listConversations, {})).toMatchObject({
      refused: true,
      reason: "number_required",
    });
    for (const { number, accountId } of [own, foreign]) {
      expect(await as.query(api.mcp.listConversations, { from: number })).toMatchObject({
        account: { accountId },
      });
    }
  });
});

describe("what is shown", () => {
  it("lists a person's accounts with role and unread messages", async () => {
    expect(await app.user("ana").query(api.accounts.list, {})).toMatchObject([
      { _id: own.accountId, name: "ana", role: "member", unreadCount: 1 },
    ]);
    expect(await app.user("nobody").query(api.accounts.list, {})).toEqual([]);
    await expect(app.backend.query(api.accounts.list, {})).rejects.toThrow(/unauthorized/);
  });

  it("counts unread messages for each member alone", async () => {
    await app.join(own.accountId, "cleo");
    const { accountId, conversationId } = own;
    const unread = async (userId: string) =>
      (await app.user(userId).query(api.conversations.get, { accountId, conversationId })).unreadCount;
    await app.user("ana").mutation(api.conversations.markSeen, { accountId, conversationId });
    await app
      .user("ana")
      .mutation(api.messages.sendText, { accountId, conversationId, text: "Hi", clientRequestId: "r" });
    expect([await unread("ana"), await unread("cleo")]).toEqual([0, 1]);
    await app.receive("one more");
    expect([await unread("ana"), await unread("cleo")]).toEqual([1, 2]);
  });

  it("names the person who sent a message to their colleagues", async () => {
    await app.join(own.accountId, "cleo");
    const { accountId, conversationId } = own;
    await app.backend.run(async (ctx) => {
      const at = { createdAt: START, updatedAt: START };
      await ctx.db.insert("auth_user", {
        id: "ana",
        name: "Ana Lima",
        email: "ana@x.test",
        emailVerified: true,
        ...at,
      });
    });
    for (const userId of ["ana", "cleo"]) {
      const draft = { accountId, conversationId, text: `from ${userId}`, clientRequestId: `r-${userId}` };
      await app.user(userId).mutation(api.messages.sendText, draft);
    }
    const { page } = await app
      .user("cleo")
      .query(api.messages.list, { accountId, conversationId, paginationOpts });
    expect(page.slice(0, 2).map(({ text, sender }) => [text, sender.name])).toEqual([
      ["from cleo", undefined],
      ["from ana", "Ana Lima"],
    ]);
  });

  it("brings a conversation back from the archive when the customer writes again", async () => {
    await app.backend.run(async (ctx) => {
      await ctx.db.patch(own.conversationId, { archived: true, archivedAt: START });
    });
    const list = (archived: boolean) =>
      app.user("ana").query(api.conversations.list, { accountId: own.accountId, archived, paginationOpts });
    expect([(await list(false)).page.length, (await list(true)).page.length]).toEqual([0, 1]);
    await app.receive("Hello again");
    expect([(await list(false)).page.length, (await list(true)).page.length]).toEqual([1, 0]);
  });

  it("pages through conversations and messages without loss or repetition, also within one second", async () => {
    const as = app.key(own.apiKeyId);
    for (let n = 0; n < 7; n++) await app.receive(`m${n}`, { from: `1650555100${n}`, at: START });
    const names: string[] = [];
    for (let cursor: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await as.query(api.mcp.listConversations, {
        limit: 3,
        ...(cursor !== undefined && { cursor }),
      });
      if ("refused" in page) throw new Error("refused");
      names.push(...page.conversations.map(({ preview }) => preview));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(names).toEqual(["m6", "m5", "m4", "m3", "m2", "m1", "m0", "for ana"]);

    for (let n = 0; n < 7; n++) await app.receive(`t${n}`, { at: START + (n < 4 ? 0 : 1000) });
    const seen: (string | undefined)[] = [];
    for (let before: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await as.query(api.mcp.getConversation, {
        contact: `+${CUSTOMER}`,
        limit: 3,
        ...(before !== undefined && { before }),
      });
      if ("refused" in page) throw new Error("refused");
      seen.unshift(...page.messages.map(({ text }) => text));
      if (page.nextCursor === null) break;
      before = page.nextCursor;
    }
    expect(seen).toEqual(["for ana", "t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
  });

  it("calls a cursor that is none of ours an invalid request", async () => {
    const read = app.key(own.apiKeyId).query(api.mcp.listConversations, { cursor: "'; drop table" });
    expect(await code(read)).toMatchObject({ code: "invalid_request", field: "cursor" });
  });

  it("never gives more rows than a page may have", async () => {
    for (let n = 0; n < 5; n++) await app.receive(`m${n}`, { from: `1650555100${n}` });
    const read = async (limit: number) => {
      const page = await app.key(own.apiKeyId).query(api.mcp.listConversations, { limit });
      return "refused" in page ? -1 : page.conversations.length;
    };
    expect([await read(-5), await read(0), await read(2.9), await read(Number.NaN), await read(1e9)]).toEqual(
      [1, 1, 2, 6, 6],
    );
  });
});
