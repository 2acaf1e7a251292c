import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { signatureHeader } from "#shared/signature";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { type InProcess, inboundText, startInProcess, VERIFY_TOKEN } from "../../tests/support/in-process";

/** The backend's functions speak to the real simulator over a real socket here: what Meta would say decides. */

const NUMBER = { wabaId: "102290129340398", phoneNumberId: "106540352242922" };
const SECRETS = ["sim-access-token", "canary-app-secret", "sim-app-secret"];

let product: InProcess;
beforeAll(async () => {
  product = await startInProcess();
});
afterAll(() => product.stop());

let accountId: Id<"accounts">;
beforeEach(async () => {
  await control("reset", {});
  await product.backend.t.run(async (ctx) => {
    for (const row of await ctx.db.query("accounts").collect()) await ctx.db.delete(row._id);
  });
  accountId = (await product.addBusiness()).id;
});

const control = async (path: string, body: object) => {
  const response = await fetch(`${product.simulator.url}/_sim/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
};
const token = (name: string, change: object = {}) => control("tokens", { token: name, ...change });
/** Another token of the same person, as Meta gives one for an old one. */
const secondToken = async (): Promise<string> => {
  const query = new URLSearchParams({
    grant_type: "fb_exchange_token",
    client_id: "670843887433847",
    client_secret: "sim-app-secret",
    fb_exchange_token: "sim-access-token",
  });
  const response = await fetch(`${product.simulator.url}/v25.0/oauth/access_token?${query}`);
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
};
const t = () => product.backend.t;
const account = async () => await t().run(async (ctx) => await ctx.db.get(accountId));
const check = async () => {
  const health = await t().action(internal.accountHealth.check, { accountId });
  return Object.fromEntries((health?.checks ?? []).map(({ name, state, fix }) => [name, fix ?? state]));
};

describe("connecting a number", () => {
  it("keeps what Meta says about it", async () => {
    expect(await account()).toMatchObject({
      state: "active",
      phoneNumber: "+15550783881",
      number: { status: "CONNECTED", quality: "GREEN" },
    });
  });

  it.each([
    ["of another account", { wabaId: "999999999999999" }, "whatsapp_permission"],
    ["that does not exist", { phoneNumberId: "999999999999999" }, "whatsapp_permission"],
    ["with a token that is none", { accessToken: "nonsense" }, "whatsapp_auth"],
    ["under another phone number", { phoneNumber: "+4930123456" }, "invalid_request"],
    ["that is connected already", {}, "already_exists"],
  ])("%s is refused, and nothing is stored", async (_, change, code) => {
    const add = t().action(internal.accountsAdmin.add, {
      ...NUMBER,
      name: "Thief",
      accessToken: "sim-access-token",
      ...change,
    });
    await expect(add).rejects.toMatchObject({ data: { code } });
    expect(await t().run(async (ctx) => (await ctx.db.query("accounts").collect()).length)).toBe(1);
  });
});

describe("an access token", () => {
  const rotate = (accessToken: string) =>
    t().action(internal.accountsAdmin.rotateToken, { accountId, accessToken });

  it("that Meta takes back pauses sending, and a new one resumes it", async () => {
    const fresh = await secondToken();
    await token("sim-access-token", { state: "revoked" });
    expect(await check()).toMatchObject({ token: "rotate_token", sending: "rotate_token" });
    expect((await account())?.sending).toMatchObject({ state: "paused", reason: "token_invalid" });
    await rotate(fresh);
    expect((await account())?.sending).toMatchObject({ state: "active" });
    expect(await check()).toMatchObject({ token: "ok", scopes: "ok", number: "ok", sending: "ok" });
  });

  it("for another number is no replacement", async () => {
    const before = await account();
    const blind = await secondToken();
    await token(blind, { wabaIds: [] });
    await expect(rotate(blind)).rejects.toMatchObject({ data: { code: "whatsapp_permission" } });
    expect(await account()).toEqual(before);
  });

  it("that may not send is named by the check", async () => {
    await token("sim-access-token", { scopes: ["whatsapp_business_management"] });
    expect(await check()).toMatchObject({ scopes: "rotate_token" });
  });
});

describe("leaving and coming back", () => {
  it("ends the webhooks at Meta, keeps the data, and begins again", async () => {
    expect(await check()).not.toMatchObject({ subscription: "subscribe" });
    expect(await t().action(internal.accountsAdmin.detach, { accountId })).toEqual({ unsubscribed: true });
    expect((await account())?.state).toBe("detached");
    await expect(t().action(internal.accountsAdmin.detach, { accountId })).resolves.toBeDefined();
    await t().action(internal.accountsAdmin.reattach, { accountId });
    expect((await account())?.state).toBe("active");
    expect(await check()).toMatchObject({ subscription: "ok" });
  });

  it("stays detached when the token is no longer valid", async () => {
    await t().action(internal.accountsAdmin.detach, { accountId });
    await token("sim-access-token", { state: "revoked" });
    await expect(t().action(internal.accountsAdmin.reattach, { accountId })).rejects.toMatchObject({
      data: { code: "whatsapp_auth" },
    });
    expect((await account())?.state).toBe("detached");
  });
});

describe("secrets", () => {
  it("of any kind stand in no row, in no form that can be read", async () => {
    const owner = t().withIdentity({ subject: "olga", use: "user" });
    await t().run(async (ctx) => {
      await ctx.db.insert("accountMembers", { accountId, userId: "olga", role: "owner" });
    });
    const accessToken = await secondToken();
    await owner.action(api.accountSettings.rotateAccessToken, { accountId, accessToken });
    await owner.action(api.accountSettings.rotateAppSecret, { accountId, appSecret: "canary-app-secret" });
    const { verifyToken } = await owner.action(api.accountSettings.rotateVerifyToken, { accountId });
    const { token: invited } = await owner.action(api.invites.create, {
      accountId,
      email: "new@x.test",
      role: "member",
    });
    const { key } = await owner.action(api.keys.create, { accountId, name: "k", scopes: ["read"] });
    const rows = await t().run(async (ctx) => {
      const tables = ["accounts", "apiKeys", "accountInvites", "accountHealth", "auditLog"] as const;
      return await Promise.all(tables.map(async (table) => await ctx.db.query(table).collect()));
    });
    const text = JSON.stringify(rows);
    for (const canary of [...SECRETS, accessToken, verifyToken, invited, key])
      expect(text).not.toContain(canary);
  });

  it("of the app that are replaced still open the webhooks of the week before", async () => {
    const owner = t().withIdentity({ subject: "olga", use: "user" });
    await t().run(async (ctx) => {
      await ctx.db.insert("accountMembers", { accountId, userId: "olga", role: "owner" });
    });
    const { body, signature } = await inboundText("signed with the old secret");
    await owner.action(api.accountSettings.rotateAppSecret, { accountId, appSecret: "canary-app-secret" });
    const bytes = new Uint8Array(new TextEncoder().encode(body)).buffer;
    const { outcome } = await t().mutation(api.webhook.ingestWebhook, { body: bytes, signature });
    expect(outcome).toBe("accepted");
    await owner.action(api.accountSettings.rotateAppSecret, {
      accountId,
      appSecret: "canary-app-secret-3",
      graceMs: 0,
    });
    const late = new Uint8Array(
      new TextEncoder().encode((await inboundText("signed with a secret that is over")).body),
    ).buffer;
    const refused = await t().mutation(api.webhook.ingestWebhook, {
      body: late,
      signature: await signatureHeader("canary-app-secret", late),
    });
    expect(refused.outcome).toBe("unauthorized");
    expect(await check()).toMatchObject({ signatures: "set_app_secret" });
  });
});

describe("the handshake", () => {
  it("accepts the deployment's token and the account's own, and no other", async () => {
    const { answerHandshake } = await import("./webhook");
    const ask = async (verifyToken: string) => {
      const query = new URLSearchParams({
        "hub.mode": "subscribe",
        "hub.verify_token": verifyToken,
        "hub.challenge": "42",
      });
      return (await answerHandshake(new Request(`http://localhost/api/webhook?${query}`))).status;
    };
    await t().run(async (ctx) => {
      await ctx.db.insert("accountMembers", { accountId, userId: "olga", role: "owner" });
    });
    const owner = t().withIdentity({ subject: "olga", use: "user" });
    const { verifyToken } = await owner.action(api.accountSettings.rotateVerifyToken, { accountId });
    expect([await ask(VERIFY_TOKEN), await ask(verifyToken), await ask("nonsense"), await ask("")]).toEqual([
      200, 200, 403, 403,
    ]);
  });
});
