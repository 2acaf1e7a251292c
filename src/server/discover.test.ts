import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { api, internal } from "../../convex/_generated/api";
import { type InProcess, startInProcess } from "../../tests/support/in-process";

/** Finding and connecting numbers as a person does, against the real simulator over a real socket. */

const WABA = "102290129340398";
const NUMBER = "106540352242922";
const APP = "670843887433847";
const BACK = "http://localhost:3000/connect/back";

let product: InProcess;
beforeAll(async () => {
  product = await startInProcess({ FACEBOOK_APP_ID: APP });
});
afterAll(() => product.stop());

beforeEach(async () => {
  await fetch(`${product.simulator.url}/_sim/reset`, { method: "POST", body: "{}" });
  await product.backend.t.run(async (ctx) => {
    for (const row of await ctx.db.query("accounts").collect()) await ctx.db.delete(row._id);
    for (const row of await ctx.db.query("accountMembers").collect()) await ctx.db.delete(row._id);
  });
});

const as = (subject: string) => product.backend.t.withIdentity({ subject, use: "user" });
const byToken = { kind: "token", accessToken: "sim-access-token" } as const;
const discover = async (who = "olga", credential: Parameters<typeof call>[1] = byToken) =>
  await call(who, credential);
const call = (
  who: string,
  credential: { kind: "token"; accessToken: string } | { kind: "code"; code: string; redirectUrl?: string },
) => as(who).action(api.accounts.discover, { credential });
const connect = async (who: string, numbers: { wabaId: string; phoneNumberId: string; pin?: string }[]) => {
  const { grant } = await discover(who);
  return await as(who).action(api.accounts.import, { grant, numbers });
};
const own = { wabaId: WABA, phoneNumberId: NUMBER };
const accounts = async () =>
  await product.backend.t.run(async (ctx) => await ctx.db.query("accounts").collect());
const connectionOf = async (who: string) =>
  (await discover(who)).accounts
    .flatMap(({ numbers }) => numbers)
    .find((row) => row.phoneNumberId === NUMBER);

/** What the browser does in Meta's dialog: agree, and come back with a code. */
async function loginCode(query: Record<string, string>): Promise<Response> {
  const form = new URLSearchParams({ action: "continue", waba: WABA });
  const scopes = ["business_management", "whatsapp_business_management", "whatsapp_business_messaging"];
  for (const scope of scopes) form.append("scope", scope);
  const search = new URLSearchParams({
    client_id: APP,
    state: "state",
    response_type: "code",
    scope: scopes.join(","),
    ...query,
  });
  const dialog = `${product.simulator.url}/v25.0/dialog/oauth?${search}`;
  return await fetch(dialog, { method: "POST", body: form, redirect: "manual" });
}

describe("looking for numbers", () => {
  it("lists the accounts of the person's businesses with their numbers", async () => {
    const found = await discover();
    expect(found.complete).toBe(true);
    const account = found.accounts.find(({ wabaId }) => wabaId === WABA);
    expect(account).toMatchObject({ name: expect.any(String), business: { name: "Lucky Shrub" } });
    expect(account?.numbers).toContainEqual(
      expect.objectContaining({
        phoneNumberId: NUMBER,
        phoneNumber: "+1 555-078-3881",
        connection: "free",
      }),
    );
  });

  it("works with the code of the login dialog, once", async () => {
    const location = (await loginCode({ redirect_uri: BACK })).headers.get("location") ?? "";
    const code = new URL(location).searchParams.get("code") ?? "";
    const credential = { kind: "code", code, redirectUrl: BACK } as const;
    const { grant } = await discover("olga", credential);
    await expect(discover("olga", credential)).rejects.toMatchObject({ data: { code: expect.any(String) } });
    const [connected] = await as("olga").action(api.accounts.import, { grant, numbers: [own] });
    expect(connected).toMatchObject({ outcome: "connected" });
    const [account] = await accounts();
    // The dialog's token lives an hour or two; it was exchanged for a lasting one.
    expect(account?.tokenExpiresAt).toBeGreaterThan(Date.now() + 30 * 24 * 60 * 60 * 1000);
    expect(account?.dataAccessExpiresAt).toBeGreaterThan(Date.now() + 30 * 24 * 60 * 60 * 1000);
  });

  it("works with the code of the Embedded Signup window", async () => {
    const window = await loginCode({ display: "popup", origin: "http://localhost:3000", redirect_uri: "" });
    const text = (await window.text()).replaceAll("&quot;", '"');
    const { messages } = z
      .object({ messages: z.array(z.string()) })
      .parse(JSON.parse(/data-result="(\{.*\})">/.exec(text)?.[1] ?? "{}"));
    const { code } = z.object({ code: z.string() }).parse(JSON.parse(messages[1] ?? "{}"));
    const found = await discover("olga", { kind: "code", code });
    expect(found.accounts.map(({ wabaId }) => wabaId)).toContain(WABA);
  });

  it.each([
    ["a token that is none", { kind: "token", accessToken: "nonsense" }, "whatsapp_auth"],
    ["an empty token", { kind: "token", accessToken: " " }, "invalid_request"],
  ] as const)("is refused with %s", async (_, credential, code) => {
    await expect(discover("olga", credential)).rejects.toMatchObject({ data: { code } });
  });

  it("tells a member what is connected, and everybody else only that it cannot be had", async () => {
    await connect("olga", [own]);
    const [account] = await accounts();
    expect(await connectionOf("olga")).toMatchObject({ connection: "connected", accountId: account?._id });
    const foreign = await connectionOf("eve");
    expect(foreign).toMatchObject({ connection: "unavailable" });
    expect(foreign).not.toHaveProperty("accountId");
  });

  it("is for signed-in people only", async () => {
    const anonymous = product.backend.t.action(api.accounts.discover, { credential: byToken });
    await expect(anonymous).rejects.toMatchObject({ data: { code: "unauthorized" } });
  });
});

describe("connecting what was found", () => {
  it("makes the person its owner and lets its webhooks come", async () => {
    const [connected] = await connect("olga", [{ ...own, pin: "123456" }]);
    expect(connected).toMatchObject({ outcome: "connected", subscribeProblem: null });
    const [account] = await accounts();
    if (account === undefined) throw new Error("No account was stored.");
    expect(account).toMatchObject({ name: "Lucky Shrub", phoneNumber: "+15550783881", state: "active" });
    expect(await as("olga").query(api.accounts.list, {})).toMatchObject([{ role: "owner" }]);
    const health = await product.backend.t.action(internal.accountHealth.check, {
      accountId: account._id,
    });
    expect(health?.checks.find(({ name }) => name === "subscription")).toMatchObject({ state: "ok" });
  });

  it("refuses one and connects the other", async () => {
    const foreign = { wabaId: WABA, phoneNumberId: "999999999999999" };
    const results = await connect("olga", [foreign, own, own]);
    expect(results).toMatchObject([
      { outcome: "refused", problem: { code: "whatsapp_permission" } },
      { outcome: "connected" },
      { outcome: "refused", problem: { code: "already_exists" } },
    ]);
    expect(await accounts()).toHaveLength(1);
  });

  it("takes the grant of nobody else, and no other text", async () => {
    const { grant } = await discover("olga");
    for (const [who, text] of [
      ["eve", grant],
      ["olga", `${grant}x`],
      ["olga", ""],
    ] as const) {
      const attempt = as(who).action(api.accounts.import, { grant: text, numbers: [own] });
      await expect(attempt).rejects.toMatchObject({ data: { code: "invalid_request", field: "grant" } });
    }
    expect(await accounts()).toEqual([]);
  });

  it("leaves the token nowhere in the open", async () => {
    const found = await discover("olga");
    await as("olga").action(api.accounts.import, { grant: found.grant, numbers: [own] });
    const stored = await product.backend.t.run(async (ctx) => [
      await ctx.db.query("accounts").collect(),
      await ctx.db.query("auditLog").collect(),
      await ctx.db.system.query("_scheduled_functions").collect(),
    ]);
    expect(JSON.stringify([found, stored])).not.toContain("sim-access-token");
  });

  it("also works by the ids alone", async () => {
    const added = await as("olga").action(api.accounts.add, { ...own, accessToken: "sim-access-token" });
    expect(added).toMatchObject({ outcome: "connected" });
    const again = as("eve").action(api.accounts.add, { ...own, accessToken: "sim-access-token" });
    await expect(again).rejects.toMatchObject({ data: { code: "already_exists" } });
  });
});
