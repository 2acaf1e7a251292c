import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { DAY_MS } from "#shared/time";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { makeIdentityKey, startTestBackend, type TestBackend } from "../../tests/support/convex-backend";
import { readInvitation } from "./invitation";

const SITE_URL = "http://localhost:3000";
const GUEST = { id: "guest", email: "Guest@X.test" };

let backend: TestBackend;
let accountId: Id<"accounts">;

beforeAll(async () => {
  const identityKey = await makeIdentityKey();
  backend = await startTestBackend({ siteUrl: SITE_URL, identityKey });
  vi.stubEnv("SITE_URL", SITE_URL);
  vi.stubEnv("NEXT_PUBLIC_CONVEX_URL", backend.url);
  vi.stubEnv("BETTER_AUTH_SECRET", "a-secret-that-is-only-used-by-this-test-file");
  vi.stubEnv("CONVEX_IDENTITY_KEY", JSON.stringify(identityKey));
  vi.stubEnv("API_KEY_PEPPER", "k1:pepper");
  accountId = await backend.t.run(async (ctx) => {
    const now = Date.now();
    for (const id of ["guest", "ana"]) {
      await ctx.db.insert("auth_user", {
        ...{ id, name: id, email: `${id}@x.test`, emailVerified: false },
        ...{ createdAt: now, updatedAt: now },
      });
    }
    return await ctx.db.insert("accounts", {
      ...{ name: "Bakery", wabaId: "1", phoneNumberId: "2", phoneNumber: "+15550783881" },
      ...{ state: "active", hasOwner: true, sealId: "none", accessTokenSealed: "none" },
    });
  });
});
afterAll(async () => {
  await backend.stop();
  vi.unstubAllEnvs();
});

const invite = async () =>
  await backend.t.action(internal.invites.createByAdmin, {
    accountId,
    email: "guest@x.test",
    role: "member",
  });
const as = { use: "service", subject: "service:next" };

it("tells a newcomer to wait for the first owner, and then whom and where the link invites", async () => {
  const { token } = await invite();
  expect(await readInvitation(token, null, Date.now())).toEqual({ state: "not_set_up" });
  await backend.t.withIdentity(as).mutation(api.instance.claim, { userId: "ana" });
  expect(await readInvitation(token, null, Date.now())).toEqual({
    state: "open",
    accountName: "Bakery",
    email: "guest@x.test",
    role: "member",
  });
});

it("is for one address, in whatever letters it is written", async () => {
  const { token } = await invite();
  expect(await readInvitation(token, GUEST, Date.now())).toMatchObject({ state: "yours" });
  const other = await readInvitation(token, { id: "ana", email: "ana@x.test" }, Date.now());
  expect(other).toMatchObject({ state: "of_another", signedInAs: "ana@x.test" });
});

it("says why it is over, and nothing else", async () => {
  const first = await invite();
  const second = await invite();
  expect(await readInvitation(first.token, GUEST, Date.now())).toEqual({ state: "revoked" });
  expect(await readInvitation(second.token, GUEST, Date.now() + 7 * DAY_MS)).toEqual({ state: "expired" });
  await backend.t.withIdentity(as).mutation(api.invites.acceptFor, { token: second.token, userId: "guest" });
  expect(await readInvitation(second.token, null, Date.now())).toEqual({ state: "used" });
  expect(await readInvitation(second.token, GUEST, Date.now())).toEqual({ state: "joined", accountId });
});

it.each(["", "short", "x".repeat(43), `${"x".repeat(42)}/`])("is unknown for the link %j", async (token) => {
  expect(await readInvitation(token, null, Date.now())).toEqual({ state: "unknown" });
});
