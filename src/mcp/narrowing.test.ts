import { describe, expect, it } from "vitest";
import { hasScope } from "#shared/scopes";
import type { Id } from "../../convex/_generated/dataModel";
import type { Caller } from "../server/caller";
import type { Exchange } from "./exchange";
import { headOf, traceIdOf } from "./exchange";
import { NOT_NARROWED, narrowingOf } from "./narrowing";
import { offeredTools } from "./server";
import { TOOLS } from "./tools";

const caller = (scopes: Caller["scopes"]): Caller => ({
  principal: "key:k1",
  // The tools are only listed here; nobody looks the id up.
  identity: { use: "mcp", apiKeyId: "k1" as Id<"apiKeys"> },
  name: "test",
  scopes,
  numbers: 1,
  confirmAfter: "flagged",
});

const namesFor = (exchange: Exchange) => offeredTools(exchange).map(({ name }) => name);

const narrowed = (query: string, headers: Record<string, string> = {}) =>
  narrowingOf(new URL(`http://localhost:3000/api/mcp${query}`), new Headers(headers));

describe("what a connection gives up", () => {
  it("is nothing where it says nothing, or says no", () => {
    for (const query of ["", "?read_only=false", "?read_only=0", "?unknown=1"]) {
      expect(narrowed(query)).toEqual(NOT_NARROWED);
    }
    expect(narrowed("", { "x-mcp-readonly": "false" })).toEqual(NOT_NARROWED);
  });

  it("is every tool that changes something, by parameter or header, also when misspelt", () => {
    const wishes = [
      narrowed("?read_only=true"),
      narrowed("?read_only="),
      narrowed("?read_only=yes"),
      narrowed("?read_only=false&read_only=true"),
      narrowed("?read_only=false", { "x-mcp-readonly": "true" }),
    ];
    for (const narrowing of wishes) {
      const names = namesFor({ caller: caller(["read", "write", "send"]), narrowing });
      expect(names).toEqual(
        TOOLS.filter(({ annotations }) => annotations.readOnlyHint).map(({ name }) => name),
      );
    }
  });

  it("is every tool that is not on its list, and lists that are repeated narrow further", () => {
    const all = caller(["read", "write", "send"]);
    const names = (query: string) => namesFor({ caller: all, narrowing: narrowed(query) });
    expect(names("?tools=send_text,%20get_conversation")).toEqual(["get_conversation", "send_text"]);
    expect(names("?tools=send_text,get_conversation&tools=send_text")).toEqual(["send_text"]);
    expect(names("?tools=")).toEqual([]);
    expect(names("?tools=no_such_tool")).toEqual([]);
  });

  it("can be all but the tools that most agents need", () => {
    const all = caller(["read", "write", "send"]);
    const core = namesFor({ caller: all, narrowing: narrowed("?tool_set=core") });
    expect(core).toEqual(TOOLS.filter((tool) => tool.core).map(({ name }) => name));
    expect(core).toHaveLength(12);
    expect(namesFor({ caller: all, narrowing: narrowed("?tool_set=full") })).toHaveLength(TOOLS.length);
  });

  it("is all that a customer would see, of a key that only reads", () => {
    const inbound: Caller = { ...caller(["read", "write", "send"]), direction: "inbound" };
    const names = namesFor({ caller: inbound, narrowing: NOT_NARROWED });
    expect(names).toEqual(
      TOOLS.filter(({ annotations }) => !annotations.openWorldHint).map(({ name }) => name),
    );
    expect(names).toContain("updateConversation");
  });

  it("never adds to what the scopes allow", () => {
    for (const scopes of [["read"], ["send"], ["conversations:read"], []] as const) {
      const allowed = TOOLS.filter(({ scope }) => scope === null || hasScope(scopes, scope)).map(
        ({ name }) => name,
      );
      for (const query of ["", "?read_only=false", `?tools=${TOOLS.map(({ name }) => name).join()}`]) {
        expect(namesFor({ caller: caller(scopes), narrowing: narrowed(query) })).toEqual(allowed);
      }
    }
  });
});

describe("a server for one message", () => {
  it("has the tools that the message needs and no others", () => {
    const exchange = (method: string, name?: string): Exchange => ({
      caller: caller(["read", "send"]),
      narrowing: NOT_NARROWED,
      message: { method, name: name ?? null, id: 1 },
    });
    expect(namesFor(exchange("tools/call", "send_text"))).toEqual(["send_text"]);
    expect(namesFor(exchange("tools/call"))).toEqual([]);
    expect(namesFor(exchange("ping"))).toEqual([]);
    expect(namesFor(exchange("tools/list"))).toEqual(namesFor({ ...exchange("x"), message: undefined }));
  });

  it("reads the head of a message whatever else is in it", () => {
    expect(headOf({ method: "tools/call", id: 7, params: { name: "send_text" } })).toEqual({
      method: "tools/call",
      id: 7,
      name: "send_text",
    });
    expect(headOf({ method: "x", id: {}, params: { name: 5 } })).toEqual({
      method: "x",
      id: null,
      name: null,
    });
    const capabilities = { elicitation: {}, sampling: {} };
    expect(headOf({ method: "initialize", id: 1, params: { capabilities } })).toMatchObject({
      elicits: true,
    });
    const byAddress = { elicitation: { url: {} } };
    expect(headOf({ method: "initialize", id: 1, params: { capabilities: byAddress } })).not.toHaveProperty(
      "elicits",
    );
    for (const other of [null, 5, [], {}, { id: 1, result: {} }]) expect(headOf(other)).toBeNull();
  });
});

describe("the trace of a request", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const parent = `00-${trace}-b7ad6b7169203331-01`;

  it("is taken from the message, else from the HTTP header", () => {
    const message = { method: "x", params: { _meta: { traceparent: parent } } };
    expect(traceIdOf(message, new Headers())).toBe(trace);
    expect(traceIdOf({ method: "x" }, new Headers({ traceparent: parent }))).toBe(trace);
    expect(traceIdOf({ method: "x" }, new Headers())).toBeUndefined();
  });

  it("is no text of the sender's choice", () => {
    for (const bad of [`00-${"0".repeat(32)}-b7ad6b7169203331-01`, "00-x-y-z", `00-${trace}\n-`, ""]) {
      expect(traceIdOf({ method: "x" }, new Headers())).toBeUndefined();
      expect(
        traceIdOf({ method: "x", params: { _meta: { traceparent: bad } } }, new Headers()),
      ).toBeUndefined();
    }
  });
});
