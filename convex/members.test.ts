import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const DAY = 86_400_000;

let app: App;
let accountId: Id<"accounts">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "olga", "owner");
  await app.join(accountId, "ada", "admin");
  await app.join(accountId, "max");
});
afterEach(closeApp);

type Role = "owner" | "admin" | "member";

const signUp = async (id: string, email: string) =>
  await app.backend.run(async (ctx) => {
    const at = { createdAt: START, updatedAt: START };
    await ctx.db.insert("auth_user", { id, name: id, email, emailVerified: false, ...at });
  });
const people = async () =>
  Object.fromEntries(
    (await app.user("olga").query(api.members.list, { accountId })).map(({ userId, role }) => [userId, role]),
  );
const setRole = (as: string, userId: string, role: Role) =>
  app.user(as).mutation(api.members.changeRole, { accountId, userId, role });
const remove = (as: string, userId: string) =>
  app.user(as).mutation(api.members.remove, { accountId, userId });
const invite = (as: string, email: string, role: Role = "member") =>
  app.user(as).action(api.invites.create, { accountId, email, role });
const accept = (userId: string, token: string) => app.user(userId).mutation(api.invites.accept, { token });

const refusedWith = (code: string, more: object = {}) => ({ data: { code, ...more } });

describe("members", () => {
  it("are listed with name and address in the order in which they joined", async () => {
    await signUp("max", "max@x.test");
    expect(await app.user("max").query(api.members.list, { accountId })).toMatchObject([
      { userId: "olga", role: "owner" },
      { userId: "ada", role: "admin" },
      { userId: "max", role: "member", name: "max", email: "max@x.test" },
    ]);
  });

  it("get another role from those who manage them, and an owner's only from an owner", async () => {
    await setRole("ada", "max", "admin");
    expect(await people()).toEqual({ olga: "owner", ada: "admin", max: "admin" });
    await expect(setRole("ada", "max", "owner")).rejects.toMatchObject(refusedWith("forbidden"));
    await expect(setRole("ada", "olga", "member")).rejects.toMatchObject(refusedWith("forbidden"));
    await setRole("olga", "max", "owner");
    await setRole("max", "olga", "admin");
    expect(await people()).toEqual({ olga: "admin", ada: "admin", max: "owner" });
    await expect(setRole("max", "nobody", "admin")).rejects.toMatchObject(refusedWith("not_found"));
  });

  it("always leave one owner behind", async () => {
    await expect(setRole("olga", "olga", "member")).rejects.toMatchObject(refusedWith("last_owner"));
    await expect(remove("olga", "olga")).rejects.toMatchObject(refusedWith("last_owner"));
    const leave = () => app.user("olga").mutation(api.members.leave, { accountId });
    await expect(leave()).rejects.toMatchObject(refusedWith("last_owner"));
    await app.user("olga").mutation(api.members.transfer, { accountId, userId: "max" });
    expect(await people()).toEqual({ olga: "admin", ada: "admin", max: "owner" });
    await leave();
    expect(await app.user("olga").query(api.accounts.list, {})).toEqual([]);
  });

  it("that two owners remove at the same moment leave one", async () => {
    await setRole("olga", "max", "owner");
    const outcomes = await Promise.allSettled([remove("olga", "max"), remove("max", "olga")]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await app.rows("accountMembers")).filter(({ role }) => role === "owner")).toHaveLength(1);
  });

  it("who are removed see nothing more, and neither do their keys", async () => {
    const otherId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.join(otherId, "max");
    const make = (home: Id<"accounts">, numbers: string[]) =>
      app.user("max").action(api.keys.create, { accountId: home, name: "k", scopes: ["read"], numbers });
    const here = await make(accountId, []);
    const there = await make(otherId, ["900", "+15550783881"]);
    const ofAda = await app.user("ada").action(api.keys.create, { accountId, name: "k", scopes: ["read"] });
    await remove("ada", "max");
    await expect(app.user("max").query(api.members.list, { accountId })).rejects.toMatchObject(
      refusedWith("not_found"),
    );
    await expect(app.key(here.id).query(api.mcp.listConversations, {})).rejects.toMatchObject(
      refusedWith("unauthorized"),
    );
    const read = (id: Id<"apiKeys">, from: string) => app.key(id).query(api.mcp.listConversations, { from });
    expect(await read(there.id, "+15550783881")).toMatchObject({ refused: true, reason: "not_found" });
    expect(await read(there.id, "900")).not.toHaveProperty("refused");
    expect(await read(ofAda.id, "+15550783881")).not.toHaveProperty("refused");
  });
});

describe("an invitation", () => {
  it("makes the person with the invited address a member, once", async () => {
    const { token, ...shown } = await invite("ada", " New@X.test ", "admin");
    expect(shown).toMatchObject({
      email: "new@x.test",
      role: "admin",
      invitedBy: "ada",
      expiresAt: START + 7 * DAY,
    });
    await signUp("new", "new@x.test");
    await signUp("eve", "eve@x.test");
    await expect(accept("eve", token)).rejects.toMatchObject(refusedWith("invite_invalid"));
    expect(await accept("new", token)).toEqual({ accountId });
    expect(await accept("new", token)).toEqual({ accountId });
    expect(await people()).toMatchObject({ new: "admin" });
    await remove("olga", "new");
    expect(await accept("new", token)).toEqual({ accountId });
    expect(await people()).not.toHaveProperty("new");
  });

  it("names the account to nobody but the one who joined by it, and only while they are a member", async () => {
    const { token } = await invite("ada", "new@x.test");
    await signUp("new", "new@x.test");
    await accept("new", token);
    const read = (userId?: string) =>
      app.service.query(api.invites.read, { token, ...(userId !== undefined && { userId }) });
    expect(await read("new")).toEqual({ state: "joined", accountId });
    expect(await read("eve")).toEqual({ state: "used" });
    expect(await read()).toEqual({ state: "used" });
    await remove("olga", "new");
    expect(await read("new")).toEqual({ state: "used" });
  });

  it("is stored as a digest, and its token is nowhere else", async () => {
    const { token } = await invite("ada", "new@x.test");
    const rows = [...(await app.rows("accountInvites")), ...(await app.rows("auditLog"))];
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(JSON.stringify(await app.user("ada").query(api.invites.list, { accountId }))).not.toContain(token);
  });

  it("ends after a week, when it is revoked, and when the address is invited anew", async () => {
    await signUp("new", "new@x.test");
    const open = (token: string) => app.service.query(api.invites.read, { token });
    const first = await invite("ada", "new@x.test");
    const second = await invite("ada", "new@x.test", "admin");
    expect([await open(first.token), await open("nonsense")]).toEqual([{ state: "revoked" }, null]);
    expect(await open(second.token)).toMatchObject({
      state: "open",
      accountName: "Bakery",
      email: "new@x.test",
    });
    await app.user("ada").mutation(api.invites.revoke, { accountId, inviteId: second.id });
    expect(await open(second.token)).toEqual({ state: "revoked" });
    const third = await invite("ada", "new@x.test");
    await app.advance(7 * DAY);
    for (const { token } of [first, second, third]) {
      await expect(accept("new", token)).rejects.toMatchObject(refusedWith("invite_invalid"));
    }
    expect(await people()).not.toHaveProperty("new");
  });

  it("to be an owner comes from an owner, or from the administrator", async () => {
    await expect(invite("ada", "new@x.test", "owner")).rejects.toMatchObject(refusedWith("forbidden"));
    await invite("olga", "new@x.test", "owner");
    const byAdmin = await app.backend.action(internal.invites.createByAdmin, {
      accountId,
      email: "boss@x.test",
      role: "owner",
    });
    expect(byAdmin).toMatchObject({ invitedBy: "admin", role: "owner" });
    await signUp("boss", "boss@x.test");
    await app.service.mutation(api.invites.acceptFor, { token: byAdmin.token, userId: "boss" });
    expect(await people()).toMatchObject({ boss: "owner" });
  });

  it("never lowers a role that somebody has", async () => {
    await signUp("ada", "ada@x.test");
    const { token } = await invite("olga", "ada@x.test", "member");
    await accept("ada", token);
    expect(await people()).toMatchObject({ ada: "admin" });
  });

  it.each(["", "nobody", "a b@x.test", `${"x".repeat(250)}@x.test`])("to %j is refused", async (email) => {
    await expect(invite("ada", email)).rejects.toMatchObject(
      refusedWith("invalid_request", { field: "email" }),
    );
  });

  it("belongs to its account", async () => {
    const otherId = await app.addAccount({ phoneNumberId: "900", phoneNumber: "+15550001111" });
    await app.join(otherId, "olga", "owner");
    const { id: inviteId } = await invite("ada", "new@x.test");
    const revoke = app.user("olga").mutation(api.invites.revoke, { accountId: otherId, inviteId });
    await expect(revoke).rejects.toMatchObject(refusedWith("not_found"));
  });
});
