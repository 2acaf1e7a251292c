import { defined } from "#shared/defined";
import { phoneDigits } from "#shared/phone";
import { usernameKey } from "#shared/whatsapp/identity";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { viewNumber } from "./callerReads";
import type { IdentityKind } from "./contactIdentities";
import { findContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { fail } from "./errors";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { conversationModeOf } from "./modes";
import { viewContact } from "./views";

/** What a search returns at most: better words find more than a second page of bad matches. */
const FOUND_CONTACTS_MAX = 20;

/** Longest query that is read; longer than any name, number or id. */
const QUERY_CHARACTERS_MAX = 256;

/** Fewer digits than this begin too many numbers to mean one. */
const PHONE_DIGITS_MIN = 3;

/** Customers whose name, number, @username or id is alike: those named exactly first, then by number, then by name. */
export async function searchContactsForCaller(
  ctx: QueryCtx,
  caller: Caller,
  args: { from?: string; query: string; limit?: number },
) {
  const granted = await grantNumber(ctx, caller, "conversations:read", args.from);
  if (granted.refused) return granted;
  const accountId = granted.account._id;
  const query = args.query.trim();
  if (query === "" || query.length > QUERY_CHARACTERS_MAX) fail("invalid_request", { field: "query" });
  const limit = Math.min(Math.max(Math.trunc(args.limit ?? FOUND_CONTACTS_MAX), 1), FOUND_CONTACTS_MAX);
  const exact = await findContact(ctx, accountId, query);
  const found = [
    ...(exact === null ? [] : [exact]),
    ...(await startingWith(ctx, accountId, query)),
    ...(await named(ctx, accountId, query)),
  ];
  const contacts = [...new Map(found.map((contact) => [contact._id, contact])).values()].slice(0, limit);
  return {
    account: viewNumber(granted.account),
    contacts: await Promise.all(contacts.map((contact) => viewFound(ctx, contact))),
  };
}

async function startingWith(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  query: string,
): Promise<Doc<"contacts">[]> {
  const digits = /^[+\d\s().-]+$/.test(query) ? phoneDigits(query) : "";
  const username = /^@?[\w.]+$/.test(query) ? usernameKey(query) : "";
  const starts: [IdentityKind, string][] = [];
  if (digits.length >= PHONE_DIGITS_MIN) starts.push(["wa_id", digits], ["phone", digits]);
  else if (username !== "") starts.push(["username", username]);
  const rows = await Promise.all(starts.map(([kind, start]) => identitiesFrom(ctx, accountId, kind, start)));
  const contacts = await Promise.all(rows.flat().map(({ contactId }) => ctx.db.get(contactId)));
  return contacts.filter((contact) => contact !== null);
}

/** Numbers and usernames hold nothing that sorts behind this. */
const AFTER_ALL = "\uffff";

async function identitiesFrom(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  kind: IdentityKind,
  start: string,
): Promise<Doc<"contactIdentities">[]> {
  const rows = await ctx.db
    .query("contactIdentities")
    .withIndex("by_account_kind_value", (q) =>
      q
        .eq("accountId", accountId)
        .eq("kind", kind)
        .gte("value", start)
        .lt("value", start + AFTER_ALL),
    )
    .take(FOUND_CONTACTS_MAX);
  return rows.filter(({ endedAt }) => endedAt === undefined);
}

async function named(ctx: QueryCtx, accountId: Id<"accounts">, query: string): Promise<Doc<"contacts">[]> {
  return await ctx.db
    .query("contacts")
    .withSearchIndex("search_name", (q) => q.search("profileName", query).eq("accountId", accountId))
    .take(FOUND_CONTACTS_MAX);
}

/** Without a conversation, nothing was ever said: such a contact can be written to by template. */
async function viewFound(ctx: QueryCtx, contact: Doc<"contacts">) {
  const conversation = await findConversationOf(ctx, contact);
  if (conversation === null) return { contact: viewContact(contact) };
  const { lastMessageAt, windowExpiresAt } = conversation;
  return {
    contact: viewContact(contact),
    mode: conversationModeOf(conversation),
    lastMessageAt,
    ...defined({ windowExpiresAt }),
  };
}
