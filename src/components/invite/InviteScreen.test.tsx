import { act, type ComponentProps } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { one, type RenderedPage, render, typeInto } from "../../../tests/support/render";
import { InviteScreen } from "./InviteScreen";

const TOKEN = "t".repeat(43);
const OPEN = { state: "open", accountName: "Bakery", email: "guest@x.test", role: "admin" } as const;

type Shown = ComponentProps<typeof InviteScreen>["invitation"];
let page: RenderedPage;
let requests: { path: string; headers: Headers; body: unknown }[] = [];

afterEach(async () => {
  await page.unmount();
  vi.unstubAllGlobals();
  requests = [];
});

const show = async (invitation: Shown) => {
  page = await render(<InviteScreen invitation={invitation} token={TOKEN} convexUrl="http://127.0.0.1:9" />);
  return page.container;
};

/** The sign-in server, at the edge of the browser. */
function serverAnswers(status: number, body: object) {
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    requests.push({ path, headers: new Headers(init.headers), body: JSON.parse(String(init.body)) });
    return Response.json(body, { status });
  });
}

const field = (name: string) => one(page.container, `input[name=${name}]`, HTMLInputElement);
const press = async (text: string) =>
  await act(async () => {
    const button = [...page.container.querySelectorAll("button")].find((one) => one.textContent === text);
    if (button === undefined) throw new Error(`There is no button "${text}".`);
    button.click();
  });

test("an open invitation names the account, the role and the address, which cannot be changed", async () => {
  const container = await show(OPEN);
  expect(container.querySelector("h1")?.textContent).toBe("Join Bakery");
  expect(container.textContent).toContain("as an administrator, with the address guest@x.test");
  expect(field("email").value).toBe("guest@x.test");
  expect(field("email").readOnly).toBe(true);
});

test("a new person's account is asked for with the token of the invitation", async () => {
  serverAnswers(403, { code: "invite_required" });
  const container = await show(OPEN);
  await typeInto(field("name"), " Gus ");
  await typeInto(field("password"), "a long enough password");
  await press("Create account and join");
  expect(requests).toMatchObject([
    {
      path: "/api/auth/sign-up/email",
      body: { name: "Gus", email: "guest@x.test", password: "a long enough password" },
    },
  ]);
  expect(requests[0]?.headers.get("x-pons-invite")).toBe(TOKEN);
  expect(container.querySelector("[role=alert]")?.textContent).toContain("does not work any more");
});

test("somebody with an account signs in with the token of the invitation", async () => {
  serverAnswers(401, { code: "INVALID_EMAIL_OR_PASSWORD" });
  const container = await show(OPEN);
  await press("Sign in instead");
  await typeInto(field("password"), "wrong");
  await press("Sign in and join");
  expect(requests).toMatchObject([{ path: "/api/auth/sign-in/email", body: { email: "guest@x.test" } }]);
  expect(requests[0]?.headers.get("x-pons-invite")).toBe(TOKEN);
  expect(container.querySelector("[role=alert]")?.textContent).toContain("password is wrong");
});

test("nothing is sent without a name and a password that is long enough", async () => {
  serverAnswers(200, {});
  await show(OPEN);
  await typeInto(field("password"), "short");
  await press("Create account and join");
  expect(requests).toEqual([]);
  expect(document.activeElement).toBe(field("name"));
});

test("whoever is signed in with the invited address joins by one press, and with another is told so", async () => {
  // Nobody joins here, so the live connection is left to wait for its first answer.
  vi.stubGlobal("WebSocket", class extends EventTarget {});
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  const container = await show({ ...OPEN, state: "yours" });
  expect([...container.querySelectorAll("button")].map(({ textContent }) => textContent)).toEqual([
    "Join Bakery",
  ]);
  await page.unmount();
  const other = await show({
    state: "of_another",
    accountName: "Bakery",
    email: "guest@x.test",
    signedInAs: "ana@x.test",
  });
  expect(other.textContent).toContain("invites guest@x.test to Bakery, and you are signed in as ana@x.test");
});

test.each([
  ["used", "was used already"],
  ["revoked", "was withdrawn"],
  ["expired", "is over"],
  ["unknown", "is not an invitation"],
  ["not_set_up", "not set up yet"],
] as const)("a link that is %s says so, and offers no form", async (state, title) => {
  const container = await show({ state });
  expect(container.querySelector("h1")?.textContent).toContain(title);
  expect(container.querySelector("form")).toBeNull();
});
