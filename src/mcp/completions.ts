import { type McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { isRefusal } from "#shared/errors";
import { fitsTools } from "#shared/scopes";
import { api } from "../../convex/_generated/api";
import type { Caller } from "../server/caller";
import { queryAs } from "../server/convex";
import type { Exchange } from "./exchange";
import { PROMPTS } from "./prompts";
import { guarded } from "./resources/register";
import { URI_TEMPLATES } from "./resources/uris";

/** The protocol allows so many values in one answer. */
const VALUES_MAX = 100;

/** Conversations and templates that are searched for a value: the most recent ones, which people mean most. */
const ROWS_SEARCHED = 50;

/** Finds what an argument may become, given what was typed so far and the business number, where one was chosen. */
type Completer = (caller: Caller, typed: string, from: string | undefined) => Promise<string[]>;

const COMPLETERS: Readonly<Record<string, Completer>> = {
  from: numbersLike,
  number: numbersLike,
  contact: contactsLike,
  id: conversationsLike,
  template: templatesLike,
};

/** Offers values for the arguments of prompts and of resource templates. Names of customers help to find a value and are none. */
export function registerCompletions({ server }: McpServer, exchange: Exchange): void {
  server.setRequestHandler("completion/complete", async ({ params: { ref, argument, context } }) =>
    guarded(exchange, async () => {
      if (!isKnown(ref))
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, "There is no such reference.");
      const chosen = context?.arguments ?? {};
      const complete = Object.hasOwn(COMPLETERS, argument.name) ? COMPLETERS[argument.name] : undefined;
      const from = chosen["from"] ?? chosen["number"];
      const values = complete === undefined ? [] : await complete(exchange.caller, argument.value, from);
      const distinct = [...new Set(values)];
      return {
        completion: {
          values: distinct.slice(0, VALUES_MAX),
          total: distinct.length,
          hasMore: distinct.length > VALUES_MAX,
        },
      };
    }),
  );
}

function isKnown(ref: { type: "ref/prompt"; name: string } | { type: "ref/resource"; uri: string }): boolean {
  return ref.type === "ref/prompt"
    ? PROMPTS.some(({ name }) => name === ref.name)
    : Object.values(URI_TEMPLATES).some((template) => template === ref.uri);
}

async function numbersLike(caller: Caller, typed: string): Promise<string[]> {
  const numbers = await queryAs(caller.identity, api.mcpResources.numbers, {});
  return numbers
    .filter(({ name, phoneNumber }) => isLike(typed, [phoneNumber, name]))
    .map(({ phoneNumber }) => phoneNumber);
}

async function contactsLike(caller: Caller, typed: string, from: string | undefined): Promise<string[]> {
  const conversations = await recentConversations(caller, from);
  return conversations
    .filter(({ contact: { name, phone, username } }) => isLike(typed, [name, phone, username]))
    .map(({ contact: { _id, phone } }) => phone ?? _id);
}

async function conversationsLike(caller: Caller, typed: string): Promise<string[]> {
  const conversations = await recentConversations(caller, undefined);
  return conversations
    .filter(({ _id, contact: { name, phone, username } }) => isLike(typed, [_id, name, phone, username]))
    .map(({ _id }) => _id);
}

async function templatesLike(caller: Caller, typed: string, from: string | undefined): Promise<string[]> {
  if (!fitsTools(caller.tools, ["list_templates"])) return [];
  const page = await queryAs(caller.identity, api.mcp.listTemplates, {
    limit: ROWS_SEARCHED,
    ...(from !== undefined && { from }),
  });
  return isRefusal(page)
    ? []
    : page.templates.map(({ name }) => name).filter((name) => isLike(typed, [name]));
}

async function recentConversations(caller: Caller, from: string | undefined) {
  if (!fitsTools(caller.tools, ["list_conversations"])) return [];
  const page = await queryAs(caller.identity, api.mcp.listConversations, {
    limit: ROWS_SEARCHED,
    ...(from !== undefined && { from }),
  });
  return isRefusal(page) ? [] : page.conversations;
}

/** Whether one of the texts contains what was typed; for numbers it does not matter how they are written. */
function isLike(typed: string, texts: readonly (string | undefined)[]): boolean {
  const sought = plain(typed);
  return texts.some((text) => text !== undefined && plain(text).includes(sought));
}

const plain = (text: string): string => text.toLowerCase().replace(/[\s()+@-]/g, "");
