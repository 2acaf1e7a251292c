import type { Doc } from "../_generated/dataModel";

/** Characters of a business-scoped id that are shown when nothing better is known. */
const SHORT_USER_ID_CHARACTERS = 12;

/** What a person calls the contact: the name it gave itself, else @username, else the phone, else part of its id. */
export function contactName(contact: Doc<"contacts">): string {
  if (contact.profileName !== undefined && contact.profileName !== "") return contact.profileName;
  if (contact.username !== undefined) return `@${contact.username}`;
  if (contact.phone !== undefined) return contact.phone;
  if (contact.userId === undefined) return "Unknown contact";
  if (contact.userId.length <= SHORT_USER_ID_CHARACTERS) return contact.userId;
  return `${contact.userId.slice(0, SHORT_USER_ID_CHARACTERS)}…`;
}
