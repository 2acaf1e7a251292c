import { createHash } from "node:crypto";
import type { FunctionArgs } from "convex/server";
import { flagsOf } from "#shared/domain/flagged-text";
import { hasScope } from "#shared/scopes";
import { api } from "../../convex/_generated/api";
import type { Caller } from "../server/caller";
import { mutateAs } from "../server/convex";

type Shown = FunctionArgs<typeof api.mcpConfirmations.noteShown>["shown"][number];
type Source = Shown["source"];
type CustomerText = { source: Source; text: string };

/** 128 bits of SHA-256: nobody can write two texts that are taken for one. */
const HASH_CHARS = 32;

/** Fields of a message or contact that its writer has no say in. */
const FACTS = new Set([
  ...["id", "wamid", "direction", "type", "status", "timestamp", "phone", "mime"],
  ...["conversation", "reply_to", "edited_at"],
]);
const FACTS_OF_FILES = new Set(["message_id", "url", "expires_at"]);

/**
 * Notes what of an answer calls for confirming the next sends to others. It has to be called before the answer leaves:
 * if it fails, nothing is handed over, so there is no moment at which an agent has read what nobody knows of.
 */
export async function noteShown(caller: Caller, answer: unknown): Promise<void> {
  await noteTexts(caller, [...customerTexts(answer)]);
}

/** The same for texts that do not stand in an answer. */
export async function noteTexts(caller: Caller, texts: readonly CustomerText[]): Promise<void> {
  if (!maySend(caller) || caller.confirmAfter === "nothing") return;
  const hashes = new Map<string, { source: Source; textHashes: Set<string> }>();
  for (const { source, text } of texts) {
    const hash = hashOf(text);
    if (caller.confirmAfter === "flagged" && !isFlagged(text, hash)) continue;
    const key = JSON.stringify(source);
    const known = hashes.get(key) ?? { source, textHashes: new Set() };
    known.textHashes.add(hash);
    hashes.set(key, known);
  }
  if (hashes.size === 0) return;
  const shown = [...hashes.values()].map(({ source, textHashes }) => ({
    source,
    textHashes: [...textHashes],
  }));
  await mutateAs(caller.identity, api.mcpConfirmations.noteShown, { shown });
}

/** Texts whose flags this process remembers: agents read the same messages and names again and again. */
const REMEMBERED_MAX = 20_000;

const remembered = new Map<string, boolean>();

/** Looking for flags costs more than all else that is done with a text on its way out. */
function isFlagged(text: string, hash: string): boolean {
  const known = remembered.get(hash);
  if (known !== undefined) return known;
  const flagged = flagsOf(text).length > 0;
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(hash, flagged);
  return flagged;
}

/** Whether anything of this caller can reach a customer: a reaction is sent under `write`. */
const maySend = ({ scopes }: Caller): boolean => hasScope(scopes, "send") || hasScope(scopes, "write");

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, HASH_CHARS);

/**
 * Every text of a customer in an answer: all that stands inside something marked untrusted, with whom it is from. It
 * goes by the mark and not by the tool, so that a new tool cannot forget to be looked at.
 */
function* customerTexts(value: unknown, from?: Source, marked = false): Generator<CustomerText> {
  if (typeof value === "string") {
    if (marked && from !== undefined && value !== "") yield { source: from, text: value };
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const part of value) yield* customerTexts(part, from, marked);
    return;
  }
  const isMarked = "untrusted" in value && value.untrusted === true;
  const source = sourceOf(value, isMarked) ?? from;
  for (const [name, part] of Object.entries(value)) {
    if (isMarked && (FACTS.has(name) || ("message_id" in value && FACTS_OF_FILES.has(name)))) continue;
    yield* customerTexts(part, source, marked || isMarked);
  }
}

/** Whom a part of an answer is about, where it says so itself. */
function sourceOf(value: object, isMarked: boolean): Source | undefined {
  if ("contact" in value && typeof value.contact === "object" && value.contact !== null) {
    return "id" in value.contact && typeof value.contact.id === "string"
      ? { contact: value.contact.id }
      : undefined;
  }
  if (!isMarked) return undefined;
  // A contact has a name; a message names its sender.
  if ("name" in value && "id" in value && typeof value.id === "string") return { contact: value.id };
  return "message_id" in value && typeof value.message_id === "string"
    ? { message: value.message_id }
    : undefined;
}
