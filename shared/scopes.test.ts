import { expect, test } from "vitest";
import { hasScope, parseScopes, SCOPES } from "./scopes";

test.each([
  [["read"], "messages:read", true],
  [["read"], "conversations:read", true],
  [["read"], "templates:read", true],
  [["read"], "write", false],
  [["read", "write"], "send", false],
  [["write"], "messages:write", true],
  [["write"], "messages:read", false],
  [["messages:read"], "read", false],
  [["messages:read"], "messages:read", true],
  [[], "read", false],
] as const)("%j cover %s: %s", (granted, needed, expected) => {
  expect(hasScope(granted, needed)).toBe(expected);
});

test("sending must be granted by its own name", () => {
  const others = SCOPES.filter((scope) => scope !== "send");
  expect(hasScope(others, "send")).toBe(false);
});

test("a list is put in order and freed from repetitions", () => {
  expect(parseScopes("send, read send")).toEqual({ scopes: ["read", "send"] });
  expect(parseScopes("read,admin")).toEqual({ unknown: "admin" });
  expect(parseScopes("")).toEqual({ scopes: [] });
});
