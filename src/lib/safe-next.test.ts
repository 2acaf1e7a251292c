import { expect, test } from "vitest";
import { safeNext } from "./safe-next";

test.each([
  "/dashboard/abc/def",
  "/dashboard?filter=unread",
  "/docs#run-it",
  "/oauth/consent?client_id=a&redirect_uri=https%3A%2F%2Fexample.com",
])("signing in leads to %j", (next) => {
  expect(safeNext(next)).toBe(next);
});

test.each([
  undefined,
  null,
  "",
  "dashboard",
  "//evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/a\\..\\..\\evil",
  "https://evil.example",
  "javascript:alert(1)",
  " /dashboard",
  "/",
  "/login",
  "/login?next=/login",
  ["/docs", "/docs"],
])("signing in does not lead to %j", (next) => {
  expect(safeNext(next)).toBe("/dashboard");
});
