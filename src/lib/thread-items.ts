import { MINUTE_MS } from "#shared/time";
import type { Message } from "./backend";
import { dayKey } from "./times";

/** One line of the thread, oldest first. Keys stay the same while a message travels from draft to delivered. */
export type ThreadItem =
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | { readonly kind: "unread"; readonly key: string }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly message: Message;
      /** The first of several by the same sender in a row: it says who wrote, and stands a little apart. */
      readonly startsGroup: boolean;
    };

/** Messages of one sender this close together are one group. */
const GROUP_GAP_MS = 5 * MINUTE_MS;

/** Marks request ids made by this app; they are unique, so they may name a line before the message has an id. */
export const OWN_REQUEST_PREFIX = "web-";

/**
 * Lines of the loaded messages. The first loaded day is named only when nothing older is left to load, so that loading
 * older messages adds lines in front and changes none: the scroll position then stays exact.
 */
export function threadItems(
  newestFirst: readonly Message[],
  options: { isComplete: boolean; firstUnreadId: string | undefined },
): ThreadItem[] {
  const items: ThreadItem[] = [];
  const keys = new Set<string>();
  let previous: Message | undefined;
  for (const message of newestFirst.toReversed()) {
    const isNewDay = previous ? dayKey(previous.timestamp) !== dayKey(message.timestamp) : options.isComplete;
    const isFirstUnread = message._id === options.firstUnreadId;
    if (isNewDay) items.push({ kind: "day", key: `day-${message._id}`, at: message.timestamp });
    if (isFirstUnread) items.push({ kind: "unread", key: "unread" });
    const isApart = isNewDay || isFirstUnread || previous === undefined;
    const key = messageKey(message, keys);
    keys.add(key);
    items.push({ kind: "message", key, message, startsGroup: isApart || !isSameGroup(previous, message) });
    previous = message;
  }
  return items;
}

/** The oldest of the last `unreadCount` messages from the customer; undefined when there is none among those loaded. */
export function firstUnread(newestFirst: readonly Message[], unreadCount: number): string | undefined {
  return newestFirst.filter((message) => message.direction === "inbound")[unreadCount - 1]?._id;
}

function messageKey(message: Message, taken: ReadonlySet<string>): string {
  const { clientRequestId } = message;
  const isOwn = clientRequestId?.startsWith(OWN_REQUEST_PREFIX) ?? false;
  return clientRequestId !== undefined && isOwn && !taken.has(clientRequestId)
    ? clientRequestId
    : message._id;
}

function isSameGroup(a: Message | undefined, b: Message): boolean {
  return (
    a !== undefined &&
    a.direction === b.direction &&
    a.sender.kind === b.sender.kind &&
    a.sender.name === b.sender.name &&
    b.timestamp - a.timestamp < GROUP_GAP_MS
  );
}
