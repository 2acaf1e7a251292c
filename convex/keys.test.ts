import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toBase64Url } from "#shared/bytes";
import { hmacSha256 } from "#shared/signature";
import { type App, CUSTOMER, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let app: App;
let accountId: Id<"accounts">;
let foreignId: Id<"accounts">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  foreignId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
  await app.join(accountId, "olga", "owner");
  await app.join(accountId, "ada", "admin");
  await app.join(accountId, "max");
  await app.join(accountId, "mia");
  await app.join(foreignId, "fred", "owner");
  await app.receive("Hello", { at: START });
});
afterEach(closeApp);

const create = (userId: string, more: object = {}) =>
  app.user(userId).action(api.keys.create, { accountId, name: "agent", scopes: ["read", "send"], ...more });

const resolve = async (key: string) => {
  const keyHash = toBase64Url(await hmacSha256("pepper", key));
  return await app.service.query(api.callers.resolveKey, { keyHash, pepperId: "p1" });
};

const names = async (userId: string) =>
  (await app.user(userId).query(api.keys.list, { accountId })).map(({ name }) => name);

const refusedWith = (code: string, more: object = {}) => ({ data: { code, ...more } });

describe("a key that a member makes", () => {
  it("works, names its maker and is shown this once", async () => {
    const { key, id, createdBy } = await create("max", { rpm: 5, tools: ["send_text"] });
    expect(createdBy).toBe("max");
    expect(await resolve(key)).toMatchObject({
      apiKeyId: id,
      tools: ["send_text"],
      scopes: ["read", "send"],
    });
    expect(JSON.stringify(await app.user("max").query(api.keys.list, { accountId }))).not.toContain(key);
    const lines = (await app.rows("auditLog")).filter(({ action }) => action === "key.create");
    expect(lines).toMatchObject([{ principal: "user:max", subject: id }]);
  });

  it("is seen by its maker and by those who manage keys, and by nobody else", async () => {
    await create("max", { name: "of max" });
    await create("ada", { name: "of ada" });
    expect(await names("max")).toEqual(["of max"]);
    expect(await names("mia")).toEqual([]);
    expect(await names("ada")).toEqual(["of ada", "of max"]);
    expect(await names("olga")).toEqual(["of ada", "of max"]);
  });

  it("gets no number in which its maker is nobody", async () => {
    for (const numbers of [["900"], ["+4930123456"]]) {
      await expect(create("olga", { numbers })).rejects.toMatchObject(
        refusedWith("not_found", { field: "numbers" }),
      );
    }
    await app.join(foreignId, "olga");
    const { numbers } = await create("olga", { numbers: ["900", "+1 555 078 3881"] });
    expect(numbers).toEqual(["+15550001111", "+15550783881"]);
  });

  it.each([
    ["tools", { tools: [] }],
    ["tools", { tools: ["send text!"] }],
    ["scopes", { scopes: ["read", "root"] }],
    ["name", { name: "" }],
    ["expiresAt", { expiresAt: START - 1 }],
  ])("is refused with a wrong %s: %o", async (field, more) => {
    await expect(create("olga", more)).rejects.toMatchObject(refusedWith("invalid_request", { field }));
  });

  it("is one of at most a hundred", async () => {
    for (let n = 0; n < 100; n++) {
      await app.backend.run(async (ctx) => {
        await ctx.db.insert("apiKeys", {
          name: "k",
          accountId,
          grantedAccountIds: [],
          scopes: [],
          mode: "live",
          keyHash: `h${n}`,
          pepperId: "p1",
          last4: "0000",
          createdBy: "max",
        });
      });
    }
    await expect(create("max")).rejects.toMatchObject(refusedWith("invalid_request"));
    await create("mia");
  });
});

describe("every change of a key", () => {
  const CHANGES = {
    rename: (userId: string, apiKeyId: Id<"apiKeys">) =>
      app.user(userId).mutation(api.keys.rename, { accountId, apiKeyId, name: "new name" }),
    rotate: (userId: string, apiKeyId: Id<"apiKeys">) =>
      app.user(userId).action(api.keys.rotate, { accountId, apiKeyId }),
    usage: (userId: string, apiKeyId: Id<"apiKeys">) =>
      app.user(userId).query(api.keys.usage, { accountId, apiKeyId }),
    revoke: (userId: string, apiKeyId: Id<"apiKeys">) =>
      app.user(userId).mutation(api.keys.revoke, { accountId, apiKeyId }),
  };

  it.each(Object.entries(CHANGES))(
    "%s is for its maker and its managers; to others the key does not exist",
    async (_, change) => {
      const { id } = await create("max");
      await expect(change("mia", id)).rejects.toMatchObject(refusedWith("not_found"));
      await expect(change("fred", id)).rejects.toMatchObject(refusedWith("not_found"));
      const foreign = await app.addKey(foreignId);
      await expect(change("olga", foreign.id)).rejects.toMatchObject(refusedWith("not_found"));
      await change("max", id);
    },
  );

  it("takes the account by its word: a key of another account of the same person is not found there", async () => {
    await app.join(foreignId, "olga", "owner");
    const { id } = await app.addKey(foreignId);
    const revoke = app.user("olga").mutation(api.keys.revoke, { accountId, apiKeyId: id });
    await expect(revoke).rejects.toMatchObject(refusedWith("not_found"));
  });

  it("ends a revoked key at once", async () => {
    const { id, key } = await create("max");
    await CHANGES.revoke("ada", id);
    expect(await resolve(key)).toBeNull();
    await expect(app.key(id).query(api.mcp.listConversations, {})).rejects.toMatchObject(
      refusedWith("unauthorized"),
    );
    await expect(CHANGES.rotate("max", id)).rejects.toMatchObject(refusedWith("not_found"));
  });
});

describe("a rotation", () => {
  const rotate = (apiKeyId: Id<"apiKeys">, graceMs?: number) =>
    app.user("max").action(api.keys.rotate, {
      accountId,
      apiKeyId,
      ...(graceMs !== undefined && { graceMs }),
    });

  it("gives a new secret to the same key, and lets the old one work until its grace is over", async () => {
    const old = await create("max");
    const fresh = await rotate(old.id, HOUR);
    expect(fresh).toMatchObject({ id: old.id, previousKeyUntil: START + HOUR });
    expect(await resolve(fresh.key)).toMatchObject({ apiKeyId: old.id });
    expect(await resolve(fresh.key)).not.toHaveProperty("expiresAt");
    expect(await resolve(old.key)).toMatchObject({ apiKeyId: old.id, expiresAt: START + HOUR });
    await app.advance(HOUR);
    expect(await resolve(old.key)).toBeNull();
    expect(await resolve(fresh.key)).toMatchObject({ apiKeyId: old.id });
  });

  it("without grace ends the old secret at once, and a second one ends the grace of the first", async () => {
    const first = await create("max");
    const second = await rotate(first.id, DAY);
    const third = await rotate(first.id, DAY);
    expect(await resolve(first.key)).toBeNull();
    expect(await resolve(second.key)).not.toBeNull();
    const fourth = await rotate(first.id, 0);
    expect([await resolve(second.key), await resolve(third.key)]).toEqual([null, null]);
    await app.advance(DAY);
    expect(await resolve(fourth.key)).not.toBeNull();
  });

  it("never lengthens the life of a key that ends", async () => {
    const old = await create("max", { expiresAt: START + HOUR });
    await rotate(old.id, DAY);
    expect(await resolve(old.key)).toMatchObject({ expiresAt: START + HOUR });
  });

  it.each([-1, 0.5, 31 * DAY])("is refused with a grace of %d ms", async (graceMs) => {
    const { id } = await create("max");
    await expect(rotate(id, graceMs)).rejects.toMatchObject(
      refusedWith("invalid_request", { field: "graceMs" }),
    );
  });

  it("leaves neither secret in any row", async () => {
    const old = await create("max");
    const fresh = await rotate(old.id);
    const rows = JSON.stringify(await app.rows("apiKeys")) + JSON.stringify(await app.rows("auditLog"));
    for (const { key } of [old, fresh]) expect(rows).not.toContain(key.slice("pons_live_".length));
  });
});

describe("what a key may reach", () => {
  const send = (id: Id<"apiKeys">) =>
    app.key(id).mutation(api.mcp.sendText, { contact: `+${CUSTOMER}`, text: "Hi" });
  const list = (id: Id<"apiKeys">) => app.key(id).query(api.mcp.listConversations, {});

  it("is what its direction allows, whatever its scopes say", async () => {
    const inbound = await create("max", { direction: "inbound" });
    expect(await list(inbound.id)).not.toHaveProperty("refused");
    expect(await send(inbound.id)).toMatchObject({ refused: true, reason: "scope_missing" });
    const outbound = await create("max", { direction: "outbound" });
    expect(await list(outbound.id)).toMatchObject({ refused: true, reason: "scope_missing" });
    expect(await send(outbound.id)).toMatchObject({ outcome: "pending" });
  });

  it("is what its tools need", async () => {
    const { id } = await create("max", { tools: ["get_conversation", "list_conversations"] });
    expect(await list(id)).not.toHaveProperty("refused");
    await expect(send(id)).rejects.toMatchObject(refusedWith("scope_missing"));
  });

  it("is counted where people can read it", async () => {
    const { id } = await create("max", { rpm: 2, dailyCap: 10 });
    await send(id);
    expect(await app.user("max").query(api.keys.usage, { accountId, apiKeyId: id })).toEqual({
      minute: { limit: 2, left: 1, resetsAt: START + 60_000 },
      day: { limit: 10, left: 9, resetsAt: START + 14 * HOUR },
    });
  });

  it("remembers where it was used from last", async () => {
    const { id } = await create("max");
    await app.service.mutation(api.callers.touch, { apiKeyId: id, address: "203.0.113.7" });
    expect(await app.backend.query(internal.keysAdmin.list, { accountId })).toMatchObject([
      { id, lastUsedAt: START, lastUsedFrom: "203.0.113.7" },
    ]);
    for (const address of ["<script>", "1".repeat(46), undefined]) {
      await app.advance(60_000);
      await app.service.mutation(api.callers.touch, { apiKeyId: id, ...(address && { address }) });
      const [key] = await app.backend.query(internal.keysAdmin.list, { accountId });
      expect(key?.lastUsedAt).toBeGreaterThan(START);
      expect(key).not.toHaveProperty("lastUsedFrom");
      await app.backend.run(async (ctx) => await ctx.db.patch(id, { lastUsedFrom: "203.0.113.7" }));
    }
  });
});
