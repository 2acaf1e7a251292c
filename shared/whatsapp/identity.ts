import { maskPhone, parsePhone, phoneDigits, waIdAliases } from "../phone";
import type { Party } from "./webhook-types";

/**
 * Who somebody on WhatsApp is. A phone number is no identity any more: people with a username are known by a user id
 * that belongs to the business's portfolio (`US.13491208655302741918`), enterprises with several portfolios also by a
 * parent id (`US.ENT.…`). A username may change at any time and is for display and looking up only
 * (Meta: "Business-scoped user IDs").
 */
const USER_ID_FORM = /^[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}$/;

/** Whether a text is a user id, of either kind; a number never is. */
export function isUserId(text: string): boolean {
  return USER_ID_FORM.test(text);
}

/** Country of the user's phone when the id was made: ISO 3166 letters, or null for what is no user id. */
export function userIdCountry(userId: string): string | null {
  return isUserId(userId) ? userId.slice(0, 2) : null;
}

/** Usernames compare without their `@` and without regard to case. */
export function usernameKey(username: string): string {
  return username.replace(/^@/, "").toLowerCase();
}

/** What a person or an agent may write to name a customer. */
export type Naming =
  | { readonly kind: "username"; readonly username: string }
  | { readonly kind: "userId"; readonly userId: string }
  /** E.164 with its plus. */
  | { readonly kind: "phone"; readonly phone: string }
  /** An id of ours, or nothing at all: the caller knows. */
  | { readonly kind: "other"; readonly text: string };

/** Longest username that is looked up; WhatsApp's have at most 35 characters. */
const USERNAME_CHARACTERS_MAX = 64;

/** Reads a phone number in any spelling, `@username`, or a user id. */
export function readNaming(text: string): Naming {
  const word = text.trim();
  if (/^@\S+$/.test(word) && word.length <= USERNAME_CHARACTERS_MAX + 1) {
    return { kind: "username", username: usernameKey(word) };
  }
  if (isUserId(word)) return { kind: "userId", userId: word };
  const phone = parsePhone(word);
  return phone === null ? { kind: "other", text: word } : { kind: "phone", phone };
}

/** One spelling for everything that names the same: two requests that differ only in spelling are the same request. */
export function canonicalNaming(text: string): string {
  const naming = readNaming(text);
  switch (naming.kind) {
    case "username":
      return `@${naming.username}`;
    case "userId":
      return naming.userId;
    case "phone":
      return naming.phone;
    case "other":
      return naming.text;
  }
}

export interface IdentityKey {
  readonly kind: "userId" | "parentUserId" | "waId";
  readonly value: string;
  /** Other WhatsApp ids that the same phone may have, for looking up only. */
  readonly aliases: readonly string[];
}

/**
 * By what somebody is to be found, the surest first. Gateways put user ids where numbers belong; such a one is taken
 * for what it is, and a WhatsApp id that is neither is left out.
 */
export function identityKeys(party: Pick<Party, "waId" | "userId" | "parentUserId">): IdentityKey[] {
  const keys: IdentityKey[] = [];
  const add = (kind: IdentityKey["kind"], value: string, aliases: readonly string[] = []) => {
    if (!keys.some((key) => key.kind === kind && key.value === value)) keys.push({ kind, value, aliases });
  };
  if (party.userId !== undefined && isUserId(party.userId)) add("userId", party.userId);
  if (party.waId !== undefined && isUserId(party.waId)) add("userId", party.waId);
  const digits = party.waId === undefined || isUserId(party.waId) ? "" : phoneDigits(party.waId);
  if (digits !== "") add("waId", digits, waIdAliases(digits).slice(1));
  if (party.parentUserId !== undefined && isUserId(party.parentUserId)) {
    add("parentUserId", party.parentUserId);
  }
  return keys;
}

/** For logs: enough to tell two people apart in one incident, too little to find either. */
export function maskIdentity(party: Pick<Party, "waId" | "userId">): string {
  if (party.waId !== undefined && !isUserId(party.waId)) return maskPhone(party.waId);
  const userId = party.userId ?? party.waId;
  return userId === undefined ? "***" : `${userId.slice(0, 3)}***${userId.slice(-2)}`;
}
