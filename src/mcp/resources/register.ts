import {
  type ListResourcesResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
} from "@modelcontextprotocol/server";
import { mayReadResource } from "#shared/domain/resource-access";
import { isRefusal } from "#shared/errors";
import { fitsTools } from "#shared/scopes";
import { api } from "../../../convex/_generated/api";
import type { Caller } from "../../server/caller";
import { queryAs } from "../../server/convex";
import { auditCall } from "../audit";
import type { Exchange } from "../exchange";
import { errorText } from "../results";
import { noteShown } from "../shown";
import type { Resource } from "./define-resource";
import { RESOURCES } from "./index";
import { parseUri, URI_TEMPLATES, uriOf } from "./uris";

/** Conversations that are listed for each number; all others are found by list_conversations. */
const CONVERSATIONS_LISTED = 20;

/** Numbers whose conversations are listed; a caller with more picks from the templates. */
const NUMBERS_LISTED = 5;

/** Offers the resources that the caller's credential allows; every other URI is one that does not exist. */
export function registerResources({ server }: McpServer, exchange: Exchange): void {
  const { caller } = exchange;
  server.setRequestHandler("resources/list", async () =>
    guarded(exchange, async () => ({ resources: await listed(caller) })),
  );
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: offeredResources(caller)
      .filter(({ kind }) => URI_TEMPLATES[kind].includes("{"))
      .map(({ kind, name, title, description, mimeType }) => ({
        ...{ uriTemplate: URI_TEMPLATES[kind], name, title, description },
        // Files are of many types, so none is promised.
        ...(kind !== "media" && { mimeType }),
      })),
  }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) =>
    guarded(exchange, async () => await read(caller, uri)),
  );
  const { subscriptions } = exchange;
  if (subscriptions === undefined) return;
  server.setRequestHandler("resources/subscribe", async ({ params: { uri } }) =>
    guarded(exchange, async () => {
      const target = parseUri(uri);
      if (target === null || !(await subscriptions.add(uri, target))) throw new ResourceNotFoundError(uri);
      return {};
    }),
  );
  server.setRequestHandler("resources/unsubscribe", async ({ params: { uri } }) =>
    guarded(exchange, async () => {
      await subscriptions.remove(uri);
      return {};
    }),
  );
}

/** The kinds of resources that a caller may read, in the order in which clients see them. */
export const offeredResources = (caller: Caller): Resource[] =>
  Object.values(RESOURCES).filter(({ kind }) => mayReadResource(caller, kind));

async function read(caller: Caller, uri: string): Promise<ReadResourceResult> {
  const startedAt = performance.now();
  const parsed = parseUri(uri);
  const resource =
    parsed === null ? undefined : offeredResources(caller).find(({ kind }) => kind === parsed.kind);
  const content = parsed === null || resource === undefined ? null : await resource.read(caller, parsed);
  const outcome = content === null ? "not_found" : isRefusal(content) ? content.reason : "ok";
  auditCall({ caller, tool: "resources/read", args: { uri }, outcome, startedAt });
  // What is not there, what is another's and what the scopes do not cover are one and the same answer.
  if (content === null || isRefusal(content)) throw new ResourceNotFoundError(uri);
  if ("text" in content) await noteShown(caller, JSON.parse(content.text));
  return { contents: [{ uri, ...content }] };
}

/** What there is to read, by names of ours: a conversation is listed by its id and never by what a customer wrote. */
async function listed(caller: Caller): Promise<ListResourcesResult["resources"]> {
  const kinds = new Map(offeredResources(caller).map((resource) => [resource.kind, resource]));
  const entry = (kind: Resource["kind"], ref?: string, label = ref) => {
    const resource = kinds.get(kind);
    if (resource === undefined) return [];
    const { name, title, description, mimeType } = resource;
    return [
      {
        uri: uriOf(kind, ref),
        name: label === undefined ? name : `${name} ${label}`,
        title: label === undefined ? title : `${title}: ${label}`,
        ...{ description, mimeType },
      },
    ];
  };
  const numbers = await queryAs(caller.identity, api.mcpResources.numbers, {});
  const perNumber = numbers.flatMap(({ phoneNumber }) => [
    ...entry("messages", phoneNumber),
    ...entry("templates", phoneNumber),
  ]);
  const conversations = kinds.has("conversation") ? await recentConversations(caller, numbers) : [];
  return [
    ...entry("accounts"),
    ...entry("policy"),
    ...perNumber,
    ...conversations.flatMap((id) => entry("conversation", id)),
  ];
}

async function recentConversations(
  caller: Caller,
  numbers: readonly { phoneNumber: string }[],
): Promise<string[]> {
  if (!fitsTools(caller.tools, ["list_conversations"])) return [];
  const pages = await Promise.all(
    numbers.slice(0, NUMBERS_LISTED).map(({ phoneNumber }) =>
      queryAs(caller.identity, api.mcp.listConversations, {
        from: phoneNumber,
        limit: CONVERSATIONS_LISTED,
      }),
    ),
  );
  return pages.flatMap((page) => (isRefusal(page) ? [] : page.conversations.map(({ _id }) => _id)));
}

/** Errors of ours as the protocol's; of all others the caller learns an id and nothing else. */
export async function guarded<Result>({ traceId }: Exchange, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError(ProtocolErrorCode.InternalError, errorText("mcp resources", error, traceId));
  }
}
