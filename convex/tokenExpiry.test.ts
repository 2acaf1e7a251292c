import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NEEDED_TOKEN_SCOPES } from "#shared/domain/account-health";
import { type App, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";

const DAY = 86_400_000;
const SECOND = 1_000;

let app: App;
let accountId: Id<"accounts">;
/** What Meta says about the token: seconds, 0 for never; null while Meta is out of reach. */
let ends: { expires_at: number; data_access_expires_at: number } | null;

beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
  await app.join(accountId, "olga", "owner");
  app.graph.answerAlways(({ url }) => {
    if (ends === null) return new Response("", { status: 503 });
    if (!url.pathname.endsWith("/debug_token")) return app.graph.describe(url);
    return Response.json({ data: { is_valid: true, scopes: NEEDED_TOKEN_SCOPES, ...ends } });
  });
});
afterEach(closeApp);

/** A token that ends so many days after the start, and its access to data. */
const endsIn = (expires: number | null, dataAccess: number | null) => {
  const at = (days: number | null) => (days === null ? 0 : (START + days * DAY) / SECOND);
  ends = { expires_at: at(expires), data_access_expires_at: at(dataAccess) };
};
/** The cron, `days` after the start, and all that it starts. */
const sweepAt = async (days: number) => {
  await app.advance(START + days * DAY - Date.now());
  await app.backend.mutation(internal.accountHealth.sweep, {});
  await app.advance(10 * SECOND);
};
const warnings = async () =>
  (await app.rows("auditLog"))
    .filter(({ action }) => action === "account.token")
    .map(({ outcome }) => outcome);
const events = async () =>
  (await app.rows("webhookEvents"))
    .filter(({ type, body }) => type === "account.updated" && body.includes('"change":"token"'))
    .map(({ body }) => JSON.parse(body).payload.account.token);
const check = async (name: string) =>
  (await app.user("olga").query(api.accountHealth.get, { accountId })).checks.find(
    (row) => row.name === name,
  );

describe("a token that ends", () => {
  it("is told of 14, 7 and 1 day before, each once, with what mends it", async () => {
    endsIn(30, null);
    await sweepAt(1);
    expect(await app.rows("accounts")).toMatchObject([{ tokenExpiresAt: START + 30 * DAY }]);
    expect(await warnings()).toEqual([]);
    expect(await check("token")).toMatchObject({ state: "ok" });
    for (const day of [16.5, 17, 23.5, 24, 29.5, 29.7]) await sweepAt(day);
    expect(await warnings()).toEqual(["ends_within:14d", "ends_within:7d", "ends_within:1d"]);
    expect(await events()).toEqual(Array.from({ length: 3 }, () => ({ expiresAt: START + 30 * DAY })));
    expect(await check("token")).toEqual({
      name: "token",
      state: "warning",
      say: "The access token ends within a day.",
      fix: "rotate_token",
    });
    ends = null;
    await sweepAt(31);
    expect(await check("token")).toMatchObject({ state: "failed", fix: "rotate_token" });
  });

  it("is told of by the dates that are known, also while Meta is out of reach", async () => {
    endsIn(20, null);
    await sweepAt(1);
    ends = null;
    await sweepAt(14);
    expect(await warnings()).toEqual(["ends_within:7d"]);
    expect(await check("token")).toMatchObject({ state: "warning", fix: "rotate_token" });
  });

  it("is told of by its access to data, when that ends first", async () => {
    endsIn(60, 10);
    await sweepAt(1);
    expect(await warnings()).toEqual(["ends_within:14d"]);
    expect(await check("token")).toMatchObject({ state: "ok" });
    expect(await check("data_access")).toMatchObject({ state: "warning", fix: "rotate_token" });
  });

  it("is no matter any more once it was rotated, and of the new one is told anew", async () => {
    endsIn(10, null);
    await sweepAt(0);
    expect(await check("token")).toMatchObject({ state: "warning" });
    endsIn(null, null);
    const token = { accountId, accessToken: "new-token" };
    await app.user("olga").action(api.accountSettings.rotateAccessToken, token);
    await app.advance(10 * SECOND);
    expect(await check("token")).toMatchObject({ state: "ok" });
    expect((await app.rows("accounts"))[0]).not.toHaveProperty("tokenExpiresAt");
    endsIn(40, null);
    await sweepAt(1);
    await sweepAt(39.5);
    expect(await warnings()).toEqual(["ends_within:14d", "rotated", "ends_within:1d"]);
  });
});
