import { singleArgument } from "../call-argument";
import { developerError } from "../errors";
import {
  isJsonObject,
  optionalString,
  parseJson,
  requireArray,
  requireCount,
  requireObject,
  requireString,
} from "../json";
import type { JsonObject, JsonValue, Timestamp } from "../types";
import { decodeTs } from "../wire-timestamp";

/** A function to call, as a client names it. */
export type Target = { path: string; component: string; args: JsonValue };

export type Credential =
  | { kind: "none" }
  | { kind: "user"; token: string }
  | { kind: "admin"; key: string; actingAs: JsonObject | undefined };

export type QueryChange =
  | { kind: "add"; queryId: number; target: Target; journal: string | null }
  | { kind: "remove"; queryId: number };

export type ClientMessage =
  | { kind: "connect"; sessionId: string; maxObservedTs: Timestamp | null; clientTsMs: number | null }
  | { kind: "authenticate"; baseVersion: number; credential: Credential }
  | { kind: "modifyQuerySet"; baseVersion: number; newVersion: number; changes: QueryChange[] }
  | { kind: "call"; of: "mutation" | "action"; requestId: number; target: Target }
  | { kind: "event" };

/** Sessions are UUIDs; longer names would only fill the table of answered requests. */
const SESSION_ID_CHARS_MAX = 64;

/** Reads one frame of the sync protocol. Throws a developer error on anything that no client of Convex would send. */
export function parseClientMessage(text: string): ClientMessage {
  const message = requireObject(parseJson(text, "The message"), "The message");
  switch (message["type"]) {
    case "Connect":
      return readConnect(message);
    case "Authenticate":
      return {
        kind: "authenticate",
        baseVersion: requireCount(message["baseVersion"], "baseVersion"),
        credential: readCredential(message),
      };
    case "ModifyQuerySet":
      return {
        kind: "modifyQuerySet",
        baseVersion: requireCount(message["baseVersion"], "baseVersion"),
        newVersion: requireCount(message["newVersion"], "newVersion"),
        changes: requireArray(message["modifications"], "modifications").map(readChange),
      };
    case "Mutation":
      return readCall("mutation", message);
    case "Action":
      return readCall("action", message);
    case "Event":
      return { kind: "event" };
    default:
      throw developerError("UnknownMessage", "The message has no type that this server knows.");
  }
}

function readConnect(message: JsonObject): ClientMessage {
  const sessionId = requireString(message["sessionId"], "sessionId");
  if (sessionId === "" || sessionId.length > SESSION_ID_CHARS_MAX) {
    throw developerError("BadSessionId", "sessionId must be a UUID.");
  }
  const observed = optionalString(message["maxObservedTimestamp"], "maxObservedTimestamp");
  const clientTs = message["clientTs"];
  return {
    kind: "connect",
    sessionId,
    maxObservedTs: observed === undefined ? null : decodeTs(observed),
    clientTsMs: typeof clientTs === "number" ? clientTs : null,
  };
}

function readCredential(message: JsonObject): Credential {
  switch (message["tokenType"]) {
    case "None":
      return { kind: "none" };
    case "User":
      return { kind: "user", token: requireString(message["value"], "value") };
    case "Admin": {
      const actingAs = message["impersonating"];
      return {
        kind: "admin",
        key: requireString(message["value"], "value"),
        actingAs: isJsonObject(actingAs) ? actingAs : undefined,
      };
    }
    default:
      throw developerError("BadTokenType", "tokenType must be User, Admin or None.");
  }
}

function readChange(value: JsonValue): QueryChange {
  const change = requireObject(value, "A modification");
  const queryId = requireCount(change["queryId"], "queryId");
  switch (change["type"]) {
    case "Add":
      return {
        kind: "add",
        queryId,
        target: readTarget(change),
        journal: optionalString(change["journal"], "journal") ?? null,
      };
    case "Remove":
      return { kind: "remove", queryId };
    default:
      throw developerError("BadModification", "A modification must be an Add or a Remove.");
  }
}

const readCall = (of: "mutation" | "action", message: JsonObject): ClientMessage => ({
  kind: "call",
  of,
  requestId: requireCount(message["requestId"], "requestId"),
  target: readTarget(message),
});

const readTarget = (message: JsonObject): Target => ({
  // `messages.js:list` and `messages:list` are the same function and may share one run.
  path: requireString(message["udfPath"], "udfPath").replace(/\.js(?=:|$)/, ""),
  component: optionalString(message["componentPath"], "componentPath") ?? "",
  args: singleArgument(message["args"]),
});
