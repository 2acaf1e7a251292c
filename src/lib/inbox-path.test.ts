import { expect, test } from "vitest";
import { inboxPath, parseInboxPath } from "./inbox-path";

test.each(["/dashboard", "/dashboard/k57abc", "/dashboard/k57abc/j97def"])(
  "%s is read and written alike",
  (path) => {
    const place = parseInboxPath(path);
    expect(place).not.toBeNull();
    expect(inboxPath(place ?? {})).toBe(path);
  },
);

test("a closing slash changes nothing", () => {
  expect(parseInboxPath("/dashboard/k57abc/")).toEqual(parseInboxPath("/dashboard/k57abc"));
});

test.each([
  "/",
  "/docs",
  "/dashboards",
  "/dashboard/a/b/c",
  "/dashboard/a b",
  "/dashboard/../x",
  "/dashboard//x",
  "dashboard",
])("%j is no place of the inbox", (path) => {
  expect(parseInboxPath(path)).toBeNull();
});
