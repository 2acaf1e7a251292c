import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toBase64Url } from "#shared/bytes";
import { parseApiKey } from "#shared/ids";
import { hmacSha256 } from "#shared/signature";
import {
  type App,
  closeApp,
  graphError,
  NUMBER,
  networkError,
  openApp,
  START,
} from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";

let app: App;
beforeEach(() => {
  app = openApp();
});
afterEach(closeApp);

const newAccount = { ...NUMBER, accessToken: "graph-token", appSecret: "app-secret" };
const add = (account: Partial<typeof newAccount> = {}) => {
  const claimed = { ...newAccount, ...account };
  app.graph.numbers.set(claimed.phoneNumberId, claimed.phoneNumber);
  return app.backend.action(internal.accountsAdmin.add, claimed);
};

describe("connecting a number", () => {
  it("asks Meta with the token whether the number is its own, then stores the secrets sealed", async () => {
    const account = await add({ phoneNumber: "+1 (555) 078-3881" });
    expect(account).toMatchObject({ name: "Bakery", phoneNumber: "+15550783881", state: "active" });
    const asked = app.graph.calls.slice(0, 3);
    expect(asked.every(({ authorization }) => authorization === "Bearer graph-token")).toBe(true);
    expect(asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      `GET /v25.0/${NUMBER.phoneNumberId}`,
      `GET /v25.0/${NUMBER.wabaId}/phone_numbers`,
      "GET /v25.0/debug_token",
    ]);
    const stored = JSON.stringify(await app.rows("accounts"));
    expect(stored).not.toContain("graph-token");
    expect(stored).not.toContain("app-secret");
    expect(await app.backend.query(internal.accountsAdmin.list, {})).toEqual([account]);
    expect(JSON.stringify(account)).not.toContain("ealed");
  });

  it("never gives the same sealed text twice for the same secret", async () => {
    await add();
    await add({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    const sealed = (await app.rows("accounts")).flatMap((row) => [
      row.accessTokenSealed,
      row.appSecretSealed,
    ]);
    expect(new Set(sealed).size).toBe(4);
  });

  it("does not open a secret that was copied to another account", async () => {
    await add();
    const { id } = await add({
      phoneNumberId: "900",
      phoneNumber: "+15550001111",
      appSecret: "other-secret",
    });
    const [victim] = await app.rows("accounts");
    await app.backend.run(async (ctx) => {
      await ctx.db.patch(id, { appSecretSealed: victim?.appSecretSealed ?? "" });
    });
    const outcome = await app.deliver(
      { entry: [{ id: "1", changes: [] }], phone_number_id: "900" },
      "app-secret",
    );
    expect(outcome).toBe("unauthorized");
  });

  it.each([
    ["a token that Meta refuses", graphError(190, 401), "whatsapp_auth"],
    ["a number that the token may not see", graphError(100), "whatsapp_permission"],
    ["an answer for another number", () => Response.json({ id: "1" }), "whatsapp_permission"],
    ["a Graph that cannot be reached", networkError("ECONNREFUSED"), "whatsapp_unreachable"],
  ])("refuses %s, and stores nothing", async (_, answer, code) => {
    app.graph.answerAlways(answer);
    await expect(add()).rejects.toMatchObject({ data: { code } });
    expect(await app.rows("accounts")).toEqual([]);
  });

  it.each([
    ["name", ""],
    ["wabaId", "12a"],
    ["phoneNumberId", "../me"],
    ["phoneNumber", "call me"],
    ["accessToken", " "],
    ["appSecret", "two words"],
  ])("refuses a wrong %s before it asks anybody", async (field, value) => {
    await expect(add({ [field]: value })).rejects.toMatchObject({ data: { code: "invalid_request", field } });
    expect(app.graph.calls).toEqual([]);
  });

  it("refuses a number that is connected already, also when two try at once", async () => {
    const outcomes = await Promise.allSettled([add(), add({ name: "Thief" })]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(add()).rejects.toMatchObject({ data: { code: "already_exists" } });
    expect(await app.rows("accounts")).toHaveLength(1);
  });

  it("says which setting is missing, and not what is in it", async () => {
    vi.stubEnv("SECRETS_KEYS", "k1:c2hvcnQ");
    await expect(add()).rejects.toMatchObject({ data: { code: "misconfigured", setting: "SECRETS_KEYS" } });
    await expect(add()).rejects.not.toThrow(/c2hvcnQ/);
  });
});

describe("the first owner", () => {
  const claim = (userId: string) => app.service.mutation(api.instance.claim, { userId });

  it("gets the accounts that nobody owns, and those that come later", async () => {
    const { id: early } = await add();
    expect(await app.backend.query(api.instance.status, {})).toEqual({ claimed: false });
    await claim("ana");
    const { id: late } = await add({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    expect(await app.backend.query(api.instance.status, {})).toEqual({ claimed: true });
    const accounts = await app.user("ana").query(api.accounts.list, {});
    expect(accounts.map(({ _id, role }) => [_id, role])).toEqual([
      [early, "owner"],
      [late, "owner"],
    ]);
  });

  it("is one person, whoever else tries and however often it is repeated", async () => {
    const outcomes = await Promise.allSettled(["ana", "ben", "cleo"].map(claim));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await claim("ana");
    await expect(claim("ben")).rejects.toMatchObject({ data: { code: "already_claimed" } });
    expect(await app.rows("instance")).toHaveLength(1);
  });
});

describe("API keys", () => {
  it("are shown once, and stored only as an HMAC under the pepper", async () => {
    const accountId = await app.addAccount();
    const { key, id, name, scopes, numbers } = await app.addKey(accountId, {
      scopes: ["read", "send", "read"],
    });
    expect(parseApiKey(key)).toMatchObject({ mode: "live" });
    expect({ name, scopes, numbers }).toEqual({
      name: "agent",
      scopes: ["read", "send"],
      numbers: ["+15550783881"],
    });
    expect(JSON.stringify(await app.rows("apiKeys"))).not.toContain(key.slice(10));
    const keyHash = toBase64Url(await hmacSha256("pepper", key));
    const found = await app.service.query(api.callers.resolveKey, { keyHash, pepperId: "p1" });
    expect(found).toMatchObject({
      apiKeyId: id,
      accountId,
      name: "agent",
      scopes: ["read", "send"],
      mode: "live",
    });
    expect(await app.service.query(api.callers.resolveKey, { keyHash, pepperId: "p0" })).toBeNull();
  });

  it("are new every time", async () => {
    const accountId = await app.addAccount();
    const keys = await Promise.all(Array.from({ length: 10 }, () => app.addKey(accountId)));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(10);
  });

  it("are not found any more once they are revoked, and revoking again changes nothing", async () => {
    const { key, id } = await app.addKey(await app.addAccount());
    const first = await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: id });
    await app.advance(1_000);
    expect(await app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: id })).toEqual(first);
    const keyHash = toBase64Url(await hmacSha256("pepper", key));
    expect(await app.service.query(api.callers.resolveKey, { keyHash, pepperId: "p1" })).toBeNull();
    const revokeNothing = app.backend.mutation(internal.keysAdmin.revoke, { apiKeyId: "nonsense" });
    await expect(revokeNothing).rejects.toMatchObject({ data: { code: "not_found" } });
  });

  it.each([
    ["scopes", { scopes: ["admin"] }],
    ["scopes", { scopes: [] }],
    ["name", { name: " " }],
    ["rpm", { rpm: 0 }],
    ["dailyCap", { dailyCap: 1.5 }],
    ["expiresAt", { expiresAt: START }],
  ])("are refused with a wrong %s", async (field, options) => {
    const accountId = await app.addAccount();
    await expect(app.addKey(accountId, options)).rejects.toMatchObject({
      data: { code: "invalid_request", field },
    });
    expect(await app.rows("apiKeys")).toEqual([]);
  });

  it("are refused for a number that nobody has", async () => {
    const accountId = await app.addAccount();
    await expect(app.addKey(accountId, { numbers: ["+4930123456"] })).rejects.toMatchObject({
      data: { code: "not_found", field: "numbers" },
    });
  });

  it("remember their last use at most once a minute", async () => {
    const { id } = await app.addKey(await app.addAccount());
    const uses = async () => (await app.rows("auditLog")).filter(({ action }) => action === "key.use").length;
    for (let n = 0; n < 3; n++) await app.service.mutation(api.callers.touch, { apiKeyId: id });
    expect(await uses()).toBe(1);
    await app.advance(60_000);
    await app.service.mutation(api.callers.touch, { apiKeyId: id });
    expect(await uses()).toBe(2);
    expect((await app.rows("apiKeys"))[0]?.lastUsedAt).toBe(START + 60_000);
  });
});
