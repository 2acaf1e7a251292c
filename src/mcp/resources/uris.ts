import type { FunctionArgs } from "convex/server";
import type { ResourceKind } from "#shared/domain/resource-access";
import type { api } from "../../../convex/_generated/api";

/** What the backend takes as a resource. */
export type ResourceRef = FunctionArgs<typeof api.mcpPush.locate>["resources"][number];

/** A URI of ours, taken apart. `since` is a cursor and only reads by it. */
export type ResourceUri = { kind: ResourceKind; ref?: string; since?: string };

/** Longer than any URI that this server makes, cursor included. */
const URI_CHARS_MAX = 1_024;

/** Each kind as RFC 6570 template, the form in which clients are told of it. */
export const URI_TEMPLATES = {
  accounts: "pons://accounts",
  messages: "pons://accounts/{number}/messages{?since}",
  conversation: "pons://conversations/{id}",
  templates: "pons://templates/{number}",
  media: "pons://media/{message_id}",
  policy: "pons://policy",
} as const satisfies Record<ResourceKind, string>;

const FORMS: readonly (readonly [ResourceKind, RegExp])[] = [
  ["accounts", /^pons:\/\/accounts$/],
  ["policy", /^pons:\/\/policy$/],
  ["messages", /^pons:\/\/accounts\/([^/?#]+)\/messages(?:\?since=([^&#]+))?$/],
  ["conversation", /^pons:\/\/conversations\/([^/?#]+)$/],
  ["templates", /^pons:\/\/templates\/([^/?#]+)$/],
  ["media", /^pons:\/\/media\/([^/?#]+)$/],
];

/** The parts of a URI, or null when it is none of ours. */
export function parseUri(uri: string): ResourceUri | null {
  if (uri.length > URI_CHARS_MAX) return null;
  for (const [kind, form] of FORMS) {
    const match = form.exec(uri);
    if (match === null) continue;
    const [ref, since] = [decoded(match[1]), decoded(match[2])];
    if (ref === null || since === null) return null;
    return { kind, ...(ref !== undefined && { ref }), ...(since !== undefined && { since }) };
  }
  return null;
}

/** The URI of a resource. Numbers are written as digits, so that nothing of a URI needs to be escaped. */
export function uriOf(kind: ResourceKind, ref = ""): string {
  const plain = encodeURIComponent(ref.replace(/^\+/, ""));
  return URI_TEMPLATES[kind].replace(/\{\?since\}$/, "").replace(/\{[a-z_]+\}/, plain);
}

/** As the backend takes it: without the cursor, which is for reading. */
export function refOf({ kind, ref }: ResourceUri): ResourceRef {
  return { kind, ...(ref !== undefined && { ref }) };
}

function decoded(text: string | undefined): string | null | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
