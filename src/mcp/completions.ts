import { type McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { fitsTools } from "#shared/scopes";
import { api } from "../../convex/_generated/api";
import type { Caller } from "../server/caller";
import { queryAs } from "../server/convex";
import type { Exchange } from "./exchange";
import { offeredPrompts } from "./prompts";
import { guarded, offeredResources } from "./resources/register";
import { URI_TEMPLATES } from "./resources/uris";

/** The protocol allows so many values in one answer. */
const VALUES_MAX = 100;

/** Conversations and templates that are looked through: the most recent ones, which people mean most. */
const ROWS_SEARCHED = 100;

/** Longer than any name, number or id. */
const TYPED_CHARS_MAX = 256;

/** What an argument may become, and whether there may be more than was looked through. */
type Found = { values: string[]; more: boolean };

/** Finds it, given what was typed so far and the business number, where one was chosen. */
type Completer = (caller: Caller, typed: string, from: string | undefined) => Promise<Found>;

const COMPLETERS: Readonly<Record<string, Completer>> = {
  from: numbersLike,
  number: numbersLike,
  contact: contactsLike,
  id: conversationsLike,
  template: templatesLike,
};

/**
 * Offers values for the arguments of the prompts and resource templates that the caller is offered; all others are
 * references that do not exist. Names of customers help to find a value and are none.
 */
export function registerCompletions({ server }: McpServer, exchange: Exchange): void {
  server.setRequestHandler("completion/complete", async ({ params: { ref, argument, context } }) =>
    guarded(exchange, async () => {
      const names = argumentsOf(ref, exchange.caller);
      if (names === null)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, "There is no such reference.");
      const { name, value } = argument;
      const isKnown = names.includes(name) && value.length <= TYPED_CHARS_MAX;
      const complete = isKnown && Object.hasOwn(COMPLETERS, name) ? COMPLETERS[name] : undefined;
      const chosen = context?.arguments ?? {};
      const from = chosen["from"] ?? chosen["number"];
      const found = await complete?.(exchange.caller, value, from);
      const values = [...new Set(found?.values)];
      const hasMore = found?.more === true || values.length > VALUES_MAX;
      const total = hasMore ? undefined : values.length;
      return { completion: { values: values.slice(0, VALUES_MAX), hasMore, ...defined({ total }) } };
    }),
  );
}

/** The names of the arguments of a prompt or resource template, or null when there is none such for the caller. */
function argumentsOf(
  ref: { type: "ref/prompt"; name: string } | { type: "ref/resource"; uri: string },
  caller: Caller,
): string[] | null {
  if (ref.type === "ref/prompt") {
    const prompt = offeredPrompts(caller).find(({ name }) => name === ref.name);
    return prompt === undefined ? null : Object.keys(prompt.args.shape);
  }
  const isOffered = offeredResources(caller).some(({ kind }) => URI_TEMPLATES[kind] === ref.uri);
  return isOffered ? [...ref.uri.matchAll(/\{\??(\w+)\}/g)].map(([, name = ""]) => name) : null;
}

async function numbersLike(caller: Caller, typed: string): Promise<Found> {
  const numbers = await queryAs(caller.identity, api.mcpResources.numbers, {});
  const found = numbers.filter(({ name, phoneNumber }) => isLike(typed, [phoneNumber, name]));
  return { values: found.map(({ phoneNumber }) => phoneNumber), more: false };
}

/** Customers of recent conversations, and those of any time whose name, number or @username begins so. */
async function contactsLike(caller: Caller, typed: string, from: string | undefined): Promise<Found> {
  const [recent, named] = await Promise.all([
    recentConversations(caller, from),
    typed.trim() === "" || !fitsTools(caller.tools, ["search_contacts"])
      ? null
      : queryAs(caller.identity, api.mcpReads.searchContacts, { query: typed, ...defined({ from }) }),
  ]);
  const lately = recent.rows.map(({ contact }) => contact);
  const ever = named === null || isRefusal(named) ? [] : named.contacts.map(({ contact }) => contact);
  const found = [...lately, ...ever].filter(({ name, phone, username }) =>
    isLike(typed, [name, phone, username]),
  );
  return { values: found.map(({ _id, phone }) => phone ?? _id), more: recent.more };
}

async function conversationsLike(caller: Caller, typed: string): Promise<Found> {
  const { rows, more } = await recentConversations(caller, undefined);
  const found = rows.filter(({ _id, contact: { name, phone, username } }) =>
    isLike(typed, [_id, name, phone, username]),
  );
  return { values: found.map(({ _id }) => _id), more };
}

async function templatesLike(caller: Caller, typed: string, from: string | undefined): Promise<Found> {
  if (!fitsTools(caller.tools, ["list_templates"])) return { values: [], more: false };
  const asked = { limit: ROWS_SEARCHED, ...defined({ from }) };
  const page = await queryAs(caller.identity, api.mcp.listTemplates, asked);
  if (isRefusal(page)) return { values: [], more: false };
  const names = page.templates.map(({ name }) => name);
  return { values: names.filter((name) => isLike(typed, [name])), more: page.nextCursor !== null };
}

async function recentConversations(caller: Caller, from: string | undefined) {
  if (!fitsTools(caller.tools, ["list_conversations"])) return { rows: [], more: false };
  const asked = { limit: ROWS_SEARCHED, ...defined({ from }) };
  const page = await queryAs(caller.identity, api.mcp.listConversations, asked);
  return isRefusal(page)
    ? { rows: [], more: false }
    : { rows: page.conversations, more: page.nextCursor !== null };
}

/** Whether one of the texts contains what was typed; for numbers it does not matter how they are written. */
function isLike(typed: string, texts: readonly (string | undefined)[]): boolean {
  const sought = plain(typed);
  return texts.some((text) => text !== undefined && plain(text).includes(sought));
}

const plain = (text: string): string => text.toLowerCase().replace(/[\s()+@-]/g, "");
