import { describe, expect, it } from "vitest";
import { mayReadResource, RESOURCE_KINDS } from "./resource-access";

const readable = (limits: Parameters<typeof mayReadResource>[0]) =>
  RESOURCE_KINDS.filter((kind) => mayReadResource(limits, kind));

describe("a resource", () => {
  it("is open to a key that reads, and only the two about the key to one that does not", () => {
    expect(readable({ scopes: ["read"] })).toEqual(RESOURCE_KINDS);
    expect(readable({ scopes: ["write", "send"] })).toEqual(["accounts", "policy"]);
    expect(readable({ scopes: ["templates:read"] })).toEqual(["accounts", "templates", "policy"]);
  });

  it("is closed to a key that may not use the tool which gives the same", () => {
    expect(readable({ scopes: ["read"], tools: ["get_conversation"] })).toEqual([
      "accounts",
      "conversation",
      "policy",
    ]);
    expect(readable({ scopes: ["read"], tools: ["send_text"] })).toEqual(["accounts", "policy"]);
  });

  it("is closed to a key that works outbound only", () => {
    expect(readable({ scopes: ["read", "send"], direction: "outbound" })).toEqual(["accounts", "policy"]);
    expect(readable({ scopes: ["read"], direction: "inbound" })).toEqual(RESOURCE_KINDS);
  });
});
