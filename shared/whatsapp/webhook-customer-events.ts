import { defined } from "../defined";
import { metaTimestampMs } from "../time";
import { asObject, get, getArray, getId, getNumber, getObject, getWord, type JsonObject } from "./json";
import { listOf, PARTS_MAX, whenWord } from "./webhook-event-parts";
import type { WebhookEvent } from "./webhook-events-types";
import { completeParty, readErrors } from "./webhook-parts";
import type { Party } from "./webhook-types";

export function readPreference(entry: JsonObject, people: readonly unknown[]): WebhookEvent | null {
  const preference = getWord(entry, "value");
  if (preference === undefined) return null;
  return {
    type: "preference",
    customer: completeParty(idsOf(entry), people),
    value: preference,
    ...defined({
      category: getWord(entry, "category"),
      atMs: metaTimestampMs(get(entry, "timestamp")),
      detail: getWord(entry, "detail"),
    }),
  };
}

function idsOf(entry: JsonObject): Party {
  return defined({
    waId: getId(entry, "wa_id"),
    userId: getId(entry, "user_id"),
    parentUserId: getId(entry, "parent_user_id"),
  });
}

export function readCustomerId(entry: JsonObject, people: readonly unknown[]): WebhookEvent | null {
  const change = getObject(entry, "user_id");
  const parent = getObject(entry, "parent_user_id");
  const ids = defined({
    waId: getId(entry, "wa_id"),
    userId: getId(change, "current"),
    parentUserId: getId(parent, "current"),
  });
  const previousUserId = getId(change, "previous");
  if (ids.userId === undefined && previousUserId === undefined) return null;
  return {
    type: "customerId",
    customer: completeParty(ids, people),
    ...defined({ previousUserId, userId: ids.userId, atMs: metaTimestampMs(get(entry, "timestamp")) }),
  };
}

export function readAddressBook(entry: JsonObject): WebhookEvent | null {
  const contact = getObject(entry, "contact");
  if (contact === undefined) return null;
  return {
    type: "addressBook",
    action: getWord(entry, "action") ?? "add",
    customer: defined({
      waId: getId(contact, "phone_number")?.replace(/\D/g, ""),
      userId: getId(contact, "user_id"),
      parentUserId: getId(contact, "parent_user_id"),
      name: getWord(contact, "full_name"),
      username: getWord(contact, "username")?.replace(/^@/, ""),
    }),
    ...defined({
      firstName: getWord(contact, "first_name"),
      atMs: metaTimestampMs(get(getObject(entry, "metadata"), "timestamp")),
    }),
  };
}

export function readCalls(value: JsonObject, people: readonly unknown[]): readonly WebhookEvent[] {
  const calls = listOf(value, "calls", (call) => {
    const byCustomer = directionOf(call);
    const side = byCustomer === false ? "to" : "from";
    const customer = defined({ waId: getId(call, side), userId: getId(call, `${side}_user_id`) });
    return {
      type: "call",
      event: getWord(call, "event") ?? "unknown",
      customer: completeParty(customer, people),
      ...defined({
        callId: getId(call, "id"),
        fromCustomer: byCustomer,
        status: getWord(call, "status"),
        atMs: metaTimestampMs(get(call, "timestamp")) ?? metaTimestampMs(get(call, "start_time")),
        durationSeconds: getNumber(call, "duration"),
      }),
    };
  });
  const statuses = listOf(value, "statuses", (status) => ({
    type: "call",
    event: "status",
    customer: completeParty(
      defined({ waId: getId(status, "recipient_id"), userId: getId(status, "recipient_user_id") }),
      people,
    ),
    fromCustomer: false,
    ...defined({
      callId: getId(status, "id"),
      status: getWord(status, "status"),
      atMs: metaTimestampMs(get(status, "timestamp")),
    }),
  }));
  return [...calls, ...statuses];
}

function directionOf(call: JsonObject): boolean | undefined {
  const direction = getWord(call, "direction");
  return direction === undefined ? undefined : direction === "USER_INITIATED";
}

export function readGroups(value: JsonObject): readonly WebhookEvent[] {
  return listOf(value, "groups", (group) => {
    const lists = ["added_participants", "removed_participants", "failed_participants"];
    return {
      type: "group",
      event: getWord(group, "type") ?? "unknown",
      errors: readErrors(group),
      participants: lists.flatMap((key) =>
        (getArray(group, key) ?? []).slice(0, PARTS_MAX).map((entry) =>
          defined({
            waId: getId(asObject(entry), "wa_id") ?? getId(asObject(entry), "input")?.replace(/\D/g, ""),
            userId: getId(asObject(entry), "user_id"),
          }),
        ),
      ),
      ...defined({ groupId: getId(group, "group_id"), atMs: metaTimestampMs(get(group, "timestamp")) }),
    };
  });
}

export function readHandover(value: JsonObject): readonly WebhookEvent[] {
  return whenWord(value, "type", (event) => {
    const passed = getObject(value, event) ?? getObject(value, "control_passed");
    const sender = getObject(value, "sender");
    const summary = getObject(getObject(passed, "conversation_context"), "summary");
    return {
      type: "handover",
      event,
      customer: defined({
        waId: getId(sender, "phone_number")?.replace(/\D/g, "") ?? getId(sender, "wa_id"),
        userId: getId(sender, "user_id"),
      }),
      ...defined({
        atMs: metaTimestampMs(get(value, "timestamp")),
        previousOwner: getWord(passed, "previous_owner_role"),
        newOwner: getWord(passed, "new_owner_role"),
        summary: getWord(summary, "text"),
      }),
    };
  });
}
