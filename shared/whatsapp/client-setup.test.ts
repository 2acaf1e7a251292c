import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { GraphClient } from "./client";
import {
  changeBlocked,
  deregisterNumber,
  getAccount,
  getNumberInfo,
  listNumbers,
  listSubscribedApps,
  overrideNumberCallback,
  registerNumber,
  requestCode,
  subscribeApp,
  unsubscribeApp,
  verifyCode,
} from "./client-accounts";
import {
  exchangeCode,
  extendToken,
  inspectToken,
  listBusinessAccounts,
  listBusinesses,
  loginDialogUrl,
} from "./client-login";
import { createTemplate, deleteTemplate, templatePages } from "./client-templates";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A real server on a real socket that answers what a test says, in Meta's documented shapes. */
let server: Server;
let baseUrl = "";
let asked: { method: string; path: string; body: unknown; authorization?: string }[] = [];
let answers: unknown[] = [];
let handler: Handler = (_request, response) => response.end(JSON.stringify(answers.shift() ?? {}));

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { authorization } = request.headers;
      asked.push({
        method: request.method ?? "",
        path: decodeURIComponent((request.url ?? "").replace(/^\/v25\.0/, "")),
        body: request.headers["content-type"] === "application/json" ? JSON.parse(body) : body,
        ...(authorization !== undefined && { authorization }),
      });
      handler(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  baseUrl = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  asked = [];
  answers = [];
  handler = (_request, response) => response.end(JSON.stringify(answers.shift() ?? {}));
});

const options = () => ({ baseUrl, version: "v25.0", fetch, deadlineMs: 5_000 });
const client = () => new GraphClient({ ...options(), accessToken: "token" });
const app = { appId: "app", appSecret: "secret" };
const WABA = "102290129340398";
const NUMBER = "106540352242922";

describe("calls that only succeed or not", () => {
  const CALLS: [name: string, call: () => Promise<unknown>, asked: object][] = [
    [
      "ask for a code",
      () => requestCode(client(), NUMBER, "SMS", "en_US"),
      { method: "POST", path: `/${NUMBER}/request_code`, body: { code_method: "SMS", language: "en_US" } },
    ],
    [
      "give the code",
      () => verifyCode(client(), NUMBER, "123456"),
      { path: `/${NUMBER}/verify_code`, body: { code: "123456" } },
    ],
    [
      "register",
      () => registerNumber(client(), NUMBER, "123456"),
      { path: `/${NUMBER}/register`, body: { messaging_product: "whatsapp", pin: "123456" } },
    ],
    ["deregister", () => deregisterNumber(client(), NUMBER), { path: `/${NUMBER}/deregister` }],
    ["subscribe", () => subscribeApp(client(), WABA), { path: `/${WABA}/subscribed_apps`, body: "" }],
    [
      "subscribe with an address of one's own",
      () => subscribeApp(client(), WABA, { callbackUrl: "https://e.com/w", verifyToken: "v" }),
      {
        path: `/${WABA}/subscribed_apps`,
        body: { override_callback_uri: "https://e.com/w", verify_token: "v" },
      },
    ],
    [
      "unsubscribe",
      () => unsubscribeApp(client(), WABA),
      { method: "DELETE", path: `/${WABA}/subscribed_apps` },
    ],
    [
      "override the callback of a number",
      () => overrideNumberCallback(client(), NUMBER, { callbackUrl: "https://e.com/w", verifyToken: "v" }),
      {
        path: `/${NUMBER}`,
        body: { webhook_configuration: { override_callback_uri: "https://e.com/w", verify_token: "v" } },
      },
    ],
    [
      "take the override back",
      () => overrideNumberCallback(client(), NUMBER, null),
      { body: { webhook_configuration: { override_callback_uri: "" } } },
    ],
    ["delete a file", () => client().deleteMedia("77"), { method: "DELETE", path: "/77" }],
    [
      "delete a template",
      () => deleteTemplate(client(), WABA, { name: "t", id: "9" }),
      { method: "DELETE", path: `/${WABA}/message_templates?name=t&hsm_id=9` },
    ],
  ];

  test.each(CALLS)("%s: asks as documented and takes success for success", async (_, call, request) => {
    answers = [{ success: true }];
    expect(await call()).toMatchObject({ ok: true, value: true });
    expect(asked).toMatchObject([{ authorization: "Bearer token", ...request }]);
  });

  test.each(CALLS)("%s: a 200 that does not say success is none", async (_, call) => {
    answers = [{ success: false }];
    expect(await call()).toMatchObject({ ok: false });
  });

  test.each(CALLS)("%s: Meta's error is told by its code", async (_, call) => {
    handler = (_request, response) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ error: { code: 133005, message: "PIN mismatch", fbtrace_id: "A" } }));
    };
    expect(await call()).toMatchObject({ ok: false, reason: "graph_133005", error: { code: 133005 } });
  });

  test.each(CALLS)("%s: a page of HTML is told by its status", async (_, call) => {
    handler = (_request, response) => {
      response.statusCode = 502;
      response.end("<html>Bad gateway</html>");
    };
    expect(await call()).toMatchObject({ ok: false, reason: "http_502" });
  });
});

test("a number is read with its health and its callbacks", async () => {
  answers = [
    {
      id: NUMBER,
      display_phone_number: "+1 555-078-3881",
      quality_rating: "GREEN",
      throughput: { level: "STANDARD" },
      is_pin_enabled: true,
      webhook_configuration: { application: "https://e.com/w" },
      health_status: {
        can_send_message: "LIMITED",
        entities: [
          {
            entity_type: "WABA",
            id: WABA,
            can_send_message: "LIMITED",
            errors: [{ error_code: 141010, error_description: "d", possible_solution: "s" }],
          },
        ],
      },
    },
  ];
  expect(await getNumberInfo(client(), NUMBER)).toMatchObject({
    value: {
      id: NUMBER,
      displayPhoneNumber: "+1 555-078-3881",
      quality: "GREEN",
      throughput: "STANDARD",
      isPinSet: true,
      callbacks: { app: "https://e.com/w" },
      health: {
        canSend: "LIMITED",
        problems: [{ entity: "WABA", id: WABA, code: 141010, description: "d", solution: "s" }],
      },
    },
  });
});

test("an account is read, and one without id is unreadable", async () => {
  answers = [{ id: WABA, name: "Lucky Shrub", owner_business_info: { id: "5", name: "x" } }, {}];
  expect(await getAccount(client(), WABA)).toMatchObject({
    value: { id: WABA, name: "Lucky Shrub", businessId: "5" },
  });
  expect(await getAccount(client(), WABA)).toMatchObject({ ok: false, reason: "unreadable" });
});

const page = (rows: unknown[], after?: string) => ({
  data: rows,
  ...(after !== undefined && {
    paging: { cursors: { before: "b", after }, next: "https://graph.facebook.com/next" },
  }),
});

/** All pages of the templates, until there are no more. */
const pagesOf = async () => {
  const pages = [];
  for await (const one of templatePages(client(), WABA)) pages.push(one);
  return pages;
};

test("a list is read to its last page, and the pages are asked for by their cursor", async () => {
  answers = [
    page([{ id: "1" }], "c1"),
    page([{ id: "2" }], "c2"),
    { data: [{ id: "3" }, null, {}], paging: { cursors: { after: "c3" } } },
  ];
  expect(await listNumbers(client(), WABA)).toMatchObject({ value: [{ id: "1" }, { id: "2" }, { id: "3" }] });
  expect(asked.map(({ path }) => new URLSearchParams(path.split("?")[1]).get("after"))).toEqual([
    null,
    "c1",
    "c2",
  ]);
});

test("a list whose cursor goes round in circles ends and is not called whole", async () => {
  answers = [
    page([{ name: "a", language: "en" }], "c1"),
    page([{ name: "b", language: "en" }], "c1"),
    page([], "c1"),
  ];
  expect(await pagesOf()).toMatchObject([{ value: { rest: "more" } }, { value: { rest: "cut" } }]);
  expect(asked).toHaveLength(2);
});

test("an error on the second page is an error of the list, not a shorter list", async () => {
  answers = [page([{ name: "a", language: "en" }], "c1"), { error: { code: 190, message: "m" } }];
  expect(await pagesOf()).toMatchObject([
    { value: { rest: "more", templates: [{ definition: { name: "a" } }] } },
    { ok: false, error: { code: 190 } },
  ]);
});

test("templates are read, what is no template is left out", async () => {
  answers = [{ data: [{ id: 7, name: "t", language: "en_US", status: "APPROVED", components: [] }, 5] }];
  expect(await pagesOf()).toMatchObject([
    { value: { rest: "whole", templates: [{ definition: { id: "7", name: "t", status: "APPROVED" } }] } },
  ]);
});

test("a new template comes back with the category that Meta gave it", async () => {
  answers = [{ id: "9", status: "PENDING", category: "MARKETING" }];
  const template = { name: "t", language: "en_US", category: "UTILITY", components: [] } as const;
  expect(await createTemplate(client(), WABA, template)).toMatchObject({
    value: { id: "9", category: "MARKETING" },
  });
  expect(asked[0]?.body).toEqual(template);
});

test("apps that get the webhooks are listed with their own addresses", async () => {
  answers = [
    {
      data: [
        {
          whatsapp_business_api_data: { id: "1", name: "Pons", link: "l" },
          override_callback_uri: "https://e.com/w",
        },
        {},
      ],
    },
  ];
  expect(await listSubscribedApps(client(), WABA)).toMatchObject({
    value: [{ id: "1", name: "Pons", callbackUrl: "https://e.com/w" }],
  });
});

test("blocking tells who was blocked and who could not be", async () => {
  answers = [
    {
      messaging_product: "whatsapp",
      block_users: { added_users: [{ input: "+1", wa_id: "1" }], failed_users: [{ input: "+2" }] },
    },
  ];
  expect(await changeBlocked(client(), NUMBER, "block", ["+1", "+2"])).toMatchObject({
    value: { done: ["+1"], failed: ["+2"] },
  });
});

test("a file is uploaded as a form, with its type and name", async () => {
  answers = [{ id: "1037543291543636" }];
  const file = new Blob(["hello"], { type: "text/plain" });
  expect(await client().uploadMedia(NUMBER, file, "a.txt")).toMatchObject({ value: "1037543291543636" });
  expect(asked[0]?.body).toMatch(/name="messaging_product"\r\n\r\nwhatsapp/);
  expect(asked[0]?.body).toMatch(/name="type"\r\n\r\ntext\/plain/);
  expect(asked[0]?.body).toMatch(/filename="a.txt"\r\nContent-Type: text\/plain\r\n\r\nhello/);
});

test("what the answer says about the budget of calls is told with it", async () => {
  handler = (_request, response) => {
    response.setHeader("x-app-usage", JSON.stringify({ call_count: 28, total_time: 5 }));
    response.setHeader(
      "x-business-use-case-usage",
      JSON.stringify({ [WABA]: [{ type: "whatsapp", call_count: 91, estimated_time_to_regain_access: 3 }] }),
    );
    response.end(JSON.stringify({ id: WABA }));
  };
  expect(await getAccount(client(), WABA)).toMatchObject({ usage: { percent: 91, regainMs: 180_000 } });
});

test("a header about the budget that is no JSON harms nothing", async () => {
  handler = (_request, response) => {
    response.setHeader("x-app-usage", "{");
    response.end(JSON.stringify({ id: WABA }));
  };
  expect(await getAccount(client(), WABA)).toEqual({ ok: true, value: { id: WABA } });
});

describe("signing in with Meta", () => {
  test("the dialog's address holds what Meta asks for, in one of two ways", () => {
    const ask = { appId: "app", redirectUrl: "https://e.com/cb?x=1", state: "s" };
    const url = new URL(loginDialogUrl("https://www.facebook.com/", "v25.0", ask));
    expect(`${url.origin}${url.pathname}`).toBe("https://www.facebook.com/v25.0/dialog/oauth");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "app",
      redirect_uri: "https://e.com/cb?x=1",
      state: "s",
      response_type: "code",
      scope: "whatsapp_business_management,whatsapp_business_messaging,business_management",
    });
    const business = new URL(loginDialogUrl("https://www.facebook.com", "v25.0", { ...ask, configId: "7" }));
    expect(business.searchParams.get("config_id")).toBe("7");
    expect(business.searchParams.has("scope")).toBe(false);
  });

  test("a code becomes a token, with the app's secret and without any other credential", async () => {
    answers = [{ access_token: "T", token_type: "bearer", expires_in: 5183944 }, { access_token: "T" }];
    expect(await exchangeCode(options(), app, "c", "https://e.com/cb")).toMatchObject({
      value: { token: "T", expiresInMs: 5183944000 },
    });
    expect(await exchangeCode(options(), app, "c")).toEqual({ ok: true, value: { token: "T" } });
    expect(asked).toMatchObject([
      { path: "/oauth/access_token?client_id=app&client_secret=secret&code=c&redirect_uri=https://e.com/cb" },
      { path: "/oauth/access_token?client_id=app&client_secret=secret&code=c" },
    ]);
    expect(asked[0]).not.toHaveProperty("authorization");
  });

  test("a short token is exchanged for a long one", async () => {
    answers = [{ access_token: "L", expires_in: 10 }];
    expect(await extendToken(options(), app, "short")).toMatchObject({
      value: { token: "L", expiresInMs: 10_000 },
    });
    expect(asked[0]?.path).toContain("grant_type=fb_exchange_token");
  });

  test("a token is inspected with the app's credential; zero means that it never expires", async () => {
    const data = {
      app_id: "app",
      type: "SYSTEM_USER",
      is_valid: true,
      expires_at: 0,
      data_access_expires_at: 1_800_000_000,
      scopes: ["a", 5],
      granular_scopes: [{ scope: "whatsapp_business_management", target_ids: [WABA] }, { scope: "all" }],
      user_id: "6",
    };
    answers = [{ data }];
    expect(await inspectToken(options(), app, "T")).toEqual({
      ok: true,
      value: {
        appId: "app",
        type: "SYSTEM_USER",
        userId: "6",
        isValid: true,
        dataAccessExpiresAtMs: 1_800_000_000_000,
        scopes: ["a"],
        targets: { whatsapp_business_management: [WABA] },
      },
    });
    expect(asked).toMatchObject([{ path: "/debug_token?input_token=T", authorization: "Bearer app|secret" }]);
  });

  test("an expired token says why", async () => {
    answers = [
      { data: { is_valid: false, expires_at: 5, error: { code: 190, subcode: 463, message: "m" } } },
    ];
    expect(await inspectToken(options(), app, "T")).toMatchObject({
      value: { isValid: false, expiresAtMs: 5_000, error: { subcode: 463 } },
    });
  });

  test("businesses and their accounts, own and shared, each once", async () => {
    answers = [
      { data: [{ id: "5", name: "Lucky" }] },
      { data: [{ id: "1", name: "A" }] },
      { data: [{ id: "1", name: "A" }, { id: "2" }] },
    ];
    expect(await listBusinesses(client())).toMatchObject({ value: [{ id: "5", name: "Lucky" }] });
    expect(await listBusinessAccounts(client(), "5")).toMatchObject({ value: [{ id: "1" }, { id: "2" }] });
  });
});
