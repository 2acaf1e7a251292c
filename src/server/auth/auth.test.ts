import { decodeJwt } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "../../../convex/_generated/api";
import { makeIdentityKey, startTestBackend, type TestBackend } from "../../../tests/support/convex-backend";

const SITE_URL = "http://localhost:3000";
const SETUP_TOKEN = "setup-token-of-this-test";
const PASSWORD = "correct horse battery";

const identityKey = await makeIdentityKey();
const backends: TestBackend[] = [];

afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.stop();
  vi.unstubAllEnvs();
});

/** A fresh backend and, because the server keeps one Better Auth per process, fresh modules of the server. */
async function startServer(extraEnv: Record<string, string> = {}) {
  const backend = await startTestBackend({ siteUrl: SITE_URL, identityKey });
  backends.push(backend);
  vi.resetModules();
  vi.stubEnv("SITE_URL", SITE_URL);
  vi.stubEnv("NEXT_PUBLIC_CONVEX_URL", backend.url);
  vi.stubEnv("BETTER_AUTH_SECRET", "a-secret-that-is-only-used-by-this-test-file");
  vi.stubEnv("CONVEX_IDENTITY_KEY", JSON.stringify(identityKey));
  vi.stubEnv("API_KEY_PEPPER", "k1:pepper");
  vi.stubEnv("SETUP_TOKEN", SETUP_TOKEN);
  for (const [name, value] of Object.entries(extraEnv)) vi.stubEnv(name, value);
  const { answerAuth, answerConvexToken } = await import("./routes");

  const post = async (path: string, body: object, headers: HeadersInit = {}) =>
    await answerAuth(
      new Request(`${SITE_URL}/api/auth${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: SITE_URL, ...headers },
        body: JSON.stringify(body),
      }),
    );
  const get = async (path: string, cookie = "") =>
    await answerAuth(new Request(`${SITE_URL}/api/auth${path}`, { headers: { cookie } }));
  const signUp = async (email: string, headers: HeadersInit = { "x-pons-setup-token": SETUP_TOKEN }) =>
    await post("/sign-up/email", { name: "Ana", email, password: PASSWORD }, headers);
  const signIn = async (email: string) => await post("/sign-in/email", { email, password: PASSWORD });
  const convexToken = async (cookie: string) =>
    await answerConvexToken(new Request(`${SITE_URL}/api/auth/convex-token`, { headers: { cookie } }));
  const stored = async (model: "user" | "session" | "account") =>
    await backend.t
      .withIdentity({ subject: "service:next", use: "service" })
      .query(api.authStore.find, { model, where: [] });
  return { backend, post, get, signUp, signIn, convexToken, stored };
}

const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");

const codeOf = async (response: Response) => [response.status, (await response.json()).code];

describe("the first owner", () => {
  it("is whoever signs up with the setup token, and is signed in by it", async () => {
    const { backend, signUp, get, convexToken } = await startServer();
    const response = await signUp("Owner@Example.test");
    expect(response.status).toBe(200);
    expect(await backend.t.query(api.instance.status, {})).toEqual({ claimed: true });

    const session = await (await get("/get-session", cookiesOf(response))).json();
    expect(session.user.email).toBe("owner@example.test");

    const { token, expiresAt } = await (await convexToken(cookiesOf(response))).json();
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ iss: SITE_URL, aud: "convex", use: "user", sub: session.user.id });
    expect(claims.exp).toBe(Math.floor(expiresAt / 1000));
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(10 * 60 * 1000);
  });

  it("is not made without the setup token or with a wrong one, and nothing is stored", async () => {
    const { backend, signUp, stored } = await startServer();
    expect(await codeOf(await signUp("a@example.test", {}))).toEqual([403, "setup_token_required"]);
    const wrong = await signUp("a@example.test", { "x-pons-setup-token": "guess" });
    expect(await codeOf(wrong)).toEqual([403, "setup_token_required"]);
    expect(await stored("user")).toEqual([]);
    expect(await backend.t.query(api.instance.status, {})).toEqual({ claimed: false });
  });

  it("is one of two who sign up at the same moment; the other has no usable account", async () => {
    const { signUp, signIn, stored } = await startServer();
    const answers = await Promise.all([signUp("a@example.test"), signUp("b@example.test")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);

    const loser = answers[0]?.status === 403 ? "a@example.test" : "b@example.test";
    const refused = answers.find(({ status }) => status === 403);
    expect(refused?.headers.getSetCookie()).toEqual([]);
    expect(await stored("user")).toHaveLength(1);
    expect(await stored("account")).toHaveLength(1);
    expect(await stored("session")).toHaveLength(1);
    expect((await signIn(loser)).status).toBe(401);
  });

  it("leaves the door shut for everybody else, also for those who know the setup token", async () => {
    const { signUp, stored } = await startServer();
    await signUp("owner@example.test");
    expect(await codeOf(await signUp("stranger@example.test"))).toEqual([403, "invite_required"]);
    // The same answer for an address that has an account: a stranger cannot find out which ones do.
    expect(await codeOf(await signUp("owner@example.test"))).toEqual([403, "invite_required"]);
    expect(await stored("user")).toHaveLength(1);
  });

  it("can start again when the first sign-up was cut off half-way", async () => {
    const { backend, signUp, signIn, stored } = await startServer();
    await signUp("owner@example.test");
    // What an interruption between the account and the claim leaves behind.
    await backend.t.run(async (ctx) => {
      for (const row of await ctx.db.query("instance").collect()) await ctx.db.delete(row._id);
      for (const row of await ctx.db.query("auth_session").collect()) await ctx.db.delete(row._id);
      for (const row of await ctx.db.query("auth_user").collect())
        await ctx.db.patch(row._id, { createdAt: 1 });
    });
    expect(await codeOf(await signIn("owner@example.test"))).toEqual([403, "invite_required"]);
    expect((await signUp("owner@example.test")).status).toBe(200);
    expect(await stored("user")).toHaveLength(1);
    expect((await signIn("owner@example.test")).status).toBe(200);
  });
});

describe("an invited person", () => {
  /** A deployment with an owner, and an open invitation to one account of it. */
  async function invite() {
    const server = await startServer();
    await server.signUp("owner@example.test");
    const { t } = server.backend;
    const accountId = await t.run(
      async (ctx) =>
        await ctx.db.insert("accounts", {
          name: "Bakery",
          wabaId: "1",
          phoneNumberId: "2",
          phoneNumber: "+15550783881",
          state: "active",
          hasOwner: true,
          sealId: "none",
          accessTokenSealed: "none",
        }),
    );
    const { token } = await t.action(internal.invites.createByAdmin, {
      accountId,
      email: "Guest@example.test",
      role: "member",
    });
    const members = async () =>
      await t.run(async (ctx) => await ctx.db.query("accountMembers").withIndex("by_user").collect());
    return { ...server, accountId, headers: { "x-pons-invite": token }, members };
  }

  it("signs up, is a member at once, and signs in later without the invitation", async () => {
    const { signUp, signIn, headers, members, accountId, get } = await invite();
    const response = await signUp("guest@example.test", headers);
    expect(response.status).toBe(200);
    const session = await (await get("/get-session", cookiesOf(response))).json();
    expect(await members()).toMatchObject([{ accountId, userId: session.user.id, role: "member" }]);
    expect((await signIn("guest@example.test")).status).toBe(200);
  });

  it("is nobody with another address, a used, an ended or an invented invitation", async () => {
    const { backend, signUp, headers, members, stored } = await invite();
    const refused = [403, "invite_required"];
    expect(await codeOf(await signUp("other@example.test", headers))).toEqual(refused);
    expect(await codeOf(await signUp("guest@example.test", { "x-pons-invite": "x".repeat(43) }))).toEqual(
      refused,
    );
    await backend.t.run(async (ctx) => {
      for (const row of await ctx.db.query("accountInvites").collect())
        await ctx.db.patch(row._id, { expiresAt: 1 });
    });
    expect(await codeOf(await signUp("guest@example.test", headers))).toEqual(refused);
    expect(await members()).toEqual([]);
    expect(await stored("user")).toHaveLength(1);
  });

  it("is one of two who use the invitation at the same moment", async () => {
    const { signUp, headers, members, stored } = await invite();
    const answers = await Promise.all([
      signUp("guest@example.test", headers),
      signUp("guest@example.test", headers),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await members()).toHaveLength(1);
    expect(await stored("user")).toHaveLength(2);
    expect((await signUp("guest@example.test", headers)).status).toBe(403);
  });

  it("who has an account already joins by signing in with the invitation", async () => {
    const { backend, post, signUp, headers, members } = await invite();
    await signUp("guest@example.test", headers);
    await backend.t.run(async (ctx) => {
      for (const row of await ctx.db.query("accountMembers").collect()) await ctx.db.delete(row._id);
      for (const row of await ctx.db.query("accountInvites").collect())
        await ctx.db.patch(row._id, { acceptedAt: undefined, acceptedBy: undefined });
    });
    const body = { email: "guest@example.test", password: PASSWORD };
    expect(await codeOf(await post("/sign-in/email", body))).toEqual([403, "invite_required"]);
    expect((await post("/sign-in/email", body, headers)).status).toBe(200);
    expect(await members()).toHaveLength(1);
  });
});

describe("signing in", () => {
  it("opens a session for the right password and none for a wrong one", async () => {
    const { signUp, post, signIn } = await startServer();
    await signUp("owner@example.test");
    const wrong = await post("/sign-in/email", { email: "owner@example.test", password: "wrong password" });
    expect(await codeOf(wrong)).toEqual([401, "INVALID_EMAIL_OR_PASSWORD"]);
    const right = await signIn("owner@example.test");
    expect(right.status).toBe(200);
    expect(right.headers.getSetCookie().join()).toMatch(/pons\.session_token=.*HttpOnly.*SameSite=Lax/);
  });

  it("ends at sign-out, also for the token that opens the backend", async () => {
    const { signUp, post, convexToken, stored } = await startServer();
    const cookie = cookiesOf(await signUp("owner@example.test"));
    const out = await post("/sign-out", {}, { cookie });
    expect(out.status).toBe(200);
    expect(await stored("session")).toEqual([]);
    const afterwards = await convexToken(cookiesOf(out));
    expect(await codeOf(afterwards)).toEqual([401, "unauthorized"]);
  });

  it("refuses a password of fewer than twelve characters", async () => {
    const { post } = await startServer();
    const body = { name: "Ana", email: "a@example.test", password: "short" };
    const response = await post("/sign-up/email", body, { "x-pons-setup-token": SETUP_TOKEN });
    expect(await codeOf(response)).toEqual([400, "PASSWORD_TOO_SHORT"]);
  });

  it("is slowed down after three attempts from one address, and only for that address", async () => {
    const { post } = await startServer({ TRUSTED_IP_HEADER: "X-Real-IP" });
    const attempt = async (headers: HeadersInit) =>
      (await post("/sign-in/email", { email: "a@example.test", password: PASSWORD }, headers)).status;
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++)
      statuses.push(await attempt({ "x-real-ip": "192.0.2.1", "x-forwarded-for": `192.0.2.${i}` }));
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect(await attempt({ "x-real-ip": "192.0.2.2" })).toBe(401);
  });

  it("believes no address that the client writes itself, and then counts everybody together", async () => {
    const { post } = await startServer();
    const statuses = new Set<number>();
    for (let i = 0; i < 21; i++) {
      const headers = { "x-forwarded-for": `192.0.2.${i}`, "x-real-ip": `192.0.2.${i}` };
      statuses.add(
        (await post("/sign-in/email", { email: "not an address", password: "x" }, headers)).status,
      );
    }
    expect([...statuses]).toEqual([400, 429]);
  });

  it("refuses a request with cookies from a foreign page", async () => {
    const { signUp, post } = await startServer();
    const cookie = cookiesOf(await signUp("owner@example.test"));
    const response = await post("/sign-out", {}, { cookie, origin: "https://evil.example" });
    expect(response.status).toBe(403);
  });

  it("takes both names of the own machine as its own", async () => {
    const { signUp, post } = await startServer();
    const cookie = cookiesOf(await signUp("owner@example.test"));
    expect((await post("/sign-out", {}, { cookie, origin: "http://127.0.0.1:3000" })).status).toBe(200);
  });

  it("does not show Better Auth's other endpoints", async () => {
    const { get, post } = await startServer();
    for (const path of ["/token", "/list-accounts", "/error", "/ok", "/verify-email?token=x"]) {
      expect((await get(path)).status, path).toBe(404);
    }
    for (const path of [
      "/delete-user",
      "/change-email",
      "/update-user",
      "/sign-in/social",
      "/get-access-token",
    ]) {
      expect((await post(path, {})).status, path).toBe(404);
    }
  });
});

describe("while Convex is away", () => {
  it("everything answers 503 instead of blaming the person, and works again afterwards", async () => {
    const { backend, signUp, signIn, get, convexToken } = await startServer();
    const cookies = cookiesOf(await signUp("owner@example.test"));
    // Without the sealed copy of the session, which is believed for a minute.
    const cookie = cookies
      .split("; ")
      .filter((one) => one.startsWith("pons.session_token"))
      .join();

    await backend.stop();
    const away = [
      await signIn("owner@example.test"),
      await signUp("second@example.test"),
      await get("/get-session", cookie),
      await convexToken(cookie),
    ];
    for (const response of away) expect(await codeOf(response)).toEqual([503, "unavailable"]);

    await backend.resume();
    expect((await convexToken(cookie)).status).toBe(200);
    expect((await signIn("owner@example.test")).status).toBe(200);
  });

  it("can be away when the first request comes and be used as soon as it is there", async () => {
    const { backend, signUp } = await startServer();
    await backend.stop();
    expect((await signUp("owner@example.test")).status).toBe(503);
    await backend.resume();
    expect((await signUp("owner@example.test")).status).toBe(200);
  });
});
