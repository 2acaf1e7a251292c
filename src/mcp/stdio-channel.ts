import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { SECOND_MS } from "#shared/time";

/** The notification that carries a message into a session of Claude Code, and the capability by which it listens. */
const CHANNEL_CAPABILITY = "claude/channel";
const CHANNEL_METHOD = "notifications/claude/channel";

/** As long as get_messages waits. */
const WAIT_SECONDS = 25;

/** Pause after a question that failed. */
const AGAIN_AFTER_MS = 5 * SECOND_MS;

/** Messages that are remembered as told; one that changes comes once more in the list, soon after it came first. */
const TOLD_MAX = 1_000;

const account = z.looseObject({ numbers: z.array(z.looseObject({ number: z.string() })) });

const page = z.looseObject({
  business: z.looseObject({ number: z.string() }),
  messages: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string(),
      text: z.string().optional(),
      caption: z.string().optional(),
      contact: z.looseObject({ id: z.string(), name: z.string(), phone: z.string().optional() }),
    }),
  ),
  next_cursor: z.string(),
});
type Message = z.infer<typeof page>["messages"][number];

export type Channel = {
  /** Phone numbers of those whose messages reach the session, as digits. */
  senders: ReadonlySet<string>;
  /** Calls a tool of the server; gives its structured content, or undefined when there is none this time. */
  call: (tool: string, args: object) => Promise<unknown>;
  tell: (notification: { method: string; params: object }) => void;
  ended: AbortSignal;
};

/** The senders that a setting names, numbers in any spelling with commas between; null where it names none. */
export function channelSenders({ PONS_CHANNEL: list }: NodeJS.ProcessEnv): ReadonlySet<string> | null {
  const numbers = (list ?? "").split(",").map(digits);
  const senders = new Set(numbers.filter((number) => number !== ""));
  return senders.size === 0 ? null : senders;
}

/**
 * Brings what some people write into the session as it comes, until the signal. What reaches a session this way is read
 * as if its own person had typed it, so it is only what those write who are named; everybody else is read by the
 * tools, as data.
 */
export async function followChannel(channel: Channel): Promise<void> {
  const known = await ask(channel, account, "ping", {});
  const numbers = known?.numbers.map(({ number }) => number) ?? [];
  const isOne = numbers.length === 1;
  await Promise.all(numbers.map((number) => followNumber(channel, isOne ? {} : { from: number })));
}

async function followNumber(channel: Channel, about: { from?: string }): Promise<void> {
  const { senders, tell } = channel;
  const told = new Set<string>();
  const inbound = { ...about, direction: "inbound" };
  // What came before the session began is not news.
  let after = (await ask(channel, page, "get_messages", { ...inbound, limit: 1 }))?.next_cursor;
  while (after !== undefined) {
    const news = await ask(channel, page, "get_messages", { ...inbound, after, wait_s: WAIT_SECONDS });
    for (const message of news?.messages ?? []) {
      if (told.has(message.id) || !senders.has(digits(message.contact.phone ?? ""))) continue;
      if (told.size >= TOLD_MAX) told.clear();
      told.add(message.id);
      tell({ method: CHANNEL_METHOD, params: noticeOf(message, news?.business.number ?? "") });
    }
    after = news?.next_cursor;
  }
}

/** Asks until there is an answer; undefined once the session is over. */
async function ask<Shape extends z.ZodType>(
  { call, ended }: Channel,
  shape: Shape,
  tool: string,
  args: object,
): Promise<z.output<Shape> | undefined> {
  while (!ended.aborted) {
    const answer = shape.safeParse(await call(tool, args));
    if (answer.success) return answer.data;
    // Nobody waits for a pause that was ended early.
    await delay(AGAIN_AFTER_MS, undefined, { signal: ended }).catch(() => undefined);
  }
  return undefined;
}

const noticeOf = ({ id, type, text, caption, contact }: Message, number: string) => ({
  content: text ?? caption ?? `(${type})`,
  meta: { message_id: id, contact: contact.phone ?? contact.id, name: contact.name, from: number, type },
});

const digits = (text: string): string => text.replaceAll(/\D/g, "");

/** The answer to `initialize`, which says that there is a channel. */
export function withChannel<Result extends object>(result: Result): Result {
  const { capabilities } = capable.parse(result);
  const experimental = { ...capabilities.experimental, [CHANNEL_CAPABILITY]: {} };
  return { ...result, capabilities: { ...capabilities, experimental } };
}

const capable = z.looseObject({
  capabilities: z.looseObject({ experimental: z.looseObject({}).optional() }),
});
