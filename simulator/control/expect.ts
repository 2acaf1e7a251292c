import { z } from "zod";
import { asObject, getObject, getText } from "#shared/whatsapp/json";
import { json, type Reply } from "../http";
import type { Simulation } from "../simulation";
import { findCustomer, type StoredMessage } from "../world";

/** Longest wait for messages that have not come yet, in real time. */
const WAIT_MS_MAX = 30_000;

export const expectQuery = z.strictObject({
  to: z.string().min(1).optional(),
  type: z.string().min(1).optional(),
  /** A part of the text, caption or template name. */
  text: z.string().min(1).optional(),
  status: z.string().min(1).optional(),
  /** Exactly so many; at least one when absent. */
  count: z.coerce.number().int().min(0).optional(),
  waitMs: z.coerce.number().int().min(0).max(WAIT_MS_MAX).default(0),
});

/**
 * `GET /_sim/expect`: whether the business has sent such messages. 200 when it has and 409 when it has not, so that
 * `curl --fail` is an assertion; with `waitMs` the answer waits until it is so.
 */
export async function expectMessages(
  simulation: Simulation,
  query: z.infer<typeof expectQuery>,
): Promise<Reply> {
  const find = () =>
    [...simulation.world.messages.values()].filter((message) => matches(simulation, message, query));
  const isMet = (found: number) => (query.count === undefined ? found > 0 : found === query.count);
  if (!isMet(find().length) && query.waitMs > 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => end(), query.waitMs);
      const stop = simulation.journal.listen((event) => {
        if (event.type === "message" && isMet(find().length)) end();
      });
      const end = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
    });
  }
  const messages = find();
  const ok = isMet(messages.length);
  return json(ok ? 200 : 409, { ok, count: messages.length, messages });
}

function matches(
  simulation: Simulation,
  message: StoredMessage,
  { to, type, text, status }: z.infer<typeof expectQuery>,
): boolean {
  const peer =
    to === undefined ? undefined : (findCustomer(simulation.world, to)?.phone ?? to).replace(/\D/g, "");
  return (
    message.direction === "outbound" &&
    (peer === undefined || message.peer === peer) &&
    (type === undefined || message.type === type) &&
    (status === undefined || message.status === status) &&
    (text === undefined || wordsOf(message).includes(text))
  );
}

function wordsOf({ content }: StoredMessage): string {
  const object = asObject(content);
  const texts = [
    getText(object, "body"),
    getText(getObject(object, "body"), "text"),
    getText(object, "caption"),
    getText(object, "name"),
  ];
  return texts.filter((text) => text !== undefined).join("\n");
}
