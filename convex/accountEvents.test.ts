import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type App, closeApp, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { applyNumberEvent, type NumberEvent, pauseSending, resumeSending } from "./model/accountEvents";

const HOUR = 3_600_000;

let app: App;
let accountId: Id<"accounts">;
beforeEach(async () => {
  app = openApp();
  accountId = await app.addAccount();
});
afterEach(closeApp);

const account = async () => {
  const [row] = await app.rows("accounts");
  if (row === undefined) throw new Error("The account is gone.");
  return row;
};

const tell = async (...events: NumberEvent[]) => {
  for (const event of events) {
    const row = await account();
    await app.backend.run(async (ctx) => await applyNumberEvent(ctx, row, event, Date.now()));
  }
};

const accountEvent = (event: string, more: Partial<Extract<NumberEvent, { type: "account" }>> = {}) => {
  return { type: "account" as const, event, restrictions: [], ...more };
};

describe("what Meta tells about a number", () => {
  const facts: [string, NumberEvent[], object][] = [
    [
      "a flag and a limit",
      [{ type: "numberQuality", event: "FLAGGED", limit: "TIER_2K" }],
      { status: "FLAGGED", quality: "RED", messagingLimit: "TIER_2K" },
    ],
    [
      "a flag that is taken back",
      [
        { type: "numberQuality", event: "FLAGGED" },
        { type: "numberQuality", event: "UNFLAGGED" },
      ],
      { status: "CONNECTED" },
    ],
    ["more throughput", [{ type: "numberQuality", event: "THROUGHPUT_UPGRADE" }], { throughput: "HIGH" }],
    [
      "an approved name",
      [{ type: "numberName", decision: "APPROVED", requestedName: "Bakery & Sons" }],
      { nameStatus: "APPROVED", verifiedName: "Bakery & Sons" },
    ],
    [
      "a refused name, which is not shown",
      [{ type: "numberName", decision: "REJECTED", requestedName: "Bakery & Sons" }],
      { nameStatus: "DECLINED" },
    ],
    ["a new PIN", [{ type: "numberPin", event: "PIN_CHANGED" }], { isPinSet: true }],
    [
      "a username",
      [{ type: "numberUsername", status: "approved", username: "bakery" }],
      { username: "bakery" },
    ],
    ["a new tier", [{ type: "capability", conversationsPerDayMax: 10_000 }], { messagingLimit: "TIER_10K" }],
    ["a review", [accountEvent("REVIEW_APPROVED")], { reviewStatus: "APPROVED" }],
    ["a violation", [accountEvent("ACCOUNT_VIOLATION", { violation: "SPAM" })], { violation: "SPAM" }],
  ];

  it.each(facts)("%s is a fact on its row", async (_, events, expected) => {
    await tell(...events);
    expect((await account()).number).toMatchObject({ ...expected, updatedAt: START });
  });

  it("a username that was deleted is gone", async () => {
    await tell(
      { type: "numberUsername", status: "approved", username: "bakery" },
      { type: "numberUsername", status: "deleted" },
    );
    expect((await account()).number).toEqual({ updatedAt: START });
  });

  it("told again changes nothing, not even the time", async () => {
    await tell({ type: "numberQuality", event: "FLAGGED", limit: "TIER_2K" });
    const before = await account();
    await app.advance(HOUR);
    await tell({ type: "numberQuality", event: "FLAGGED", limit: "TIER_2K" });
    expect(await account()).toEqual(before);
  });

  it("about another account of the same portfolio changes nothing", async () => {
    const before = await account();
    await tell(accountEvent("PARTNER_REMOVED", { accountWabaId: "999" }));
    expect(await account()).toEqual(before);
  });
});

describe("the stream of events", () => {
  const news = async () =>
    (await app.rows("webhookEvents")).map(({ body, eventId }) => ({ eventId, ...JSON.parse(body) }));

  it("tells each change of the number and of sending once, without a secret", async () => {
    await tell({ type: "numberQuality", event: "FLAGGED" }, { type: "numberQuality", event: "FLAGGED" });
    await tell(accountEvent("PARTNER_REMOVED"), accountEvent("PARTNER_REMOVED"));
    expect(await news()).toMatchObject([
      {
        type: "account.updated",
        source: "meta_webhook",
        occurredAt: START,
        payload: { change: "number", account: { number: { quality: "RED" }, sending: { state: "active" } } },
      },
      {
        source: "pons",
        payload: { change: "sending", account: { sending: { state: "paused", reason: "access_removed" } } },
      },
    ]);
    const { accessTokenSealed, sealId } = await account();
    for (const secret of [accessTokenSealed, sealId]) {
      expect(JSON.stringify(await news())).not.toContain(secret);
    }
  });

  it("names what Meta told by Meta's time, so that a restore tells the same fact", async () => {
    const row = await account();
    const event: NumberEvent = { type: "numberQuality", event: "FLAGGED" };
    const told = async () =>
      await app.backend.run(async (ctx) => await applyNumberEvent(ctx, row, event, Date.now(), START - HOUR));
    await told();
    await app.backend.run(async (ctx) => await ctx.db.patch(accountId, { number: undefined }));
    await app.advance(HOUR);
    await told();
    expect(await news()).toMatchObject([{ occurredAt: START - HOUR }]);
  });

  it("tells that the account left and came back", async () => {
    await app.join(accountId, "olga", "owner");
    app.graph.answerAlways(({ method, url }) =>
      method === "GET" ? app.graph.describe(url) : Response.json({ success: true }),
    );
    await app.user("olga").action(api.accountSettings.detach, { accountId });
    await app.user("olga").action(api.accountSettings.reattach, { accountId });
    const states = (await news()).map(({ payload }) => payload.account.state);
    expect(states).toEqual(["detached", "connecting", "active"]);
  });
});

describe("coming back", () => {
  const change = async (event: "detach" | "reattach" | "ready") =>
    await app.backend.mutation(internal.accountLink.changeState, {
      actor: { kind: "admin" },
      accountId,
      event,
    });

  it("ends detached when the action that connects was lost", async () => {
    await change("detach");
    await change("reattach");
    expect((await account()).state).toBe("connecting");
    await app.advance(HOUR);
    expect((await account()).state).toBe("detached");
  });

  it("is not undone by the timer of an attempt that is over", async () => {
    await change("detach");
    await change("reattach");
    await change("ready");
    await app.advance(HOUR);
    expect((await account()).state).toBe("active");
  });
});

describe("sending", () => {
  it.each([
    ["a ban", { banState: "DISABLE" }, "DISABLED_UPDATE", "account_banned"],
    ["a lost access", {}, "PARTNER_REMOVED", "access_removed"],
  ])("stops with %s", async (_, more, event, reason) => {
    await tell(accountEvent(event, more));
    expect((await account()).sending).toEqual({ state: "paused", reason, at: START });
  });

  it.each([
    ["DISABLED_UPDATE", { banState: "DISABLE" }, "DISABLED_UPDATE", { banState: "REINSTATE" }],
    ["ACCOUNT_OFFBOARDED", {}, "ACCOUNT_RECONNECTED", {}],
  ])("stopped by %s %o begins again with %s %o", async (stop, stopMore, start, startMore) => {
    await tell(accountEvent(stop, stopMore), accountEvent(start, startMore));
    expect((await account()).sending).toEqual({ state: "active", at: START });
    expect((await account()).number?.banState).toBeUndefined();
  });

  it("stopped by a restriction begins again when its time is over", async () => {
    const restrictions = [
      { type: "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", expiresAtMs: START + HOUR },
      { type: "RESTRICTED_ADD_PHONE_NUMBER_ACTION" },
    ];
    await tell(accountEvent("ACCOUNT_RESTRICTION", { restrictions }));
    expect((await account()).sending).toMatchObject({ state: "paused", reason: "account_restricted" });
    await app.advance(HOUR);
    expect(await account()).toMatchObject({
      sending: { state: "active" },
      number: { restrictions: [{ type: "RESTRICTED_ADD_PHONE_NUMBER_ACTION" }] },
    });
  });

  it("goes on when only the first word to a customer is forbidden", async () => {
    const restrictions = [{ type: "RESTRICTED_BIZ_INITIATED_MESSAGING", expiresAtMs: START + HOUR }];
    await tell(accountEvent("ACCOUNT_RESTRICTION", { restrictions }));
    expect((await account()).sending).toBeUndefined();
  });

  it("stopped by a person is not begun again by the end of another reason", async () => {
    await app.backend.run(async (ctx) => {
      await pauseSending(ctx, accountId, "person", Date.now());
      await pauseSending(ctx, accountId, "token_invalid", Date.now());
      await resumeSending(ctx, accountId, Date.now(), "token_invalid");
    });
    expect((await account()).sending).toMatchObject({ state: "paused", reason: "person" });
    await app.backend.run(async (ctx) => await resumeSending(ctx, accountId, Date.now()));
    expect((await account()).sending).toMatchObject({ state: "active" });
  });
});
