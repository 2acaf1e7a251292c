import { expect, test } from "vitest";
import { encodeTs } from "../wire-timestamp";
import { parseClientMessage } from "./client-messages";

const parse = (message: object) => parseClientMessage(JSON.stringify(message));

test("timestamps survive the wire as eight little-endian bytes", () => {
  const maxObservedTimestamp = encodeTs(1_795_245_342_090_000_001n);
  expect(encodeTs(0n)).toBe("AAAAAAAAAAA=");
  expect(parse({ type: "Connect", sessionId: "s", maxObservedTimestamp, clientTs: 5 })).toEqual({
    kind: "connect",
    sessionId: "s",
    maxObservedTs: 1_795_245_342_090_000_001n,
    clientTsMs: 5,
  });
});

test("a function has one name, with or without the file's extension", () => {
  const mutation = (udfPath: string) => parse({ type: "Mutation", requestId: 0, udfPath, args: [{ a: 1 }] });
  expect(mutation("dir/messages.js:send")).toEqual(mutation("dir/messages:send"));
  expect(mutation("messages.js")).toMatchObject({
    target: { path: "messages", component: "", args: { a: 1 } },
  });
});

test.each([
  ["no object", []],
  ["no type", {}],
  ["an unknown type", { type: "Hello" }],
  ["a negative version", { type: "Authenticate", baseVersion: -1, tokenType: "None" }],
  ["an unknown token type", { type: "Authenticate", baseVersion: 0, tokenType: "Basic" }],
  ["a user without a token", { type: "Authenticate", baseVersion: 0, tokenType: "User" }],
  ["a fractional request id", { type: "Mutation", requestId: 1.5, udfPath: "a:b", args: [{}] }],
  ["two arguments", { type: "Action", requestId: 1, udfPath: "a:b", args: [{}, {}] }],
  [
    "an unknown modification",
    { type: "ModifyQuerySet", baseVersion: 0, newVersion: 1, modifications: [{ type: "Swap", queryId: 1 }] },
  ],
  ["a short timestamp", { type: "Connect", sessionId: "s", maxObservedTimestamp: "AAAA" }],
  ["an endless session id", { type: "Connect", sessionId: "s".repeat(65) }],
])("a message with %s is refused", (_, message) => {
  expect(() => parse(message)).toThrowError(expect.objectContaining({ kind: "developer" }));
});
