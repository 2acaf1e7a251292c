import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, NUMBER, startBench, WABA } from "../test-support";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.control("reset", {}));

const APP = "670843887433847";
const SECRET = "sim-app-secret";
const BACK = "http://127.0.0.1:3000/api/facebook/callback?from=settings";

function dialogUrl(more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: APP,
    redirect_uri: BACK,
    state: "s&1",
    response_type: "code",
    ...more,
  });
  return `${bench.simulator.url}/v25.0/dialog/oauth?${query}`;
}

interface Agreed {
  action?: string;
  waba?: string[];
  scope?: string[];
}

/** What the browser does when somebody presses a button of the dialog. */
async function press({ action = "continue", waba = [WABA], scope = [...ALL] }: Agreed, url = dialogUrl()) {
  const form = new URLSearchParams({ action });
  for (const id of waba) form.append("waba", id);
  for (const name of scope) form.append("scope", name);
  return fetch(url, { method: "POST", body: form, redirect: "manual" });
}

const ALL = ["business_management", "whatsapp_business_management", "whatsapp_business_messaging"];

async function codeOf(agreed: Agreed = {}): Promise<string> {
  const location = (await press(agreed)).headers.get("location") ?? "";
  return new URL(location).searchParams.get("code") ?? "";
}

const exchange = (parameters: Record<string, string>) =>
  bench.graph(
    `/oauth/access_token?${new URLSearchParams({ client_id: APP, client_secret: SECRET, ...parameters })}`,
    undefined,
    { headers: {} },
  );

async function tokenOf(agreed: Agreed = {}): Promise<string> {
  const answer = await exchange({ code: await codeOf(agreed), redirect_uri: BACK });
  const { access_token: token } = JSON.parse(answer.text);
  return token;
}

const as = (token: string, path: string) =>
  bench.graph(path, undefined, { headers: { authorization: `Bearer ${token}` } });
const debug = async (token: string) =>
  JSON.parse((await as(`${APP}|${SECRET}`, `/debug_token?input_token=${encodeURIComponent(token)}`)).text)
    .data;

describe("the dialog", () => {
  test("shows people, accounts and scopes, and runs no script", async () => {
    const page = await fetch(dialogUrl({ scope: "whatsapp_business_management" }));
    const text = await page.text();
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    for (const word of ["Olivia Owner", "Lucky Shrub", "+1 555-078-3881", "whatsapp_business_management"]) {
      expect(text).toContain(word);
    }
    expect(text).not.toContain("whatsapp_business_messaging");
  });

  test("sends the browser back with a code and the very state", async () => {
    const answer = await press({});
    const location = new URL(answer.headers.get("location") ?? "");
    expect(answer.status).toBe(302);
    expect(`${location.origin}${location.pathname}`).toBe("http://127.0.0.1:3000/api/facebook/callback");
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      from: "settings",
      state: "s&1",
      code: expect.stringMatching(/^AQ/),
    });
    expect(location.hash).toBe("#_=_");
  });

  test("tells of a refusal as Facebook does", async () => {
    const location = new URL((await press({ action: "cancel" })).headers.get("location") ?? "");
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      error: "access_denied",
      error_reason: "user_denied",
      state: "s&1",
    });
    expect(location.searchParams.has("code")).toBe(false);
  });

  test.each([
    ["an app that is none", { client_id: "1" }],
    ["an address that is none", { redirect_uri: "javascript:alert(1)" }],
    ["another kind of answer", { response_type: "token" }],
  ])("refuses %s without sending anybody anywhere", async (_, more) => {
    const answer = await press({}, dialogUrl(more));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
  });

  test("shows what it was given as text, never as HTML", async () => {
    const text = await (await fetch(dialogUrl({ scope: '"><script>alert(1)</script>' }))).text();
    expect(text).not.toContain("<script>");
  });
});

describe("a code", () => {
  test("becomes a token of two hours that knows what was agreed to", async () => {
    const code = await codeOf({ scope: ["whatsapp_business_management"] });
    const answer = JSON.parse((await exchange({ code, redirect_uri: BACK })).text);
    expect(answer).toMatchObject({ token_type: "bearer", expires_in: 7200 });
    expect(await debug(answer.access_token)).toMatchObject({
      is_valid: true,
      type: "USER",
      app_id: APP,
      scopes: ["whatsapp_business_management"],
      granular_scopes: [{ scope: "whatsapp_business_management", target_ids: [WABA] }],
    });
  });

  test.each([
    ["used twice", 36009, async (code: string) => void (await exchange({ code, redirect_uri: BACK })), {}],
    [
      "older than ten minutes",
      36007,
      async () => void (await bench.control("clock", { advanceMs: 600_000 })),
      {},
    ],
    ["given with another address", 36008, async () => undefined, { redirect_uri: "http://127.0.0.1/other" }],
  ])("%s is refused with subcode %i", async (_, subcode, before, more) => {
    const code = await codeOf();
    await before(code);
    const { error } = JSON.parse((await exchange({ code, redirect_uri: BACK, ...more })).text);
    expect(error).toMatchObject({ code: 100, error_subcode: subcode, fbtrace_id: expect.any(String) });
  });

  test.each([
    [{ client_id: "1" }, 101],
    [{ client_secret: "wrong" }, 1],
    [{ code: "AQnone" }, 100],
    [{ grant_type: "password" }, 100],
  ])("%o ends in Meta's error %i", async (parameters, code) => {
    expect((await exchange({ redirect_uri: BACK, ...parameters })).body.error.code).toBe(code);
  });
});

describe("a token", () => {
  test("finds the business and its accounts, and nothing that it was not given", async () => {
    const token = await tokenOf();
    const businesses = JSON.parse((await as(token, "/me/businesses?fields=id,name")).text).data;
    expect(businesses).toEqual([{ id: expect.any(String), name: "Lucky Shrub" }]);
    const [{ id }] = businesses;
    const accounts = JSON.parse((await as(token, `/${id}/owned_whatsapp_business_accounts?fields=id`)).text);
    expect(accounts.data).toEqual([{ id: WABA }]);
    const other = await tokenOf({ waba: [] });
    expect(JSON.parse((await as(other, `/${id}/owned_whatsapp_business_accounts`)).text).data).toEqual([]);
    expect((await as(other, `/${WABA}`)).body.error).toMatchObject({ code: 100, error_subcode: 33 });
    expect((await as(other, `/${NUMBER}`)).body.error).toMatchObject({ code: 100, error_subcode: 33 });
  });

  test("without a scope is told which one is missing", async () => {
    const token = await tokenOf({ scope: ["business_management"] });
    expect((await as(token, `/${WABA}`)).body.error).toMatchObject({
      code: 200,
      message: expect.stringContaining("whatsapp_business_management"),
    });
    const reader = await tokenOf({ scope: ["whatsapp_business_management"] });
    const sent = await bench.graph(
      `/${NUMBER}/messages`,
      { messaging_product: "whatsapp" },
      { headers: { authorization: `Bearer ${reader}`, "content-type": "application/json" } },
    );
    expect(sent.body.error).toMatchObject({
      code: 200,
      message: expect.stringContaining("whatsapp_business_messaging"),
    });
  });

  test("of two hours is exchanged for one of sixty days, and each ends when its time is over", async () => {
    const short = await tokenOf();
    const long = JSON.parse(
      (await exchange({ grant_type: "fb_exchange_token", fb_exchange_token: short })).text,
    );
    expect(long.expires_in).toBe(60 * 86_400);
    await bench.control("clock", { advanceMs: 2 * 3_600_000 });
    expect((await as(short, "/me")).body.error).toMatchObject({ code: 190, error_subcode: 463 });
    expect((await as(long.access_token, "/me")).status).toBe(200);
    await bench.control("clock", { advanceMs: 60 * 86_400_000 });
    expect(await debug(long.access_token)).toMatchObject({
      is_valid: false,
      error: { code: 190, subcode: 463 },
    });
  });

  test("and every other secret of a login stays out of the log", async () => {
    const token = await tokenOf();
    await exchange({ grant_type: "fb_exchange_token", fb_exchange_token: token });
    const log = (await bench.control("requests")).text;
    for (const secret of [token, SECRET, "code=AQ"]) expect(log).not.toContain(secret);
  });

  test("the app's own credential is no token of a person", async () => {
    const answer = await exchange({ grant_type: "client_credentials" });
    expect(JSON.parse(answer.text).access_token).toBe(`${APP}|${SECRET}`);
    expect((await as(`${APP}|${SECRET}`, "/me/permissions")).body.data).toEqual([]);
  });
});

test("the window of Embedded Signup tells its opener which account and number, then the code", async () => {
  const url = dialogUrl({ display: "popup", origin: "http://127.0.0.1:3000", redirect_uri: "" });
  const text = (await (await press({}, url)).text()).replaceAll("&quot;", '"');
  const { origin, messages } = JSON.parse(/data-result="(\{.*\})">/.exec(text)?.[1] ?? "{}");
  expect(origin).toBe("http://127.0.0.1:3000");
  const [session, login] = messages.map((message: string) => JSON.parse(message));
  expect(session).toMatchObject({
    type: "WA_EMBEDDED_SIGNUP",
    event: "FINISH",
    data: { waba_id: WABA, phone_number_id: NUMBER },
  });
  const token = JSON.parse((await exchange({ code: login.code })).text);
  expect(token).not.toHaveProperty("expires_in");
  expect(await debug(token.access_token)).toMatchObject({
    type: "SYSTEM_USER",
    expires_at: 0,
    is_valid: true,
  });
});

test("the same seed gives the same codes and tokens", async () => {
  const first = await tokenOf();
  await bench.control("reset", {});
  expect(await tokenOf()).toBe(first);
});
