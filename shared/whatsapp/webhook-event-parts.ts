import { asObject, get, getArray, getWord, type JsonObject } from "./json";
import type { WebhookEvent } from "./webhook-events-types";

/** Reads the value of one subscription field; an empty list where it holds nothing that this version reads. */
export type EventReader = (value: JsonObject, people: readonly unknown[]) => readonly WebhookEvent[];

/** Parts of one event that are read, such as the members of a group; a group has at most 1,024 (WhatsApp's help pages). */
export const PARTS_MAX = 1_024;

/** The event, if the word on which everything hangs is there. */
export function whenWord(
  value: JsonObject,
  key: string,
  read: (word: string) => WebhookEvent,
): readonly WebhookEvent[] {
  const word = getWord(value, key);
  return word === undefined ? [] : [read(word)];
}

/** One event for each object of a list; a single object stands for a list of one. */
export function listOf(
  value: JsonObject,
  key: string,
  read: (entry: JsonObject) => WebhookEvent | null,
): readonly WebhookEvent[] {
  const entries = getArray(value, key) ?? [get(value, key)];
  return entries.flatMap((entry) => {
    const object = asObject(entry);
    return object === undefined ? [] : (read(object) ?? []);
  });
}
