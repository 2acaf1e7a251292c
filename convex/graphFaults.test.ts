import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toHex } from "#shared/bytes";
import { GRAPH_DEADLINE_MS } from "#shared/domain/limits";
import { HOUR_MS, MINUTE_MS } from "#shared/time";
import { LOGIN_SCOPES } from "#shared/whatsapp/client-login";
import { type App, CUSTOMER, closeApp, NUMBER, networkError, openApp } from "../tests/support/convex-app";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { DOWNLOAD_DEADLINE_MS } from "./model/mediaDownload";

/**
 * Every call to Meta's Graph beside the sending of a message (which `sending.test.ts` has), and everything that its
 * answer may be but right. A wrong answer is never taken for a right one, nothing that is known is lost by it, and when
 * Meta answers well again the work is done.
 */
const FILE = new Uint8Array([
  0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
]);
const LINK = "http://127.0.0.1:4004/media/m1";

type Call = { method: string; url: URL; body: unknown };
type Answer = (call: Call) => Response | Promise<Response>;

/** Longer than the longest deadline of a call, those of files included. */
const silent: Answer = () => {
  vi.advanceTimersByTime(Math.max(DOWNLOAD_DEADLINE_MS, GRAPH_DEADLINE_MS));
  return new Promise(() => undefined);
};
const dripping: Answer = () => {
  const first = new TextEncoder().encode('{"data":');
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(first);
      setTimeout(() => vi.advanceTimersByTime(Math.max(DOWNLOAD_DEADLINE_MS, GRAPH_DEADLINE_MS)), 0);
      vi.advanceTimersByTime(0);
    },
  });
  return new Response(body);
};
const text = (body: string, status = 200): Answer => {
  return () => new Response(body, { status });
};
const FAULTS: [name: string, answer: Answer][] = [
  ["a page of HTML in place of JSON", text("<!doctype html><title>Sorry</title>")],
  ["a page of HTML as a 502", text("<html>Bad gateway</html>", 502)],
  ["nothing at all", text("")],
  ["JSON that is cut off", text('{"data": [{"id": "1')],
  ["an object that says nothing", text("{}")],
  ["an object with nothing in it", text('{"data": {}, "block_users": {}, "error": null}')],
  ["a list in place of an object", text("[1, null, {}]")],
  [
    "values of other kinds",
    text('{"id": {}, "url": 7, "success": "yes", "data": "none", "block_users": []}'),
  ],
  ["an error without a code", text('{"error": {"message": "?"}}', 500)],
  ["silence until its time is over", silent],
  ["a beginning, and then silence", dripping],
  ["a broken connection", networkError("ECONNRESET")],
  ["a refused connection", networkError("ECONNREFUSED")],
];

let app: App;
let accountId: Id<"accounts">;
/** The calls that are answered wrongly, and how. */
let fault: { on: (call: Call) => boolean; answer: Answer } | null;
let templates: object[];
let listed: Set<string>;
let digest: string;

/** Meta when all is well. */
const good: Answer = (call) => {
  const { method, url, body } = call;
  const path = url.pathname.replace("/v25.0", "");
  if (url.href === LINK) return new Response(FILE);
  if (path === "/m1") return Response.json({ id: "m1", url: LINK, sha256: digest, file_size: FILE.length });
  if (path === "/debug_token")
    return Response.json({ data: { is_valid: true, scopes: LOGIN_SCOPES, expires_at: 1_800_000_000 } });
  if (path.endsWith("/message_templates")) return Response.json({ data: templates });
  if (path.endsWith("/block_users")) {
    const [{ user }] = (body as { block_users: [{ user: string }] }).block_users;
    if (method === "POST") listed.add(user);
    return Response.json({ block_users: { added_users: [{ input: user }] } });
  }
  if (path.endsWith("/media")) return Response.json({ id: "uploaded1" });
  if (path === "/me/businesses") return Response.json({ data: [] });
  if (path.endsWith("/messages"))
    return (body as { status?: string }).status === "read"
      ? Response.json({ success: true })
      : app.graph.accept(call);
  if (path.endsWith("/subscribed_apps") && method === "GET")
    return Response.json({ data: [{ whatsapp_business_api_data: { id: "1", name: "Pons" } }] });
  return method === "GET" ? app.graph.describe(url) : Response.json({ success: true });
};

beforeEach(async () => {
  app = openApp();
  fault = null;
  listed = new Set();
  templates = [template("first")];
  digest = toHex(await crypto.subtle.digest("SHA-256", FILE));
  app.graph.answerAlways((call) => (fault?.on(call) ? fault.answer(call) : good(call)));
  accountId = (
    await app.backend.action(internal.accountsAdmin.add, {
      ...NUMBER,
      accessToken: "t",
      appSecret: "bakery-app-secret",
    })
  ).id;
  await app.join(accountId, "ana", "owner");
  await app.receive("Hello");
  // The list of templates is read a few seconds after the number was connected.
  await app.advance(MINUTE_MS);
});
afterEach(closeApp);

const ana = () => app.user("ana");
const template = (name: string) => ({
  ...{ id: name, name, language: "en_US", status: "APPROVED", category: "UTILITY" },
  components: [{ type: "BODY", text: "Hi" }],
});
const first = async <Row>(rows: Promise<Row[]>): Promise<Row> => {
  const [row] = await rows;
  if (row === undefined) throw new Error("There is no row.");
  return row;
};
const codeOf = async (act: Promise<unknown>): Promise<string> => {
  try {
    await act;
    return "done";
  } catch (error) {
    const data = error instanceof Error && "data" in error ? error.data : undefined;
    const read = typeof data === "string" ? JSON.parse(data) : data;
    return String((read as { code?: string } | undefined)?.code ?? error);
  }
};
const passTime = async (hours: number) => {
  for (let quarter = 0; quarter < hours * 4; quarter++) await app.advance(15 * MINUTE_MS);
};
const check = async (name: string) =>
  (await ana().query(api.accountHealth.get, { accountId })).checks.find((row) => row.name === name)?.state;
const newest = async () => (await app.rows("messages")).at(-1);
const receiveImage = async () => {
  const image = { id: "m1", mime_type: "image/jpeg" };
  const message = { from: CUSTOMER, id: "wamid.IMAGE", timestamp: String(Math.floor(Date.now() / 1000)) };
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550783881", phone_number_id: NUMBER.phoneNumberId },
    contacts: [{ profile: { name: "Sheena" }, wa_id: CUSTOMER }],
    messages: [{ ...message, type: "image", image }],
  };
  await app.deliver({
    object: "whatsapp_business_account",
    entry: [{ id: NUMBER.wabaId, changes: [{ field: "messages", value }] }],
  });
  await app.advance();
};
const addSecond = async () =>
  await codeOf(ana().action(api.accounts.add, { wabaId: "102", phoneNumberId: "902", accessToken: "t" }));
const discover = async () => {
  const credential = { kind: "token" as const, accessToken: "t" };
  return await codeOf(ana().action(api.accounts.discover, { credential }));
};
const accounts = async () => (await app.rows("accounts")).length;

const ending =
  (path: string, method = "GET") =>
  (call: Call) =>
    call.method === method && call.url.pathname.endsWith(path);

/**
 * For each call which it is, what asks for it, what may be seen while it is answered wrongly, and, when Meta answers
 * well again, what was to be done.
 */
const CALLS: {
  name: string;
  on: (call: Call) => boolean;
  act: () => Promise<unknown>;
  wrong: () => Promise<unknown>;
  expectWrong: unknown;
  mend: () => Promise<unknown>;
  right: () => Promise<unknown>;
  expectRight: unknown;
}[] = [
  {
    name: "the block list",
    on: ending("/block_users", "POST"),
    act: async () => {
      const { _id: contactId } = await first(app.rows("contacts"));
      await ana().mutation(api.consent.setBlocked, { accountId, contactId, blocked: true });
      await app.advance();
    },
    wrong: async () => [(await first(app.rows("consentStates"))).remoteBlock?.state, [...listed]],
    expectWrong: ["pending", []],
    mend: async () => await passTime(2),
    right: async () => [(await first(app.rows("consentStates"))).remoteBlock?.state, [...listed]],
    expectRight: ["done", [`+${CUSTOMER}`]],
  },
  {
    name: "the list of templates",
    on: ending("/message_templates"),
    act: async () => {
      templates = [template("second")];
      await app.advance(7 * HOUR_MS);
      await app.backend.mutation(internal.templates.sweep, {});
      await app.advance();
    },
    wrong: async () => [
      (await app.rows("templates")).map(({ name }) => name),
      (await ana().query(api.templates.syncState, { accountId })).reason !== undefined,
    ],
    expectWrong: [["first"], true],
    mend: async () => {
      await app.advance(7 * HOUR_MS);
      await app.backend.mutation(internal.templates.sweep, {});
      await app.advance();
    },
    right: async () => (await app.rows("templates")).map(({ name }) => name),
    expectRight: ["second"],
  },
  {
    name: "the link of a file",
    on: ending("/m1"),
    act: receiveImage,
    wrong: async () => (await newest())?.media?.state,
    expectWrong: "pending",
    mend: async () => await passTime(1),
    right: async () => (await newest())?.media?.state,
    expectRight: "ready",
  },
  {
    name: "the bytes of a file",
    on: ({ url }) => url.href === LINK,
    act: receiveImage,
    wrong: async () => (await newest())?.media?.state,
    expectWrong: "pending",
    mend: async () => await passTime(1),
    right: async () => [(await newest())?.media?.state, (await newest())?.media?.bytes],
    expectRight: ["ready", FILE.length],
  },
  {
    name: "the upload of a file",
    on: ending("/media", "POST"),
    act: async () => {
      const begun = await ana().mutation(api.uploads.begin, { accountId, kind: "image" });
      if ("refused" in begun) throw new Error(begun.reason);
      const { uploadId } = begun;
      const storageId = await app.backend.run(async (ctx) => await ctx.storage.store(new Blob([FILE])));
      await ana().mutation(api.uploads.finish, { accountId, uploadId, storageId });
      await app.advance();
      const { _id: conversationId } = await first(app.rows("conversations"));
      await ana().mutation(api.messages.sendMedia, {
        ...{ accountId, conversationId, media: "image", file: { uploadId }, clientRequestId: "r1" },
      });
      await app.advance();
    },
    wrong: async () => [(await newest())?.status, app.graph.sends.length],
    expectWrong: ["queued", 0],
    mend: async () => await app.advance(5 * MINUTE_MS),
    right: async () => [(await newest())?.status, app.graph.sends.map(({ image }) => image)],
    expectRight: ["sent", [{ id: "uploaded1" }]],
  },
  {
    name: "the registration of a number",
    on: ending("/register", "POST"),
    act: async () => undefined,
    wrong: async () => await codeOf(ana().action(api.accountSettings.register, { accountId, pin: "123456" })),
    expectWrong: "whatsapp_unreachable",
    mend: async () => undefined,
    right: async () => await codeOf(ana().action(api.accountSettings.register, { accountId, pin: "123456" })),
    expectRight: "done",
  },
  {
    name: "the subscription of the app",
    on: ending("/subscribed_apps", "POST"),
    act: async () => undefined,
    wrong: async () => await codeOf(ana().action(api.accountSettings.subscribe, { accountId })),
    expectWrong: "whatsapp_unreachable",
    mend: async () => undefined,
    right: async () => await codeOf(ana().action(api.accountSettings.subscribe, { accountId })),
    expectRight: "done",
  },
  {
    // Nobody is kept from leaving by a Meta that does not answer.
    name: "the end of the subscription",
    on: ending("/subscribed_apps", "DELETE"),
    act: async () => undefined,
    wrong: async () => [
      await ana().action(api.accountSettings.detach, { accountId }),
      (await first(app.rows("accounts"))).state,
    ],
    expectWrong: [{ unsubscribed: false }, "detached"],
    mend: async () => await codeOf(ana().action(api.accountSettings.reattach, { accountId })),
    right: async () => await ana().action(api.accountSettings.detach, { accountId }),
    expectRight: { unsubscribed: true },
  },
  {
    name: "a read receipt",
    on: ending("/messages", "POST"),
    act: async () => {
      const { _id: conversationId } = await first(app.rows("conversations"));
      await ana().mutation(api.messages.markAsRead, { accountId, conversationId });
      await app.advance();
    },
    wrong: async () => (await first(app.rows("readMarks"))).markedWamid,
    expectWrong: undefined,
    mend: async () => await app.advance(5 * MINUTE_MS),
    right: async () => (await first(app.rows("readMarks"))).markedWamid !== undefined,
    expectRight: true,
  },
  {
    name: "the list of businesses that a token shows",
    on: ending("/me/businesses"),
    act: async () => undefined,
    wrong: async () => await discover(),
    expectWrong: "whatsapp_unreachable",
    mend: async () => undefined,
    right: async () => await discover(),
    expectRight: "done",
  },
  {
    name: "the look at a number that is being connected",
    on: ending("/902"),
    act: async () => app.graph.numbers.set("902", "+15550009902"),
    wrong: async () => [await addSecond(), await accounts()],
    expectWrong: ["whatsapp_unreachable", 1],
    mend: async () => undefined,
    right: async () => [await addSecond(), await accounts()],
    expectRight: ["done", 2],
  },
  {
    name: "the list of an account's numbers",
    on: ending("/phone_numbers"),
    act: async () => app.graph.numbers.set("902", "+15550009902"),
    wrong: async () => [await addSecond(), await accounts()],
    expectWrong: ["whatsapp_unreachable", 1],
    mend: async () => undefined,
    right: async () => [await addSecond(), await accounts()],
    expectRight: ["done", 2],
  },
  {
    // Not every token may ask about itself: what matters was proven before, and nothing is concluded from it.
    name: "the question about a token",
    on: ending("/debug_token"),
    act: async () => await ana().action(api.accountHealth.refresh, { accountId }),
    wrong: async () => [
      await check("token"),
      await check("scopes"),
      (await first(app.rows("accounts"))).sending,
    ],
    expectWrong: ["ok", "unknown", undefined],
    mend: async () => await ana().action(api.accountHealth.refresh, { accountId }),
    right: async () => [await check("token"), await check("scopes")],
    expectRight: ["ok", "ok"],
  },
  {
    name: "the health of a number",
    on: ending(`/${NUMBER.phoneNumberId}`),
    act: async () => await ana().action(api.accountHealth.refresh, { accountId }),
    wrong: async () => [await check("number"), (await first(app.rows("accounts"))).sending],
    expectWrong: ["unknown", undefined],
    mend: async () => await ana().action(api.accountHealth.refresh, { accountId }),
    right: async () => await check("number"),
    expectRight: "ok",
  },
  {
    name: "the look at the subscription",
    on: ending("/subscribed_apps"),
    act: async () => await ana().action(api.accountHealth.refresh, { accountId }),
    wrong: async () => await check("subscription"),
    expectWrong: "unknown",
    mend: async () => await ana().action(api.accountHealth.refresh, { accountId }),
    right: async () => await check("subscription"),
    expectRight: "ok",
  },
];

/** Meta's answer comes, and comes again; or two workers, or two clicks, ask at the same time. */
describe("asked twice at once", () => {
  const calls = (path: string, method: string) =>
    app.graph.calls.filter((call) => call.method === method && call.url.pathname.endsWith(path)).length;
  const onceMore = async (count: () => number, act: () => Promise<unknown>) => {
    const before = count();
    await act();
    return count() - before;
  };

  it("the block list is told once", async () => {
    const { _id: contactId } = await first(app.rows("contacts"));
    await ana().mutation(api.consent.setBlocked, { accountId, contactId, blocked: true });
    const push = () => app.backend.action(internal.consent.pushBlock, { contactId });
    const told = () => calls("/block_users", "POST");
    expect(await onceMore(told, async () => await Promise.all([push(), push()]))).toBe(1);
  });

  it("the list of templates is read once, and a template that it names twice is one", async () => {
    templates = [template("first"), template("first")];
    await app.advance(7 * HOUR_MS);
    const sync = () => app.backend.action(internal.templates.sync, { accountId });
    const read = () => calls("/message_templates", "GET");
    expect(await onceMore(read, async () => await Promise.all([sync(), sync()]))).toBe(1);
    expect((await app.rows("templates")).map(({ name }) => name)).toEqual(["first"]);
  });

  it("a file is fetched once and stored once", async () => {
    fault = { on: ending("/m1"), answer: text("", 500) };
    await receiveImage();
    fault = null;
    vi.setSystemTime(Date.now() + MINUTE_MS);
    const { messageId } = await first(app.rows("mediaJobs"));
    const download = () => app.backend.action(internal.mediaNode.download, { messageId });
    const fetched = () => app.graph.calls.filter(({ url }) => url.href === LINK).length;
    expect(await onceMore(fetched, async () => await Promise.all([download(), download()]))).toBe(1);
    const files = await app.backend.run(async (ctx) => await ctx.db.system.query("_storage").collect());
    expect(files).toHaveLength(1);
  });

  it("a number is connected once, registered and subscribed as often as it is asked", async () => {
    app.graph.numbers.set("902", "+15550009902");
    expect((await Promise.all([addSecond(), addSecond()])).sort()).toEqual(["already_exists", "done"]);
    const register = () => codeOf(ana().action(api.accountSettings.register, { accountId, pin: "123456" }));
    const subscribe = () => codeOf(ana().action(api.accountSettings.subscribe, { accountId }));
    expect(await Promise.all([register(), register(), subscribe(), subscribe()])).toEqual(
      Array(4).fill("done"),
    );
  });

  it("the health of an account is one row", async () => {
    const look = () => ana().action(api.accountHealth.refresh, { accountId });
    await Promise.all([look(), look()]);
    expect(await app.rows("accountHealth")).toHaveLength(1);
  });
});

describe.each(CALLS)("$name", ({ on, act, wrong, expectWrong, mend, right, expectRight }) => {
  it.each(FAULTS)("that is answered with %s is done when Meta answers well again", async (_, answer) => {
    fault = { on, answer };
    await act();
    expect(await wrong()).toEqual(expectWrong);
    fault = null;
    await mend();
    expect(await right()).toEqual(expectRight);
  });

  it("is done when Meta answers well at once", async () => {
    await act();
    await mend();
    expect(await right()).toEqual(expectRight);
  });
});
