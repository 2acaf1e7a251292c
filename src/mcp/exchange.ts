import { TRACEPARENT_META_KEY } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Caller } from "../server/caller";
import { canElicit } from "./asking";
import type { Narrowing } from "./narrowing";
import type { Ask } from "./questions";
import type { ResourceUri } from "./resources/uris";

/** One request of one caller, or one stdio connection: all that a server and its tools know of the other side. */
export type Exchange = {
  caller: Caller;
  narrowing: Narrowing;
  /** The only message that the server will see, or absent where a connection stays open for more. */
  message?: MessageHead | undefined;
  /** Where the connection keeps what it subscribes to; absent where it cannot be told anything. */
  subscriptions?: Subscriptions;
  /** Asks the person behind a client that is connected by the older protocol; absent where nobody can be asked so. */
  ask?: Ask;
  /** W3C trace id of the client's own trace, for the log. */
  traceId?: string;
};

export type Subscriptions = {
  /** False for a resource that the caller may not read or that is not there. */
  add: (uri: string, target: ResourceUri) => Promise<boolean>;
  remove: (uri: string) => Promise<void>;
};

/** For a server that only says that it can be subscribed to; the subscribing itself happens elsewhere. */
export const NO_SUBSCRIPTIONS: Subscriptions = { add: async () => false, remove: async () => undefined };

/** What is needed of a message before the SDK reads it. */
export type MessageHead = {
  method: string;
  name: string | null;
  id: string | number | null;
  /** Of `initialize`: whether the client can put a question to a person. */
  elicits?: true;
};

const head = z.looseObject({
  method: z.string(),
  id: z.union([z.string(), z.number()]).nullish().catch(null),
  params: z
    .looseObject({
      name: z.string().nullish().catch(null),
      capabilities: z.looseObject({ elicitation: z.unknown().optional() }).optional().catch(undefined),
      _meta: z.looseObject({ [TRACEPARENT_META_KEY]: z.string().optional().catch(undefined) }).optional(),
    })
    .optional()
    .catch(undefined),
});

/** The method and name of a JSON-RPC message, or null for anything else (a response, or nonsense). */
export function headOf(message: unknown): MessageHead | null {
  const parsed = head.safeParse(message);
  if (!parsed.success) return null;
  const { method, id, params } = parsed.data;
  const elicits: boolean = canElicit(params?.capabilities?.elicitation);
  return { method, id: id ?? null, name: params?.name ?? null, ...(elicits && { elicits }) };
}

/** `version-traceid-parentid-flags` of W3C Trace Context; the all-zero trace id is invalid there. */
const TRACEPARENT_FORM = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** The trace that a request belongs to, by its message (MCP 2026-07-28) or its HTTP header. */
export function traceIdOf(message: unknown, headers: Headers): string | undefined {
  const parsed = head.safeParse(message);
  const inMessage = parsed.success ? parsed.data.params?._meta?.[TRACEPARENT_META_KEY] : undefined;
  const given = typeof inMessage === "string" ? inMessage : headers.get("traceparent");
  return TRACEPARENT_FORM.exec(given ?? "")?.[1];
}
