import { defined } from "../defined";
import { phoneDigits } from "../phone";
import {
  asObject,
  getArray,
  getBoolean,
  getId,
  getNumber,
  getObject,
  getWord,
  type JsonObject,
  rawText,
} from "./json";
import { type Collector, each } from "./webhook-collector";
import { readMessageBase } from "./webhook-messages";
import { completeParty, readErrors } from "./webhook-parts";
import type { HistoryItem, ItemOrigin, Party } from "./webhook-types";

/**
 * The field `history`: threads of the phone app from before it was connected, in chunks; or, in the shape of
 * ordinary messages, the media of such threads, which Meta sends afterwards (Meta: "history webhook").
 */
export function readHistory(value: JsonObject, origin: ItemOrigin, collector: Collector): void {
  each(value, "history", origin, (chunk, at) => readChunk(chunk, at, collector));
  const people = getArray(value, "contacts") ?? [];
  each(value, "messages", origin, (item, at) =>
    collector.read(at, item, (message, where) => readLate(message, where, people, false)),
  );
  each(value, "message_echoes", origin, (item, at) =>
    collector.read(at, item, (message, where) => readLate(message, where, people, true)),
  );
}

function readChunk(value: unknown, origin: ItemOrigin, collector: Collector): void {
  const chunk = asObject(value);
  if (chunk === undefined) {
    collector.other(origin, value, "shape");
    return;
  }
  if (getArray(chunk, "errors") !== undefined) {
    collector.add(() => ({
      ...origin,
      kind: "event",
      event: { type: "historyRefused", errors: readErrors(chunk) },
    }));
  }
  const metadata = getObject(chunk, "metadata");
  const progress = defined({
    phase: getNumber(metadata, "phase"),
    chunkOrder: getNumber(metadata, "chunk_order"),
    progressPercent: getNumber(metadata, "progress"),
  });
  each(chunk, "threads", origin, (item, at) => {
    const thread = asObject(item);
    if (thread === undefined) {
      collector.other(at, item, "shape");
      return;
    }
    const customer = threadCustomer(thread);
    each(thread, "messages", at, (message, where) =>
      collector.read(where, message, (object, place) => ({
        ...readMessageBase(object, place),
        ...progress,
        ...sideOf(object, place),
        kind: "history",
        customer,
      })),
    );
  });
}

/** A thread is named by the customer's number, or by what Meta discloses instead. */
function threadCustomer(thread: JsonObject): Party {
  const context = getObject(thread, "context");
  return defined({
    waId: getId(context, "wa_id") ?? digitsOnly(getId(thread, "id")),
    userId: getId(context, "user_id"),
    username: getWord(context, "username")?.replace(/^@/, ""),
  });
}

function digitsOnly(id: string | undefined): string | undefined {
  return id !== undefined && /^\d+$/.test(id) ? id : undefined;
}

/** Who wrote it, and how far it had come when it was handed over. */
function sideOf(message: JsonObject, origin: ItemOrigin): { fromBusiness?: boolean; status?: string } {
  const context = getObject(message, "history_context");
  const from = getId(message, "from");
  const own = origin.displayPhoneNumber;
  const guessed =
    from === undefined || own === undefined ? undefined : phoneDigits(from) === phoneDigits(own);
  return defined({
    fromBusiness: getBoolean(context, "from_me") ?? guessed,
    status: getWord(context, "status"),
  });
}

function readLate(
  message: JsonObject,
  origin: ItemOrigin,
  people: readonly unknown[],
  isEcho: boolean,
): HistoryItem {
  const side = { ...(isEcho && { fromBusiness: true }), ...sideOf(message, origin) };
  const key = side.fromBusiness === true ? "to" : "from";
  const ids = defined({ waId: getId(message, key), userId: getId(message, `${key}_user_id`) });
  return {
    ...readMessageBase(message, origin),
    ...side,
    kind: "history",
    customer: completeParty(ids, people),
  };
}

/** Where each list of a standby copy names the customer: who wrote, or to whom it went. */
const STANDBY_LISTS = [
  { key: "messages", of: "message", side: "from" },
  { key: "message_echoes", of: "echo", side: "to" },
  { key: "statuses", of: "status", side: "recipient" },
] as const;

/** Copies for reading only, of a conversation that another app owns (Meta: "Conversation routing", `standby`). */
export function readStandby(value: JsonObject, origin: ItemOrigin, collector: Collector): void {
  const people = getArray(value, "contacts") ?? [];
  for (const { key, of, side } of STANDBY_LISTS) {
    each(value, key, origin, (item, at) =>
      collector.read(at, item, (object, where) => {
        const ids = defined({
          waId: getId(object, side) ?? getId(object, `${side}_id`),
          userId: getId(object, `${side}_user_id`),
        });
        return {
          ...where,
          kind: "standby",
          of,
          customer: completeParty(ids, people),
          raw: rawText(object),
          ...defined({ wamid: getId(object, "id") }),
        };
      }),
    );
  }
}
