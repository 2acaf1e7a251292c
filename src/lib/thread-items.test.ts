import { expect, test } from "vitest";
import { DAY_MS, MINUTE_MS } from "#shared/time";
import type { Message } from "./backend";
import { firstUnread, OWN_REQUEST_PREFIX, threadItems } from "./thread-items";

const NOON = new Date(2026, 2, 18, 12).getTime();

function message(id: string, fields: Partial<Message> = {}): Message {
  return {
    _id: id as Message["_id"],
    direction: "inbound",
    type: "text",
    text: id,
    reactions: [],
    status: "received",
    timestamp: NOON,
    sender: { kind: "customer" },
    ...fields,
  };
}
const all = { isComplete: true, firstUnreadId: undefined };
const outline = (items: ReturnType<typeof threadItems>) =>
  items.map((item) => (item.kind === "message" ? item.message._id : item.kind));

test("lines stand oldest first, under the name of their day", () => {
  const newestFirst = [
    message("c", { timestamp: NOON + DAY_MS }),
    message("b", { timestamp: NOON + MINUTE_MS }),
    message("a"),
  ];
  expect(outline(threadItems(newestFirst, all))).toEqual(["day", "a", "b", "day", "c"]);
});

test("older messages only add lines in front", () => {
  const page = [message("d", { timestamp: NOON + DAY_MS }), message("c", { timestamp: NOON + MINUTE_MS })];
  const before = threadItems(page, { ...all, isComplete: false });
  const after = threadItems([...page, message("b"), message("a", { timestamp: NOON - DAY_MS })], all);
  expect(after.slice(-before.length).map(({ key }) => key)).toEqual(before.map(({ key }) => key));
});

test("what was unread begins under its mark", () => {
  const newestFirst = [message("d"), message("c", { direction: "outbound" }), message("b"), message("a")];
  const firstUnreadId = firstUnread(newestFirst, 2);
  expect(outline(threadItems(newestFirst, { ...all, firstUnreadId }))).toEqual([
    "day",
    "a",
    "unread",
    "b",
    "c",
    "d",
  ]);
  expect(firstUnread(newestFirst, 0)).toBeUndefined();
  expect(firstUnread(newestFirst, 9)).toBeUndefined();
});

test("a message sent here keeps its key when the stored row takes its place", () => {
  const clientRequestId = `${OWN_REQUEST_PREFIX}1`;
  const fields = { direction: "outbound", status: "queued", clientRequestId } as const;
  const [, draft] = threadItems([message(clientRequestId, fields)], all);
  const [, stored] = threadItems([message("row", { ...fields, status: "sent" })], all);
  expect(stored?.key).toBe(draft?.key);
});

test("request ids of agents, which may repeat, are no keys", () => {
  const fields = { direction: "outbound", clientRequestId: "1" } as const;
  const items = threadItems([message("b", fields), message("a", fields)], all);
  expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
  const own = { direction: "outbound", clientRequestId: `${OWN_REQUEST_PREFIX}1` } as const;
  const twice = threadItems([message("b", own), message("a", own)], all);
  expect(new Set(twice.map(({ key }) => key)).size).toBe(twice.length);
});

test("a group ends with its sender or after a pause", () => {
  const newestFirst = [
    message("d", { timestamp: NOON + 20 * MINUTE_MS }),
    message("c", {
      timestamp: NOON + 2 * MINUTE_MS,
      direction: "outbound",
      sender: { kind: "key", name: "bot" },
    }),
    message("b", { timestamp: NOON + MINUTE_MS }),
    message("a"),
  ];
  const starts = threadItems(newestFirst, all).flatMap((item) =>
    item.kind === "message" ? [item.startsGroup] : [],
  );
  expect(starts).toEqual([true, false, true, true]);
});
