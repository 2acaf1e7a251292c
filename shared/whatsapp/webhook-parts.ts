import { defined } from "../defined";
import { asObject, getArray, getId, getNumber, getObject, getWord, type JsonObject } from "./json";
import type { Party, WebhookError } from "./webhook-types";

/** Errors read from one item; Meta lists one or two. */
const ERRORS_MAX = 16;

/**
 * Adds what the `contacts` array tells about a person. Its order says nothing, so it is matched by id; only when the
 * message names nobody at all may a single contact stand for the sender.
 */
export function completeParty(ids: Party, people: readonly unknown[]): Party {
  const nameless = ids.waId === undefined && ids.userId === undefined;
  const contact = people
    .map(asObject)
    .find((person) => (nameless ? people.length === 1 : isSamePerson(ids, person)));
  const profile = getObject(contact, "profile");
  return {
    ...defined({
      waId: getId(contact, "wa_id"),
      userId: getId(contact, "user_id"),
      parentUserId: getId(contact, "parent_user_id"),
      name: getWord(profile, "name"),
      username: getWord(profile, "username")?.replace(/^@/, ""),
    }),
    ...ids,
  };
}

function isSamePerson(ids: Party, contact: JsonObject | undefined): boolean {
  const userId = getId(contact, "user_id");
  const waId = getId(contact, "wa_id");
  return (userId !== undefined && userId === ids.userId) || (waId !== undefined && waId === ids.waId);
}

export function readErrors(object: JsonObject): readonly WebhookError[] {
  return (getArray(object, "errors") ?? []).slice(0, ERRORS_MAX).flatMap((error) => {
    const fields = asObject(error);
    return fields === undefined ? [] : [readError(fields)];
  });
}

export function readError(error: JsonObject): WebhookError {
  return defined({
    code: getNumber(error, "code"),
    title: getWord(error, "title"),
    message: getWord(error, "message"),
    details: getWord(getObject(error, "error_data"), "details") ?? getWord(error, "details"),
    href: getWord(error, "href"),
  });
}
