import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOUR_MS } from "#shared/time";
import { type App, closeApp, graphError, NUMBER, openApp, START } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { refuseTemplate, requireUsableTemplate } from "./model/templateReads";
import { findTemplate } from "./model/templates";

let app: App;
let accountId: Id<"accounts">;
/** What Meta's list holds now. */
let listed: object[];
let pages: (string | null)[];

const template = (name: string, more: object = {}) => ({
  id: `id-${name}`,
  name,
  language: "en_US",
  status: "APPROVED",
  category: "UTILITY",
  components: [{ type: "BODY", text: "Hi {{1}}, it is {{2}}.", example: { body_text: [["Ann", "ready"]] } }],
  ...more,
});

/** The list in pages of `rows`, as Meta serves it. */
const serveList = (rows: number) => {
  app.graph.answerAlways(({ url }) => {
    if (!url.pathname.endsWith("/message_templates"))
      return Response.json({ id: url.pathname.split("/").at(-1) });
    const after = url.searchParams.get("after");
    pages.push(after);
    const from = Number(after ?? 0);
    const next = from + rows < listed.length ? { next: "https://graph.facebook.com/next" } : {};
    const paging = { cursors: { after: String(from + rows) }, ...next };
    return Response.json({ data: listed.slice(from, from + rows), paging });
  });
};

beforeEach(async () => {
  app = openApp();
  listed = [];
  pages = [];
  serveList(100);
  accountId = await app.addAccount();
  await app.join(accountId, "ana");
});
afterEach(closeApp);

const names = async () => (await app.rows("templates")).map(({ name }) => name).sort();
const stored = async (name: string) => (await app.rows("templates")).find((row) => row.name === name);
/** Lets the list be read anew, as the cron does. */
const readAgain = async () => await app.advance(7 * HOUR_MS).then(sweep);
const sweep = async () => {
  await app.backend.mutation(internal.templates.sweep, {});
  await app.advance();
};

const tell = async (field: string, value: object, at = Date.now()) =>
  await app.deliver({
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, time: Math.floor(at / 1000), changes: [{ field, value }] }],
  });
const tellStatus = async (name: string, event: string, more: object = {}, at?: number) =>
  await tell(
    "message_template_status_update",
    { event, message_template_name: name, message_template_language: "en-US", reason: "NONE", ...more },
    at,
  );

describe("the copy of Meta's list", () => {
  it("is made when a number is connected, and tells what each template needs", async () => {
    listed = [template("order_ready"), template("broken", { components: [{ type: "HOLOGRAM" }] })];
    await app.advance(10_000);
    expect(await stored("order_ready")).toMatchObject({
      accountId,
      state: "approved",
      usable: true,
      preview: "Hi Ann, it is ready.",
      paramCount: 2,
      metaTemplateId: "id-order_ready",
    });
    expect(JSON.parse((await stored("order_ready"))?.paramsSchema ?? "")).toMatchObject({
      required: ["body"],
      properties: { body: { required: ["1", "2"] } },
    });
    expect(await stored("broken")).toMatchObject({ state: "approved", usable: false });
  });

  it("follows every page, changes what changed and removes what is gone", async () => {
    serveList(60);
    listed = Array.from({ length: 130 }, (_, n) => template(`t${String(n).padStart(3, "0")}`));
    await app.advance(10_000);
    expect(pages).toEqual([null, "60", "120"]);
    expect(await names()).toHaveLength(130);
    listed = [
      template("t000", { status: "REJECTED", rejected_reason: "SCAM" }),
      template("t129"),
      template("new"),
    ];
    await readAgain();
    expect(await names()).toEqual(["new", "t000", "t129"]);
    expect(await stored("t000")).toMatchObject({ state: "rejected", usable: false, rejectedReason: "SCAM" });
  });

  it("loses nothing when a run fails half-way, and is read again later", async () => {
    serveList(1);
    listed = [template("a"), template("b")];
    await app.advance(10_000);
    app.graph.answerAlways(graphError(190));
    await readAgain();
    expect(await names()).toEqual(["a", "b"]);
    const state = () => app.user("ana").query(api.templates.syncState, { accountId });
    expect(await state()).toMatchObject({ running: false, reason: "graph_190" });
    serveList(1);
    listed = [template("b")];
    await app.advance(2 * 60_000);
    await sweep();
    expect(await names()).toEqual(["b"]);
    expect(await state()).not.toHaveProperty("reason");
  });

  it("keeps what it has when the list goes round in circles", async () => {
    listed = [template("a"), template("b")];
    await app.advance(10_000);
    app.graph.answerAlways(() =>
      Response.json({
        data: [template("a")],
        paging: { cursors: { after: "same" }, next: "https://graph.facebook.com/next" },
      }),
    );
    await readAgain();
    expect(await names()).toEqual(["a", "b"]);
  });

  it("is written by one run at a time; a worker that was given up changes nothing any more", async () => {
    listed = [template("a")];
    await app.advance(10_000);
    await app.advance(7 * HOUR_MS);
    const claim = (token: string) => app.backend.mutation(internal.templates.claimSync, { accountId, token });
    expect(await claim("first")).toMatchObject({ wabaId: NUMBER.wabaId });
    expect(await claim("second")).toBeNull();
    await app.advance(2 * 60_000);
    expect(await claim("third")).not.toBeNull();
    const rows = [JSON.stringify(template("ghost"))];
    const write = (token: string) =>
      app.backend.mutation(internal.templates.applyRows, { accountId, token, rows, readAt: Date.now() });
    expect([await write("first"), await write("third")]).toEqual([false, true]);
    const report = { outcome: "read" as const, whole: true };
    await app.backend.mutation(internal.templates.finishSync, { accountId, token: "first", report });
    expect(await names()).toEqual(["a", "ghost"]);
  });

  it("is read at a member's wish, but not at every click", async () => {
    await app.advance(10_000);
    listed = [template("fresh")];
    const ask = () => app.user("ana").mutation(api.templates.requestSync, { accountId });
    expect(await ask()).toBeNull();
    await app.advance();
    expect(await names()).toEqual(["fresh"]);
    expect(await ask()).toMatchObject({ refused: true, reason: "rate_limited", retry_after_seconds: 30 });
    await app.advance(30_000);
    expect(await ask()).toBeNull();
  });
});

describe("an event of a webhook", () => {
  beforeEach(async () => {
    listed = [template("order_ready")];
    await app.advance(10_000);
  });

  it("pauses a template for as long as Meta says, and lets it be used again", async () => {
    await tellStatus("order_ready", "PAUSED", {
      other_info: { title: "FIRST_PAUSE", description: "Low quality." },
    });
    const at = Math.floor((START + 10_000) / 1000) * 1000;
    expect(await stored("order_ready")).toMatchObject({
      state: "paused",
      usable: false,
      pausedUntil: at + 3 * HOUR_MS,
      detail: "Low quality.",
    });
    await app.advance(60_000);
    await tellStatus("order_ready", "REINSTATED");
    expect(await stored("order_ready")).toMatchObject({
      state: "approved",
      status: "APPROVED",
      usable: true,
    });
    expect(await stored("order_ready")).not.toHaveProperty("pausedUntil");
    const events = (await app.rows("webhookEvents")).filter(({ type }) => type === "template.updated");
    expect(events.map(({ body }) => JSON.parse(body).payload.template.state)).toEqual(["paused", "approved"]);
  });

  it("changes nothing when it is older than what is known, and each number of the account hears it", async () => {
    const other = await app.addAccount({ phoneNumberId: "901", phoneNumber: "+15550002222" });
    await app.advance(10_000);
    await tellStatus("order_ready", "DISABLED", {}, Date.now());
    await tellStatus("order_ready", "APPROVED", {}, Date.now() - 60_000);
    expect((await app.rows("templates")).map((row) => [row.accountId, row.state])).toEqual([
      [accountId, "disabled"],
      [other, "disabled"],
    ]);
    await tell(
      "message_template_quality_update",
      {
        new_quality_score: "RED",
        message_template_name: "order_ready",
        message_template_language: "en_US",
      },
      Date.now() - 30_000,
    );
    expect(await stored("order_ready")).toMatchObject({ quality: "RED", state: "disabled" });
  });

  it("changes nothing of an account whose webhooks another secret signs", async () => {
    const foreign = await app.addAccount(
      { phoneNumberId: "902", phoneNumber: "+15550003333", name: "Other" },
      "another-secret",
    );
    await app.advance(10_000);
    await tellStatus("order_ready", "DISABLED");
    const states = (await app.rows("templates")).map((row) => [row.accountId, row.state]);
    expect(states).toContainEqual([accountId, "disabled"]);
    expect(states).toContainEqual([foreign, "approved"]);
  });

  it("with a word that is not known makes the template unusable until the list explains it", async () => {
    await tellStatus("order_ready", "SHADOW_REVIEW");
    expect(await stored("order_ready")).toMatchObject({
      state: "unknown",
      status: "SHADOW_REVIEW",
      usable: false,
    });
    await app.advance(10_000);
    expect(await stored("order_ready")).toMatchObject({ state: "approved", usable: true });
  });

  it("about a template that is not known, or whose text changed, has the list read once", async () => {
    pages = [];
    listed = [
      template("order_ready", { components: [{ type: "BODY", text: "New text" }] }),
      template("added"),
    ];
    await tellStatus("added", "APPROVED");
    await tell("message_template_components_update", {
      message_template_name: "order_ready",
      message_template_language: "en_US",
      message_template_element: "New text",
    });
    await app.advance(10_000);
    expect(pages).toEqual([null]);
    expect(await stored("order_ready")).toMatchObject({ preview: "New text", paramCount: 0 });
    expect(await names()).toEqual(["added", "order_ready"]);
  });

  it("is not undone by a page that was asked for before it", async () => {
    const token = "run";
    await app.advance(7 * HOUR_MS);
    await app.backend.mutation(internal.templates.claimSync, { accountId, token });
    const readAt = Date.now();
    await app.advance(1_000);
    await tellStatus("order_ready", "PAUSED", { other_info: { title: "SECOND_PAUSE" } });
    const rows = [JSON.stringify(template("order_ready"))];
    await app.backend.mutation(internal.templates.applyRows, { accountId, token, rows, readAt });
    expect(await stored("order_ready")).toMatchObject({ state: "paused", usable: false });
  });

  it("tells the new category, or the one that is announced", async () => {
    const about = { message_template_name: "order_ready", message_template_language: "en_US" };
    await tell("template_category_update", {
      ...about,
      new_category: "UTILITY",
      correct_category: "MARKETING",
    });
    expect(await stored("order_ready")).toMatchObject({ category: "UTILITY", correctCategory: "MARKETING" });
    await app.advance(1_000);
    await tell("template_category_update", {
      ...about,
      previous_category: "UTILITY",
      new_category: "MARKETING",
    });
    expect(await stored("order_ready")).toMatchObject({ category: "MARKETING" });
    expect(await stored("order_ready")).not.toHaveProperty("correctCategory");
  });
});

describe("a list of templates", () => {
  beforeEach(async () => {
    listed = [
      template("welcome", { category: "MARKETING" }),
      template("order_update", { language: "de" }),
      template("order_update"),
      template("order_shipped", { status: "PAUSED" }),
      template("receipt", { components: [{ type: "BODY", text: "Your invoice is attached." }] }),
    ];
    await app.advance(10_000);
  });

  const listFor = async (args: object) => {
    const { id } = await app.addKey(accountId, { scopes: ["templates:read"] });
    const answer = await app.key(id).query(api.mcp.listTemplates, args);
    if ("refused" in answer) throw new Error(answer.reason);
    return {
      names: answer.templates.map(({ name, language }) => `${name} ${language}`),
      next: answer.nextCursor,
    };
  };

  it("is filtered by Meta's words, and pages without loss or repetition", async () => {
    expect((await listFor({ status: "paused" })).names).toEqual(["order_shipped en_US"]);
    expect((await listFor({ category: "MARKETING" })).names).toEqual(["welcome en_US"]);
    expect((await listFor({ language: "en-US", category: "utility", status: "APPROVED" })).names).toEqual([
      "order_update en_US",
      "receipt en_US",
    ]);
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await listFor({ limit: 2, ...(cursor !== "" && { cursor }) });
      seen.push(...page.names);
      cursor = page.next;
    }
    expect(seen).toEqual([
      "order_shipped en_US",
      "order_update de",
      "order_update en_US",
      "receipt en_US",
      "welcome en_US",
    ]);
    await expect(listFor({ cursor: "nonsense" })).rejects.toThrow(/cursor/);
  });

  it("finds templates by the words of their text and name", async () => {
    expect((await listFor({ query: "invoice" })).names).toEqual(["receipt en_US"]);
    expect((await listFor({ query: "welcome" })).names[0]).toBe("welcome en_US");
  });

  it("offers the likeliest usable ones in the place of one that cannot be sent", async () => {
    const decide = (hint: { name: string; language: string }) =>
      app.backend.run(async (ctx) => await requireUsableTemplate(ctx, accountId, hint));
    expect(await decide({ name: "order_update", language: "en-US" })).toMatchObject({
      template: { language: "en_US" },
    });
    const unknown = await decide({ name: "order_updates", language: "de" });
    expect(unknown).toMatchObject({
      reason: "template_unknown",
      templates: [
        { name: "order_update", language: "de" },
        { name: "order_update", language: "en_US" },
        expect.anything(),
        expect.anything(),
      ],
    });
    expect(JSON.stringify(unknown)).not.toContain("order_shipped");
    expect(await decide({ name: "order_shipped", language: "en_US" })).toMatchObject({
      reason: "template_paused",
    });
    const params = await app.backend.run(
      async (ctx) =>
        await refuseTemplate(
          ctx,
          accountId,
          { name: "order_update", language: "de" },
          "template_params",
          "body.2",
        ),
    );
    expect(params).toMatchObject({ reason: "template_params", message: "body.2" });
  });

  it("belongs to its account alone", async () => {
    const other = await app.addAccount({ phoneNumberId: "901", phoneNumber: "+15550002222", wabaId: "77" });
    listed = [];
    await app.advance(10_000);
    const found = await app.backend.run(async (ctx) => await findTemplate(ctx, other, "order_update", "de"));
    expect(found).toBeNull();
    const { templates } = await app.user("ana").query(api.templates.list, { accountId });
    expect(templates).toHaveLength(5);
  });
});
