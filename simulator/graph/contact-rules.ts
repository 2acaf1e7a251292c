import { asObject, get, getArray, getObject, getText } from "#shared/whatsapp/json";
import { type GraphFailure, invalid, invalidParameter, missing } from "./graph-error";
import { at, firstProblem, required } from "./message-checks";

/** Meta: "Contacts messages": most cards in one message. */
const CONTACTS_MAX = 257;
const NAME_PARTS = ["first_name", "last_name", "middle_name", "suffix", "prefix"] as const;

/** What is wrong with the contact cards of a message, or null. */
export function contactsProblem(value: unknown): GraphFailure | null {
  const cards = Array.isArray(value) ? value : [];
  if (cards.length === 0) return missing("contacts");
  if (cards.length > CONTACTS_MAX) {
    return invalidParameter(`Param contacts must have at most ${CONTACTS_MAX} items.`);
  }
  return firstProblem<unknown>(cards, (card, index) => cardProblem(card, at("contacts", index)));
}

function cardProblem(value: unknown, path: string): GraphFailure | null {
  const card = asObject(value);
  const name = getObject(card, "name");
  const nameless = required(name, at(path, "name"), ["formatted_name"]);
  if (nameless !== null) return nameless;
  if (NAME_PARTS.every((part) => (getText(name, part) ?? "") === "")) {
    return invalid("At least one part of the name is needed beside formatted_name.");
  }
  const birthday = get(card, "birthday");
  if (birthday !== undefined && (typeof birthday !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(birthday))) {
    return invalid(`${at(path, "birthday")} must have the form YYYY-MM-DD.`);
  }
  return (
    entriesProblem(getArray(card, "phones"), at(path, "phones"), "phone") ??
    entriesProblem(getArray(card, "emails"), at(path, "emails"), "email") ??
    entriesProblem(getArray(card, "urls"), at(path, "urls"), "url")
  );
}

function entriesProblem(
  entries: readonly unknown[] | undefined,
  path: string,
  key: string,
): GraphFailure | null {
  return firstProblem(entries ?? [], (entry, index) => required(asObject(entry), at(path, index), [key]));
}
